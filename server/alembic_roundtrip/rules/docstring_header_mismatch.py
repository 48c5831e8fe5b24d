"""The docstring's "Revision ID" or "Revises" says something else than the variables below it.

## Why it matters
People read the docstring, Alembic reads the variables: whoever rolls back by the docstring goes to
the wrong revision.

## What to do
Correct the docstring; the fix does. The variables are what counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.model import Identifier
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="warning")

_LINE = re.compile(r"[ \t]*(Revision ID|Revises)[ \t]*:[ \t]*(.*?)[ \t]*$", re.IGNORECASE)
_WORD = re.compile(r"[^\s,()'\"\[\]]+")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Header lines that name other revisions than the variables."""
    migration = context.migration
    if migration.docstring is None or migration.revision is None:
        return
    place = migration.docstring.range
    for number in range(place.start.line, place.end.line + 1):
        line = migration.source.line(number)
        match = _LINE.match(line) if ":" in line else None
        if match is None:
            continue
        own = match.group(1).lower() == "revision id"
        identifier = migration.revision if own else migration.down_revision
        if identifier is None or not identifier.literal:
            continue
        said = set(_WORD.findall(match.group(2))) - {"None", "<base>", "base", "-"}
        if said and not _agrees(said, identifier):
            start = Position(number, match.start(2) + 1)
            where = Range(start, Position(number, match.end(2) + 1))
            value = ", ".join(identifier.values)
            name = "revision" if own else "down_revision"
            yield Finding(
                where,
                f"`{name}` is {value or None}",
                (Fix(f"Write {value or None}", (Replace(where, value),)),),
                severity=None if context.recent else "hint",
            )


def _agrees(said: set[str], identifier: Identifier) -> bool:
    """Whether the words are the identifiers, or the beginnings of them."""
    values = identifier.values
    return len(said) == len(values) and all(
        any(value.startswith(word) for value in values) for word in said
    )


rule.example(
    "Copied from another migration",
    '''
    """😋

    Revision ID: bbbb2222
    Revises: aaaa1111
             ^^^^^^^^ `down_revision` is cccc3333
    """
    revision = "bbbb2222"
    down_revision = "cccc3333"


    def upgrade():
        pass


    def downgrade():
        pass
    ''',
    history=('revision = "cccc3333"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n',),
    fixed='''
    """😋

    Revision ID: bbbb2222
    Revises: cccc3333
    """
    revision = "bbbb2222"
    down_revision = "cccc3333"


    def upgrade():
        pass


    def downgrade():
        pass
    ''',
)
rule.example(
    "No header",
    '''
    """Add users."""
    revision = "bbbb2222"
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    ''',
)
rule.example(
    "The first revision",
    '''
    """Add users.

    Revision ID: bbbb2222
    Revises:
    """
    revision = "bbbb2222"
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    ''',
)
rule.example(
    "A merge",
    '''
    """Merge.

    Revision ID: merged
    Revises: left, right
    """
    revision = "merged"
    down_revision = ("right", "left")


    def upgrade():
        pass


    def downgrade():
        pass
    ''',
    history=(
        'revision = "base0"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n',
        'revision = "left"\ndown_revision = "base0"\n\n\ndef upgrade():\n    pass\n',
        'revision = "right"\ndown_revision = "base0"\n\n\ndef upgrade():\n    pass\n',
    ),
)
