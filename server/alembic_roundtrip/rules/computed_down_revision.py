"""`down_revision` is computed, so the history is only known when Alembic runs it.

## Why it matters
Nothing that looks at the history without running it, this tool and reviewers included, can say what a
rollback from here passes through.

## What to do
Write the identifier itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="information")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Identifiers that are no literals."""
    migration = context.migration
    for name, identifier in (
        ("revision", migration.revision),
        ("down_revision", migration.down_revision),
    ):
        # What takes reading of more than the identifiers, the history has the file's name for.
        unknown = identifier is migration.revision and migration.id not in context.history.by_id
        if identifier is not None and (unknown or not identifier.literal):
            yield Finding(identifier.range, f"`{name}` is computed: the history here is not known")


rule.example(
    "From another module",
    """
    import settings

    revision = "bbbb2222"
    down_revision = settings.PREVIOUS
                    ^^^^^^^^^^^^^^^^^ `down_revision` is computed: the history here is not known


    def upgrade():
        pass  # 😋


    def downgrade():
        pass
    """,
)
rule.example(
    "A constant of the file",
    """
    PREVIOUS = "revision0"
    revision = "bbbb2222"
    down_revision = PREVIOUS


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "An identifier of its own, put together",
    """
    YEAR = "2024"
    revision = YEAR + "0001"  # 😋
               ^^^^^^^^^^^^^ `revision` is computed: the history here is not known
    down_revision = "revision0"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    pass\n",),
)
