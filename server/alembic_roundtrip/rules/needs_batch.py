"""SQLite cannot alter constraints or columns in place: this needs `op.batch_alter_table`.

## Why it matters
The operation raises on SQLite, in this direction always.

## What to do
Put it into `with op.batch_alter_table("…") as batch_op:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.model import GuardKind, Migration, Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.migration.rendering import Renderer, call
from alembic_roundtrip.migration.rewrite import WrapStatements
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import changed_call, receiver, runs, stands_alone
from alembic_roundtrip.severity import Severity

rule = Rule(__name__, severity="error")

_REFUSED = frozenset(
    {
        "create_foreign_key",
        "create_unique_constraint",
        "create_check_constraint",
        "create_primary_key",
        "drop_constraint",
    }
)
_SAID_BY_BATCH = dict.fromkeys(("table_name", "source_table", "schema", "source_schema"))
_ALTERED = frozenset({"type_", "nullable", "server_default"})
_FUNCTION = re.compile(r"(?:\w+\.)*func\.\w+(?:\.\w+)*\(")
_CALLED = re.compile(r"^[\s(]*(?:CURRENT_(?:TIMESTAMP|DATE|TIME)\b|[a-z_]\w*\s*\()", re.IGNORECASE)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Operations outside a batch block that run on SQLite, in a project that is for SQLite."""
    if context.dialects[:1] != ("sqlite",):
        return
    for operations in (context.upgrade_operations, context.downgrade_operations):
        refused = {operation: why for operation in operations if (why := _refusal(operation))}
        with_rows = dict(_refused_with_rows(operations))
        every = [operation for operation in operations if operation in {**refused, **with_rows}]
        for operation, message in refused.items():
            yield Finding(
                operation.range, message, partial(_fixes, context.migration, operation, every)
            )
        # What was deployed has found no row in its way.
        old = operations is context.upgrade_operations and not context.recent
        for operation, message in with_rows.items():
            fixes = partial(_fixes, context.migration, operation, every)
            severity: Severity | None = "information" if old else None
            yield Finding(operation.range, message, fixes, severity=severity)


def _may_run(operation: Operation) -> bool:
    """Whether it certainly runs on SQLite, outside of a batch block."""
    existing = any(guard.kind is GuardKind.EXISTENCE for guard in operation.guards)
    outside = operation.batch is None and operation.runs_on("sqlite")
    return outside and not operation.doubtful and not existing


def _refused_with_rows(operations: Iterable[Operation]) -> Iterator[tuple[Operation, str]]:
    """Columns whose default is computed, on tables that may have rows: SQLite fills in none."""
    made: set[Name] = set()
    for operation in operations:
        for change in operation.changes:
            if isinstance(change, c.CreateTable):
                made.add(change.table.name)
            elif isinstance(change, c.AddColumn) and change.table not in made:
                default = change.column.server_default
                if default is not None and _is_computed(default) and _may_run(operation):
                    what = "a column whose default is computed"
                    yield operation, f"SQLite cannot add {what} to a table with rows: use a batch"


def _is_computed(default: Expression) -> bool:
    """Whether SQLite does not know a default before it asks for it: neither a text nor a number."""
    if default.sql is None:
        return _FUNCTION.match(default.text) is not None
    return default.string is None and _CALLED.search(default.sql) is not None


def _refusal(operation: Operation) -> str:
    """Why SQLite does not run an operation; empty where it does, or may not be asked to."""
    if not _may_run(operation):
        return ""
    if operation.name in _REFUSED:
        return f"SQLite has no `op.{operation.name}`: use a batch"
    if operation.name == "alter_column" and _alters(operation):
        return "SQLite cannot alter a column in place: use a batch"
    for change in operation.changes:
        kinds = _brought(change) if operation.name == "add_column" else set()
        if kinds and option(operation.arguments, "inline_references") is None:
            with_it = "a foreign key" if "foreignkey" in kinds else "UNIQUE"
            return f"SQLite cannot add a column with {with_it}: use a batch"
    return ""


def _brought(change: c.Change) -> set[str]:
    """The constraints of a new column that Alembic adds after it."""
    own = change.constraints if isinstance(change, c.AddColumn) else ()
    return {part.kind for part in own if part.kind in {"foreignkey", "unique"}}


def _alters(operation: Operation) -> bool:
    return any(
        name in _ALTERED
        for change in operation.changes
        if isinstance(change, c.AlterColumn)
        for name, _ in change.options
    )


def _fixes(migration: Migration, operation: Operation, refused: list[Operation]) -> tuple[Fix, ...]:
    """One batch block for what follows each other on one table."""
    for run in runs(migration, refused):
        for table, group in groupby(run, key=lambda each: _table(migration, each)):
            block = list(group)
            if operation in block and table is not None:
                return (_batched(migration, table, block),)
    return ()


def _table(migration: Migration, operation: Operation) -> Name | None:
    """The table of an operation that can go into a batch block as it is."""
    if len(operation.changes) != 1 or not stands_alone(migration, operation):
        return None
    change = operation.changes[0]
    # A batch block makes the table anew and needs the names of its constraints for that.
    if isinstance(change, c.AddConstraint) and change.constraint.name:
        return change.table if receiver(migration, operation) else None
    if isinstance(change, c.DropConstraint) and change.name:
        return change.table if receiver(migration, operation) else None
    if isinstance(change, c.AddColumn) and all(part.name for part in change.constraints):
        return change.table if receiver(migration, operation) else None
    # What is renamed has its old name until the block ends.
    renames = isinstance(change, c.AlterColumn) and "new_column_name" in dict(change.options)
    if isinstance(change, c.AlterColumn) and not renames:
        return change.table if receiver(migration, operation) else None
    return None


