"""The file does not parse, so nothing in it can be judged.

## Why it matters
Alembic loads every migration before it runs one: a single file that does not parse stops each
upgrade and downgrade.

## What to do
Mend the syntax. While a file is being typed, the statements that parse are still judged. The file
is parsed with the Python that Alembic Roundtrip runs on: syntax newer than that is reported here
too, so install it with a Python at least as new as the project's.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """What the reader could not take."""
    for problem in context.migration.problems:
        yield Finding(problem.range, problem.message)


rule.example(
    "A statement that is not finished",
    """
    def upgrade():
        op.drop_table("😋"
                     ^^^^ the file does not parse: '(' was never closed


    def downgrade():
        pass
    """,
)
rule.example(
    "A file that parses",
    """
    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
