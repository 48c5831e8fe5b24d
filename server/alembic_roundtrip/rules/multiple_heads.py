"""The history has more than one head.

## Why it matters
`alembic upgrade head` refuses to run, and so does every deployment that uses it. Two branches that
were merged in git at the same time are the usual reason.

## What to do
`alembic merge heads` writes the revision that joins them. Branches that are meant to stay apart
have labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix, NewFile, Related
from alembic_roundtrip.history import History
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """A head beside which there is another one, not both with labels."""
    history, migration = context.history, context.migration
    if migration.revision is None or migration.id not in history.heads:
        return
    heads = _heads(history)
    if migration.id not in heads:
        return
    others = [head for head in heads if head != migration.id]
    if not others or all(history.labels(head) for head in heads):
        return
    top = Range(Position(1, 1), Position(1, 1))
    paths = [(head, history.by_id[head].path) for head in others]
    names = ", ".join(f"`{head}`" for head in others)
    yield Finding(
        migration.revision.range,
        f"the history has {len(others) + 1} heads: this one and {names}",
        partial(_fixes, context),
        related=tuple(Related(path, top, f"head `{head}`") for head, path in paths if path),
    )


def _heads(history: History) -> tuple[str, ...]:
    """The heads that no revision can follow which is missing here.

    Such a one may lie between any head and the revision that names it, but not above one that
    follows that revision.
    """
    heads = dict.fromkeys(history.heads)
    for problem in history.problems:
        if problem.kind == "unknown-down-revision" and problem.revision is not None:
            names_it = problem.revision.id
            after = {names_it, *history.descendants(names_it, dependencies=False)}
            heads = {head: None for head in heads if head in after}
    return tuple(heads)


def _fixes(context: Context) -> tuple[Fix, ...]:
    """A revision that follows all heads."""
    heads = sorted(_heads(context.history))
    new = hashlib.blake2b("\n".join(heads).encode(), digest_size=6).hexdigest()
    if new in context.history:
        return ()
    annotated = "def upgrade() -> None" in context.migration.text
    text = _MERGE.format(
        revision=new,
        named=", ".join(heads),
        heads=", ".join(f'"{head}"' for head in heads),
        returns=" -> None" if annotated else "",
    )
    file = NewFile(context.migration.path.with_name(f"{new}_merge_heads.py"), text)
    title = f"Write a revision that merges the {len(heads)} heads"
    return (Fix(title, (), "unsafe", creates=(file,)),)


_MERGE = '''"""Merge heads.

Revision ID: {revision}
Revises: {named}

"""

revision = "{revision}"
down_revision = ({heads})
branch_labels = None
depends_on = None


def upgrade(){returns}:
    pass


def downgrade(){returns}:
    pass
'''

rule.example(
    "Two migrations after the same one",
    """
    revision = "bbbb2222"  # 😋
               ^^^^^^^^^^ the history has 2 heads: this one and `revision0`
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    pass\n",),
    created='''
    """Merge heads.

    Revision ID: 3cde825ca404
    Revises: bbbb2222, revision0

    """

    revision = "3cde825ca404"
    down_revision = ("bbbb2222", "revision0")
    branch_labels = None
    depends_on = None


    def upgrade():
        pass


    def downgrade():
        pass
    ''',
)
rule.example(
    "A revision is missing between the two",
    """
    revision = "cccc3333"
    down_revision = "bbbb2222"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    pass\n",),
)
rule.example(
    "A revision is missing below both",
    """
    revision = "cccc3333"
               ^^^^^^^^^^ the history has 2 heads: this one and `bbbb2222`
    down_revision = "aaaa1111"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=(
        'revision = "aaaa1111"\ndown_revision = "squashed"\ndef upgrade():\n    pass\n',
        'revision = "bbbb2222"\ndown_revision = "aaaa1111"\ndef upgrade():\n    pass\n',
    ),
)
rule.example(
    "A revision is missing that may follow one of the two",
    """
    revision = "cccc3333"
    down_revision = "aaaa1111"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=(
        'revision = "aaaa1111"\ndown_revision = None\ndef upgrade():\n    pass\n',
        'revision = "bbbb2222"\ndown_revision = ("aaaa1111", "gone")\ndef upgrade():\n    pass\n',
    ),
)
rule.example(
    "Branches with labels",
    """
    revision = "bbbb2222"
    down_revision = None
    branch_labels = ("reports",)


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
    "One line of revisions",
    """
    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    pass\n", "def upgrade():\n    pass\n"),
)
rule.example(
    "Two bases that a merge joins",
    """
    revision = "merged"
    down_revision = ("aaaa1111", "bbbb2222")


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=(
        'revision = "aaaa1111"\ndown_revision = None\ndef upgrade():\n    pass\n',
        'revision = "bbbb2222"\ndown_revision = None\ndef upgrade():\n    pass\n',
    ),
)