def _batched(migration: Migration, table: Name, block: list[Operation]) -> Fix:
    render = Renderer(migration)
    said = [render.text(table.name), *render.schema(table)]
    opened = call(f"with {receiver(migration, block[0])}.batch_alter_table", said)
    wrap = WrapStatements(f"{opened} as batch_op:", tuple(each.statement for each in block))
    calls = [changed_call(each, _SAID_BY_BATCH, f"batch_op.{each.name}") for each in block]
    one = len(block) == 1
    title = (
        "Put it into a batch block" if one else f"Put {len(block)} operations into a batch block"
    )
    return Fix(title, (wrap, *calls), "unsafe")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "A constraint outside a batch",
    """
    def upgrade():
        op.create_unique_constraint("😋", "users", ["nick"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ SQLite has no `op.create_unique_constraint`: use a batch


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("😋", type_="unique")
    """,
    fixed="""
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_unique_constraint("😋", ["nick"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("😋", type_="unique")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "Several on one table",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("team", sa.Integer()))
            batch_op.create_foreign_key("😋", "teams", ["team"], ["id"])
            batch_op.alter_column("age", type_=sa.Integer(), existing_type=sa.Text())


    def downgrade():
        # The old application reads it as a text.
        op.alter_column("users", "age", type_=sa.Text(), existing_type=sa.Integer())
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ SQLite cannot alter a column in place: use a batch
        op.drop_constraint("😋", table_name="users", type_="foreignkey")  # before its column
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ SQLite has no `op.drop_constraint`: use a batch
        op.drop_column("users", "team")
    """,
    fixed="""
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("team", sa.Integer()))
            batch_op.create_foreign_key("😋", "teams", ["team"], ["id"])
            batch_op.alter_column("age", type_=sa.Integer(), existing_type=sa.Text())


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            # The old application reads it as a text.
            batch_op.alter_column("age", type_=sa.Text(), existing_type=sa.Integer())
            batch_op.drop_constraint("😋", type_="foreignkey")  # before its column
        op.drop_column("users", "team")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "A column with a foreign key",
    """
    def upgrade():
        op.add_column("users", sa.Column("team", sa.Integer(), sa.ForeignKey("teams.id", name="fk")))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ SQLite cannot add a column with a foreign key: use a batch


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("team")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
    fixed="""
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("team", sa.Integer(), sa.ForeignKey("teams.id", name="fk")))


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("team")
    """,
)
rule.example(
    "A column with a unique index, or with its foreign key in its own definition",
    """
    def upgrade():
        op.add_column("users", sa.Column("code", sa.Text(), unique=True, index=True))
        op.add_column(
            "users", sa.Column("team", sa.ForeignKey("teams.id")), inline_references=True
        )


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("team")
            batch_op.drop_column("code")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "A default that is computed, for rows that are there",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer()))
        op.add_column("tags", sa.Column("made", sa.DateTime(), server_default=sa.func.now()))
        op.add_column("users", sa.Column("made", sa.DateTime(), server_default=sa.func.now()))  # 😋
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ SQLite cannot add a column whose default is computed to a table with rows: use a batch
        op.add_column("users", sa.Column("zip", sa.Text(), server_default=sa.text("'now()'")))
        op.add_column("users", sa.Column("size", sa.Integer(), server_default=sa.text("(0)")))
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("day", sa.Date(), server_default=sa.text("CURRENT_DATE")))


    def downgrade():
        for name in ("day", "size", "zip", "made"):
            op.drop_column("users", name)
        op.drop_table("tags")
    """,
    fixed="""
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer()))
        op.add_column("tags", sa.Column("made", sa.DateTime(), server_default=sa.func.now()))
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("made", sa.DateTime(), server_default=sa.func.now()))  # 😋
        op.add_column("users", sa.Column("zip", sa.Text(), server_default=sa.text("'now()'")))
        op.add_column("users", sa.Column("size", sa.Integer(), server_default=sa.text("(0)")))
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("day", sa.Date(), server_default=sa.text("CURRENT_DATE")))


    def downgrade():
        for name in ("day", "size", "zip", "made"):
            op.drop_column("users", name)
        op.drop_table("tags")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "A column renamed, which SQLite can",
    """
    def upgrade():
        op.alter_column("users", "nick", new_column_name="name")


    def downgrade():
        op.alter_column("users", "name", new_column_name="nick")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "Not on SQLite",
    """
    def upgrade():
        if op.get_bind().dialect.name != "sqlite":
            op.create_unique_constraint("uq", "users", ["nick"])


    def downgrade():
        if op.get_bind().dialect.name != "sqlite":
            op.drop_constraint("uq", "users", type_="unique")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "A project for PostgreSQL",
    """
    def upgrade():
        op.create_unique_constraint("uq", "users", ["nick"])


    def downgrade():
        op.drop_constraint("uq", "users", type_="unique")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
