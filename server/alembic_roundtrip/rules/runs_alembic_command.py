"""The migration runs an Alembic command, or writes Alembic's version table.

## Why it matters
Alembic is in the middle of a step: the inner command moves the same table, and afterwards the
database says a revision that it is not at.

## What to do
Let `down_revision` and `depends_on` say what comes before what; leave the version table to Alembic.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error")

_COMMANDS = frozenset({"upgrade", "downgrade", "stamp"})


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Commands of Alembic's API and rows of `alembic_version`."""
    for direction in (context.migration.upgrade, context.migration.downgrade):
        if direction is None:
            continue
        for use in direction.uses:
            owner, _, name = use.name.rpartition(".")
            if name in _COMMANDS and (
                owner == "alembic.command"
                or (owner == "command" and _imports_commands(context.migration))
            ):
                yield Finding(use.range, f"`{use.name}` inside a migration moves the version table")
        for operation in direction.operations:
            written = [each.table for each in operation.changes if isinstance(each, c.WriteRows)]
            if any(table is not None and table.name == "alembic_version" for table in written):
                yield Finding(operation.range, "Alembic itself writes `alembic_version`")


def _imports_commands(migration: Migration) -> bool:
    return any(
        (entry.module == "alembic" and "command" in entry.names)
        or entry.module == "alembic.command"
        for entry in migration.imported
    )


rule.example(
    "The version is written",
    """
    def upgrade():
        op.execute("DELETE FROM alembic_version -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Alembic itself writes `alembic_version`


    def downgrade():
        op.execute("SELECT 1")
    """,
)
rule.example(
    "A command",
    """
    def upgrade():
        from alembic import command

        command.stamp(None, "head")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^ `command.stamp` inside a migration moves the version table


    def downgrade():
        command.downgrade(None, "base")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `command.downgrade` inside a migration moves the version table
    """,
)
rule.example(
    "Another command",
    """
    from tools import command


    def upgrade():
        command.upgrade()


    def downgrade():
        op.execute("SELECT 1")
    """,
)
