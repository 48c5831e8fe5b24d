"""From a merge revision `alembic downgrade -1` cannot work: it does not know which way is down.

## Why it matters
"Ambiguous walk" is the last thing to read in an outage.

## What to do
Name the parent to go back to: `alembic downgrade REVISION`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="hint")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Merge revisions at the end of the history, where somebody would start."""
    parents = context.migration.down_revision
    if parents is None or len(parents.values) < 2 or not context.recent:  # noqa: PLR2004 - a merge
        return
    commands = " or ".join(f"`alembic downgrade {parent}`" for parent in parents.values)
    yield Finding(parents.range, f"`downgrade -1` is ambiguous here; use {commands}")


rule.example(
    "A merge",
    """
    revision = "merged"
    down_revision = ("left", "right")  # 😋
                    ^^^^^^^^^^^^^^^^^ `downgrade -1` is ambiguous here; use `alembic downgrade left` or `alembic downgrade right`


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=(
        'revision = "base0"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n',
        'revision = "left"\ndown_revision = "base0"\n\n\ndef upgrade():\n    pass\n',
        'revision = "right"\ndown_revision = "base0"\n\n\ndef upgrade():\n    pass\n',
    ),
)
rule.example(
    "One parent",
    """
    revision = "next"
    down_revision = "left"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=('revision = "left"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n',),
)
