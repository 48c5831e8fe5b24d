"""Alembic refuses to load the history because of this migration.

## Why it matters
Alembic loads every migration before it runs one: a file without `revision`, a circle of
`down_revision`, or a branch label or identifier that cannot be, stops each upgrade and downgrade.

## What to do
Give the file its identifiers, or move what is no migration out of the version locations; let one
revision of a circle follow another one, and give each branch a label of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.history import Problem
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="error")

_PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "unidentified-migration": (),
        "revision-cycle": ("down_revision",),
        "dependency-cycle": ("depends_on", "down_revision"),
        "duplicate-label": ("branch_labels",),
        "illegal-revision": ("revision",),
    }
)
"""Which identifiers each kind of problem is about; the other kinds have rules of their own."""


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """What of the history's problems this file takes part in."""
    migration = context.migration
    for problem in context.history.problems:
        if problem.kind in _PLACES and _concerns(problem, migration):
            yield Finding(_place(problem, migration), problem.message)


def _concerns(problem: Problem, migration: Migration) -> bool:
    if problem.kind.endswith("-cycle"):
        return migration.id in problem.others
    # What is being typed has no `revision` yet: the reader reports it.
    return problem.path == migration.path and not migration.problems


def _place(problem: Problem, migration: Migration) -> Range:
    named = (getattr(migration, name) for name in _PLACES[problem.kind])
    top = Range(Position(1, 1), Position(1, 1))
    return next((identifier.range for identifier in named if identifier is not None), top)


rule.example(
    "Two revisions that follow each other",
    """
    revision = "bbbb2222"  # 😋
    down_revision = "aaaa1111"
                    ^^^^^^^^^^ revisions follow one another in a circle: aaaa1111 → bbbb2222 → aaaa1111


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=('revision = "aaaa1111"\ndown_revision = "bbbb2222"\ndef upgrade():\n    pass\n',),
)
rule.example(
    "A branch label that another branch has",
    """
    revision = "bbbb2222"
    down_revision = None
    branch_labels = ("main",)
                    ^^^^^^^^^ branch label main of revision bbbb2222 is taken by revision aaaa1111


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=(
        'revision = "aaaa1111"\ndown_revision = None\nbranch_labels = ("main",)\n'
        "def upgrade():\n    pass\n",
    ),
)
rule.example(
    "A word that Alembic has for other revisions",
    """
    revision = "head"
               ^^^^^^ revision identifier `head` is Alembic's own word for others
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "A line of revisions",
    """
    revision = "bbbb2222"
    down_revision = "aaaa1111"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=('revision = "aaaa1111"\ndown_revision = None\ndef upgrade():\n    pass\n',),
)
