"""The revision identifier is typed by a pattern, not drawn at random.

## Why it matters
Whoever types `a1b2c3d4e5f6` types what many others typed: two branches or two copied migrations get
the same identifier, and Alembic refuses the history.

## What to do
Let `alembic revision` make the identifier, before anybody has run the migration.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="information")

_SHORTEST = 8
_STEPS = 0.75
"""How much of an identifier has to go up by one; at random that is one in a billion."""


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Identifiers in which letters and digits take turns and go up together."""
    identifier = context.migration.revision
    if identifier is None or not context.recent:
        return
    if _is_typed(context.migration.id):
        yield Finding(identifier.range, "this identifier follows a pattern; others type it too")


def _is_typed(text: str) -> bool:
    if len(text) < _SHORTEST or not text.isascii():
        return False
    one, other = text[::2], text[1::2]
    turns = (one.isalpha() and other.isdigit()) or (one.isdigit() and other.isalpha())
    steps = [*_steps(one), *_steps(other)]
    return turns and sum(steps) >= _STEPS * len(steps)


def _steps(text: str) -> list[bool]:
    """For each character after the first, whether it is the next one up, from f or 9 on again."""
    following = {"f": "a", "9": "0"}
    return [b in {chr(ord(a) + 1), following.get(a)} for a, b in pairwise(text)]


rule.example(
    "Letters and digits in turn",
    """
    revision = "a1b2c3d4e5f6"  # 😋
               ^^^^^^^^^^^^^^ this identifier follows a pattern; others type it too
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "Drawn at random",
    """
    revision = "4c41c0ca42db"
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "A number",
    """
    revision = "1234567890"
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
