"""An operation lacks an argument that it cannot do without.

## Why it matters
The call raises an error when the migration gets there: for a downgrade, in the middle of a
rollback that nobody has tried before.

## What to do
Give the argument: outside of a batch block every constraint and column needs the name of its table.
MySQL and MariaDB need the table of an index and the kind of a constraint, too, texts with a length,
and the type of a column that gets another name, other NULLs or another comment.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._databases import is_on_first

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Calls that Python itself refuses, and those that Alembic refuses for MySQL."""
    own = [dialect for dialect in context.dialects if dialect in MYSQL]
    for operation in (*context.upgrade_operations, *context.downgrade_operations):
        if operation.missing and not operation.doubtful:
            names = ", ".join(f"`{name}`" for name in operation.missing)
            yield Finding(operation.range, f"`op.{operation.name}()` lacks {names}")
        on = [dialect for dialect in own if operation.runs_on(dialect)]
        lacking = None if operation.doubtful or not on else _lacking(operation)
        if lacking is not None:
            yield Finding(
                operation.range,
                f"{lacking}, which MySQL needs",
                severity=None if is_on_first(context, on) else "warning",
            )


def _lacking(operation: Operation) -> str | None:
    """What Alembic or SQLAlchemy cannot do without on MySQL and MariaDB; None for nothing."""
    given = dict(operation.arguments)
    batch = operation.batch
    if batch is not None and (not batch.sure or option(batch.options, "recreate") is not None):
        return None  # the table may be made anew
    for change in operation.changes if operation.name in _MORE else ():
        if isinstance(change, c.DropConstraint) and "type_" not in given:
            return "`op.drop_constraint()` lacks `type_`"
        if isinstance(change, c.DropIndex) and change.table is None:
            return "`op.drop_index()` lacks `table_name`"
        if isinstance(change, c.AlterColumn) and _modifies(change):
            kinds = (option(change.options, name) for name in ("type_", "existing_type"))
            kind = next((kind for kind in kinds if kind and kind.value is not None), None)
            if kind is None:
                return "`op.alter_column()` lacks `existing_type`"
            if _is_endless(kind):
                return f"`{kind.text}` lacks a length"
        if isinstance(change, c.AddColumn) and _is_endless(change.column.type):
            return f"`{change.column.name}` lacks a length"
        if isinstance(change, c.CreateTable):
            for column in change.table.columns:
                if _is_endless(column.type):
                    return f"`{column.name}` lacks a length"
    return None


_MORE = frozenset({"drop_constraint", "drop_index", "alter_column", "add_column", "create_table"})
_NOT_SAID = {
    **dict.fromkeys(("new_column_name", "nullable", "type_", "autoincrement")),
    "comment": False,
}
"""What `alter_column` takes for an argument that is not given."""
_TEXTS = frozenset(
    f"{module}{name}{call}"
    for module in ("", "sa.", "sqlalchemy.")
    for name in ("String", "Unicode", "VARCHAR", "NVARCHAR")
    for call in ("", "()")
)


def _is_endless(kind: Expression | None) -> bool:
    """Whether a type is VARCHAR without a length, which is not in MySQL's language."""
    if kind is None or kind.text not in _TEXTS:
        return False
    return "." in kind.text or any(made.startswith("from sqlalchemy") for made in kind.imports)


def _modifies(change: c.AlterColumn) -> bool:
    """Whether all of the column is said again, as CHANGE and MODIFY COLUMN want it."""
    given = {name: value.value for name, value in change.options}
    return any(given.get(name, default) is not default for name, default in _NOT_SAID.items())


rule.example(
    "A constraint without its table",
    """
    def upgrade():
        op.create_check_constraint("ck_😋", "users", "age > 0")


    def downgrade():
        op.drop_constraint("ck_😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^ `op.drop_constraint()` lacks `table_name`
    """,
)
rule.example(
    "In a batch block, which has the table",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_check_constraint("ck_age", "age > 0")


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("ck_age")
    """,
)
rule.example(
    "Handed over in a dictionary",
    """
    ARGUMENTS = read()


    def upgrade():
        op.create_check_constraint("ck_age", "users", "age > 0")


    def downgrade():
        op.drop_constraint("ck_age", **ARGUMENTS)
    """,
)
rule.example(
    "What MySQL needs",
    """
    def upgrade():
        op.add_column("users", sa.Column("mail", sa.String(30)))
        op.create_unique_constraint("uq_mail", "users", ["mail"])
        op.create_index("ix_age", "users", ["age"])
        op.alter_column("users", "nick", new_column_name="name", existing_type=sa.String(9))
        op.drop_column("users", "note")


    def downgrade():
        op.add_column("users", sa.Column("note", sa.String(), comment="😋"))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `note` lacks a length, which MySQL needs
        op.alter_column("users", "name", new_column_name="nick")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `op.alter_column()` lacks `existing_type`, which MySQL needs
        op.drop_index("ix_age")
        ^^^^^^^^^^^^^^^^^^^^^^^ `op.drop_index()` lacks `table_name`, which MySQL needs
        op.drop_constraint("uq_mail", "users")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `op.drop_constraint()` lacks `type_`, which MySQL needs
        op.drop_column("users", "mail")
    """,
    dialects=("mysql",),
)
rule.example(
    "Where it is given, where no more than a default changes, and by SQL",
    """
    from app.types import String


    def upgrade():
        op.create_unique_constraint("uq_mail", "users", ["mail"])
        op.alter_column("users", "nick", server_default="x")
        op.add_column("users", sa.Column("note", sa.String(length=9)))
        op.add_column("users", sa.Column("name", String()))
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_index("ix_age", ["age"])
        with op.batch_alter_table("users", **OPTIONS) as batch_op:
            batch_op.alter_column("age", nullable=True)


    def downgrade():
        with op.batch_alter_table("users", **OPTIONS) as batch_op:
            batch_op.alter_column("age", nullable=False)
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_index("ix_age")
        op.drop_column("users", "name")
        op.drop_column("users", "note")
        op.alter_column("users", "nick", server_default=None, nullable=None, comment=False)
        op.drop_constraint("uq_mail", "users", "unique")
        op.execute("ALTER TABLE users RENAME COLUMN nick TO name")
        op.execute("ALTER TABLE users RENAME COLUMN name TO nick")
    """,
    dialects=("mariadb",),
)
rule.example(
    "On another database",
    """
    def upgrade():
        op.create_unique_constraint("uq_mail", "users", ["mail"])
        op.alter_column("users", "nick", type_=sa.String(), nullable=True)


    def downgrade():
        op.alter_column("users", "nick", type_=sa.String(9), nullable=False)
        op.drop_constraint("uq_mail", "users")
    """,
    dialects=("postgresql",),
)
