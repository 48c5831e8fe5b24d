"""A comment ignores a rule and does not say why.

## Why it matters
Whoever reads the migration before a rollback cannot tell a decision from a convenience.

## What to do
Write the reason behind the bracket: `# roundtrip: ignore[empty-downgrade] the table is a cache`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.filecontext import FileContext
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.suppression import Suppression, file_suppressions, suppressions

if TYPE_CHECKING:
    from alembic_roundtrip.context import Context

rule = Rule(__name__, severity="information", stage=2, of_ignores=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Ignore comments of a migration that end at their bracket."""
    yield from _unexplained(suppressions(context.migration))


@rule.check_file
def check_file(context: FileContext) -> Iterator[Finding]:
    """The same for a file that is no migration."""
    yield from _unexplained(file_suppressions(context.file))


def _unexplained(comments: Sequence[Suppression]) -> Iterator[Finding]:
    for comment in comments:
        if comment.rules and not comment.reason:
            yield Finding(comment.range, "the comment does not say why this is ignored")


rule.example(
    "Only the rule's name",
    """
    def upgrade():
        op.drop_table("😋")


    def downgrade():
        pass  # roundtrip: ignore[empty-downgrade]
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the comment does not say why this is ignored
    """,
)
rule.example(
    "With its reason",
    """
    def upgrade():
        op.drop_table("😋")


    def downgrade():
        pass  # roundtrip: ignore[empty-downgrade] the table was a cache
    """,
)
