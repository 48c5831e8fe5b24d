"""The upgrade makes something only where it is missing, and the downgrade drops it in any case.

## Why it matters
Where it was there before, the upgrade did nothing and the downgrade destroys what is older.

## What to do
Ask the same question in both directions, or leave the drop out and say why.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.guards import one_sided
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Related
from alembic_roundtrip.migration.model import GuardKind
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Unconditional drops of what is made under a question about what is there."""
    for key, made, dropped in one_sided(context, GuardKind.EXISTENCE):
        related = Related(context.migration.path, made.range, "made only where it is missing")
        yield Finding(
            dropped.range,
            f"drops the {key.kind} `{key}` even where upgrade() did not make it",
            related=(related,),
            severity=None if context.recent else "hint",
        )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "The drop asks nothing",
    """
    def upgrade():
        if not sa.inspect(op.get_bind()).has_table("😋"):
            op.create_table("😋", sa.Column("id", sa.Integer()))


    def downgrade():
        op.drop_table("😋")
        ^^^^^^^^^^^^^^^^^^ drops the table `😋` even where upgrade() did not make it
    """,
    history=(_USERS,),
)
rule.example(
    "Both ask",
    """
    def upgrade():
        if not sa.inspect(op.get_bind()).has_table("tags"):
            op.create_table("tags", sa.Column("id", sa.Integer()))


    def downgrade():
        if sa.inspect(op.get_bind()).has_table("tags"):
            op.drop_table("tags")
    """,
    history=(_USERS,),
)
