"""A migration that was deployed is gone.

## Why it matters
Databases that ran it are at, or have come through, a revision that no file describes: Alembic
refuses to work with them ("Can't locate revision"), and nobody can roll them back past it.

## What to do
Restore the file from git. Where many migrations are replaced by one on purpose, say so in the new
one: `# replaces: a1b2c3` covers that revision and all before it. A file that was moved or renamed
is not gone. Deployed is what HEAD shares with the default branch, or with the setting
`deployed-ref`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alembic_roundtrip.diagnostic import Finding, Fix, NewFile
from alembic_roundtrip.filecontext import FileContext
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Position, Range

if TYPE_CHECKING:
    from alembic_roundtrip.context import Context
    from alembic_roundtrip.deployed import Deletion

rule = Rule(__name__, severity="warning")

_FEW = 3
_TOP = Range(Position(1, 1), Position(1, 1))


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """What is missed at a migration that named it, or that it followed."""
    if context.deletions:
        migration = context.migration
        gone = {deletion.id for deletion in context.deletions}
        named = [
            identifier.range
            for identifier in (migration.down_revision, migration.depends_on)
            if identifier is not None and gone.intersection(identifier.values)
        ]
        own = [migration.revision.range] if migration.revision else []
        place = [*named, *own, _TOP][0]
        yield Finding(place, _message(context.deletions), (_restored(context.deletions),))


@rule.check_file
def check_file(context: FileContext) -> Iterator[Finding]:
    """What is missed by no migration, at the configuration of the environment."""
    if context.deletions:
        place = context.file.source.line_range(1)
        yield Finding(place, _message(context.deletions), (_restored(context.deletions),))


def _restored(gone: Sequence[Deletion]) -> Fix:
    one = len(gone) == 1
    title = f"Restore `{gone[0].path.name}`" if one else f"Restore the {len(gone)} migrations"
    files = tuple(NewFile(deletion.path, deletion.text) for deletion in gone)
    return Fix(title, (), "unsafe", creates=files)


def _message(gone: Sequence[Deletion]) -> str:
    names = ", ".join(f"`{deletion.id}`" for deletion in gone[:_FEW])
    ref = gone[0].ref
    if len(gone) == 1:
        return f"revision {names} is on `{ref}`, in `{gone[0].path.name}`, and gone here"
    more = f" and {len(gone) - _FEW} more" if len(gone) > _FEW else ""
    return f"{len(gone)} revisions are on `{ref}` and gone here: {names}{more}"


_FIRST = "def upgrade():\n    op.create_table('users', sa.Column('😋', sa.Integer()))\n"
_SECOND = "def upgrade():\n    op.drop_column('users', '😋')\n"

rule.example(
    "The newest migration was deleted",
    """
    revision = "under_test"  # 😋
               ^^^^^^^^^^^^ revision `deleted0` is on `main`, in `deleted0.py`, and gone here
    down_revision = None


    def upgrade():
        pass
    """,
    deployed='revision = "under_test"\ndown_revision = None\ndef upgrade():\n    pass\n',
    deleted=('revision = "deleted0"\ndown_revision = "under_test"\ndef upgrade():\n    pass\n',),
    created="""
    revision = "deleted0"
    down_revision = "under_test"
    def upgrade():
        pass
    """,
)
rule.example(
    "One was deleted that another follows",
    """
    revision = "under_test"
    down_revision = "deleted0"
                    ^^^^^^^^^^ revision `deleted0` is on `main`, in `deleted0.py`, and gone here


    def upgrade():
        pass
    """,
    deleted=(_FIRST,),
)
rule.example(
    "A migration that says what it replaces",
    """
    # replaces: deleted1
    revision = "under_test"
    down_revision = None


    def upgrade():
        op.create_table("users", sa.Column("id", sa.Integer()))
    """,
    deleted=(_FIRST, _SECOND),
)
rule.example(
    "A migration that was renamed",
    """
    revision = "deleted0"
    down_revision = None


    def upgrade():
        op.create_table("users", sa.Column("id", sa.Integer()))
    """,
    deleted=('revision = "deleted0"\ndown_revision = None\ndef upgrade():\n    pass\n',),
)
