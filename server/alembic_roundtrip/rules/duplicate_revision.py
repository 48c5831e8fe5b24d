"""Two files have the same revision identifier.

## Why it matters
Alembic keeps one of them and warns; which one decides what a database gets. Copied files and
identifiers typed by hand (`a1b2c3d4e5f6`) are the usual reasons.

## What to do
Give the newer file an identifier of its own, and correct what follows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix, Related
from alembic_roundtrip.migration.model import Identifier
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Other files with this file's identifier."""
    migration = context.migration
    if migration.revision is None or not migration.id:
        return
    others = [
        revision.path
        for revision in context.history.named(migration.id)
        if revision.path and revision.path != migration.path
    ]
    if others:
        top = Range(Position(1, 1), Position(1, 1))
        yield Finding(
            migration.revision.range,
            f"`{others[0].name}` has the revision `{migration.id}` too",
            partial(_fixes, context, migration.revision),
            related=tuple(Related(path, top, "the same revision") for path in others),
        )


def _fixes(context: Context, revision: Identifier) -> tuple[Fix, ...]:
    """Another identifier, made of the file's name and text: the same whenever it is asked for."""
    migration = context.migration
    said = f"{migration.path.name}\n{migration.text}".encode("utf-8", "surrogatepass")
    new = hashlib.blake2b(said, digest_size=6).hexdigest()
    text = migration.source.slice(revision.range)
    if not revision.literal or text.strip("'\"") != migration.id or new in context.history:
        return ()
    rewrite = Replace(revision.range, text.replace(migration.id, new))
    return (Fix("Give it an identifier of its own", (rewrite,), "unsafe"),)


rule.example(
    "A copied file",
    """
    revision = "revision0"  # 😋
               ^^^^^^^^^^^ `revision0.py` has the revision `revision0` too
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    fixed="""
    revision = "a470e781df6e"  # 😋
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    pass\n",),
)
rule.example(
    "An identifier of its own",
    """
    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    pass\n",),
)
rule.example(
    "A backup that is in no version location",
    """
    revision = "bbbb2222"  # 😋
    down_revision = None


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    beside={
        "migrations/old/bbbb2222_first.py": """
        revision = "bbbb2222"
        down_revision = None


        def upgrade():
            pass


        def downgrade():
            pass
        """
    },
)
