"""The upgrade changes something, but the downgrade does nothing.

## Why it matters
`alembic downgrade` succeeds, moves the version back, and leaves the schema as the upgrade made it.
The next upgrade then fails because its objects are already there, usually in the middle of the
night that the rollback was for.

## What to do
Write the operations that undo the upgrade; the fix proposes them from the upgrade and from the
schema at the parent revision. Where there is no way back, `raise` with the reason, so that the
rollback stops before anything is touched. A downgrade that says in a comment why it is empty is
reported as information, and `--fix` leaves it as it is; one under an upgrade that only writes rows,
as far as it can be read, as a warning, or as information where the migration says what is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from alembic_roundtrip.comparison.equivalence import types_agree
from alembic_roundtrip.comparison.unmade import drops_nothing
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.changes import (
    AddConstraint,
    AlterColumn,
    Change,
    Unknown,
    WriteRows,
)
from alembic_roundtrip.migration.model import Body, Direction, Operation
from alembic_roundtrip.prose import documentation, explains, says_loss
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import written_downgrade
from alembic_roundtrip.severity import Severity
from alembic_roundtrip.text import Range, Source

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """A downgrade without effect under an upgrade with operations."""
    downgrade = context.migration.downgrade
    if downgrade is None or downgrade.kind is not Body.NOTHING or context.upgrade_only:
        return
    undone = [
        operation
        for operation in context.upgrade_operations
        if operation.changes and any(_does_something(operation, t) for t in context.round_trips)
    ]
    if not undone:
        return
    count = f"{len(undone)} operation" + "s" * (len(undone) > 1)
    yield Finding(
        downgrade.body,
        f"downgrade() does nothing, but upgrade() has {count} to undo",
        partial(_fixes, context, downgrade),
        severity=_severity(context, downgrade, undone),
    )


def _fixes(context: Context, downgrade: Direction) -> tuple[Fix, ...]:
    """The whole downgrade; not without being asked for where somebody decided against one."""
    written = written_downgrade(context)
    if not _is_explained(context, downgrade):
        return written
    against = "although it says why it is empty"
    return tuple(replace(fix, safety="unsafe", description=against) for fix in written)


def _does_something(operation: Operation, trip: RoundTrip) -> bool:
    """Whether it runs there; `DROP … IF EXISTS` of what no revision made need not do anything."""
    if not operation.runs_on(trip.dialect) or drops_nothing(operation, trip.before):
        return False
    return not all(_changes_nothing(change, trip) for change in operation.changes)


def _changes_nothing(change: Change, trip: RoundTrip) -> bool:
    """Whether a column gets the type that it has, or a table the constraint.

    SQLite keeps an `Enum` as text, for one.
    """
    if isinstance(change, AddConstraint) and trip.before.knows(change.table):
        return trip.before.tables[change.table] == trip.up.schema.table(change.table)
    if not isinstance(change, AlterColumn) or not trip.before.knows(change.table):
        return False
    given = {key: value for key, value in change.options if not key.startswith("existing_")}
    column = trip.before.tables[change.table].column(change.column)
    after = given.pop("type_", None)
    if after is None or column is None or column.type is None or given:
        return False
    return types_agree(column.type, after, trip.dialect)


def _severity(context: Context, downgrade: Direction, undone: list[Operation]) -> Severity | None:
    """Explained emptiness is a decision; rows that stay changed do not stop the next upgrade."""
    if _is_explained(context, downgrade):
        return "information"
    schema = any(
        not isinstance(change, WriteRows | Unknown) for o in undone for change in o.changes
    )
    return None if schema else "warning"


def _is_explained(context: Context, downgrade: Direction) -> bool:
    docstring = downgrade.docstring.text if downgrade.docstring else ""
    if explains(_written(context.migration.source, downgrade)) or explains(docstring):
        return True
    # What is said of lost values anywhere speaks of an upgrade that does nothing but write them.
    return _only_rows(context) and says_loss(documentation(context.migration))


def _written(source: Source, downgrade: Direction) -> str:
    """The downgrade with the comments behind its last statement, which Python does not count to it."""
    last = downgrade.range.end.line
    while last < source.line_count and _is_indented_comment(source.line(last + 1)):
        last += 1
    return source.slice(Range(downgrade.range.start, source.line_range(last).end))


def _is_indented_comment(line: str) -> bool:
    return line[:1].isspace() and line.lstrip().startswith("#")


def _only_rows(context: Context) -> bool:
    """Whether the upgrade only writes rows, as far as it can be read."""
    return all(
        isinstance(change, WriteRows | Unknown)
        for operation in context.upgrade_operations
        for change in operation.changes
    )


rule.example(
    "A downgrade left as `pass`",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.create_index("ix_users_nick", "users", ["nick"])


    def downgrade():
        pass
        ^^^^ downgrade() does nothing, but upgrade() has 2 operations to undo
    """,
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.create_index("ix_users_nick", "users", ["nick"])


    def downgrade():
        op.drop_index("ix_users_nick", table_name="users")
        op.drop_column("users", "nick")
    """,
)
rule.example(
    "Only logging",
    """
    def upgrade():
        op.drop_table("sessions")


    def downgrade():
        print("rolled back 😋")
        ^^^^^^^^^^^^^^^^^^^^^^ downgrade() does nothing, but upgrade() has 1 operation to undo
    """,
)
rule.example(
    "An empty placeholder on both sides",
    """
    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "An upgrade for a database that the project does not use",
    """
    def upgrade():
        if op.get_bind().dialect.name == "mysql":
            op.alter_column("users", "nick", type_=sa.Text())


    def downgrade():
        pass
    """,
    dialects=("sqlite",),
)
rule.example(
    "A body that lives in a helper",
    """
    def _drop():
        op.drop_column("users", "nick")


    def upgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))


    def downgrade():
        _drop()
    """,
)
rule.example(
    "The multi-database template",
    """
    def upgrade(engine_name):
        globals()["upgrade_%s" % engine_name]()


    def downgrade(engine_name):
        globals()["downgrade_%s" % engine_name]()


    def upgrade_main():
        op.add_column("users", sa.Column("nick", sa.String(30)))


    def downgrade_main():
        op.drop_column("users", "nick")
    """,
)
rule.example(
    "The multi-database template as it was once",
    """
    def upgrade(engine_name):
        eval("upgrade_%s" % engine_name)()


    def downgrade(engine_name):
        eval("downgrade_%s" % engine_name)()


    def upgrade_one():
        op.add_column("users", sa.Column("nick", sa.String(30)))


    def downgrade_one():
        pass
        ^^^^ downgrade_one() does nothing, but upgrade_one() has 1 operation to undo


    def upgrade_two():
        op.add_column("users", sa.Column("nick", sa.String(30)))


    def downgrade_two():
        op.drop_column("users", "nick")
    """,
    fixed="""
    def upgrade(engine_name):
        eval("upgrade_%s" % engine_name)()


    def downgrade(engine_name):
        eval("downgrade_%s" % engine_name)()


    def upgrade_one():
        op.add_column("users", sa.Column("nick", sa.String(30)))


    def downgrade_one():
        op.drop_column("users", "nick")


    def upgrade_two():
        op.add_column("users", sa.Column("nick", sa.String(30)))


    def downgrade_two():
        op.drop_column("users", "nick")
    """,
)
rule.example(
    "It says that it makes no sense",
    """
    def upgrade():
        op.create_index("ix_users_nick", "users", ["nick"])


    def downgrade():
        # There should be no need to remove the index when downgrading.
        pass
        ^^^^ downgrade() does nothing, but upgrade() has 1 operation to undo
    """,
)
rule.example(
    "What it makes is computed",
    """
    def _create(*args):
        op.create_table(*args)


    def upgrade():
        _create("users", sa.Column("id", sa.Integer()))


    def downgrade():
        pass
        ^^^^ downgrade() does nothing, but upgrade() has 1 operation to undo
    """,
)
rule.example(
    "Tidied away, if it was there",
    """
    def upgrade():
        op.execute("DROP TABLE IF EXISTS migrate_version")


    def downgrade():
        pass
    """,
)
_UNIQUE = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.Text()), sa.UniqueConstraint('nick', name='uq_nick'))\n"
)

rule.example(
    "Another text of the same length is the same in SQLite",
    """
    def upgrade():
        with op.batch_alter_table("tasks") as batch_op:
            batch_op.alter_column("state", type_=sa.Enum("new", "old", "raw", name="state"))


    def downgrade():
        pass
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('tasks', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('state', sa.Enum('new', 'old', name='state')))\n",
    ),
    dialects=("sqlite",),
)
rule.example(
    "A constraint that was there, which SQLite's new table has once",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_unique_constraint("uq_nick", ["nick"])


    def downgrade():
        pass
    """,
    history=(_UNIQUE,),
    dialects=("sqlite",),
)
rule.example(
    "A merge",
    """
    revision = "merged"
    down_revision = ("aaaa1111", "bbbb2222")


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=(
        'revision = "aaaa1111"\ndown_revision = None\ndef upgrade():\n    pass\n',
        'revision = "bbbb2222"\ndown_revision = None\ndef upgrade():\n    pass\n',
    ),
)
