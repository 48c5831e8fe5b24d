"""What the migration does depends on the environment, the clock or chance.

## Why it matters
The downgrade is run elsewhere and later than the upgrade: it meets other values and is not its
inverse.

## What to do
Write the value down. What differs between installations comes in by `context.get_x_argument()`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.severity import Severity

rule = Rule(__name__, severity="warning")

_NAMES = frozenset({"os.getenv", "os.environ.get", "getenv", "environ.get"})
_CHANCE = frozenset({"random", "secrets"})


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Reads of environment variables (warning) and of chance (hint).

    The time and new identifiers are what rows are filled with, and are left alone.
    """
    for direction in (context.migration.upgrade, context.migration.downgrade):
        for use in direction.uses if direction is not None else ():
            if use.name in _NAMES:
                severity: Severity | None = None if context.recent else "hint"
                message = f"`{use.name}` may say something else when the other direction runs"
                yield Finding(use.range, message, severity=severity)
            elif use.name.partition(".")[0] in _CHANCE:
                yield Finding(
                    use.range, f"`{use.name}` gives another value each time", severity="hint"
                )


rule.example(
    "An environment variable",
    """
    import os


    def upgrade():
        op.add_column("users", sa.Column(os.getenv("😋"), sa.Text()))
                                         ^^^^^^^^^^^^^^ `os.getenv` may say something else when the other direction runs


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "An argument of the command line",
    """
    from alembic import context


    def upgrade():
        if "seed" in context.get_x_argument(as_dictionary=True):
            op.execute("UPDATE users SET id = 1")
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "The dialect",
    """
    def upgrade():
        kind = sa.JSON() if op.get_bind().dialect.name == "postgresql" else sa.Text()
        op.add_column("users", sa.Column("notes", kind))


    def downgrade():
        op.drop_column("users", "notes")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
