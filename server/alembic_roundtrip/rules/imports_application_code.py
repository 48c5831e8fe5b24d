"""The migration imports the application's models or settings: it changes when they do.

## Why it matters
A migration describes the past, a model the present. When a column is renamed in the model a year
later, old upgrades and downgrades stop working, or do something else.

## What to do
Define the few columns that the migration needs in the migration itself, with `sa.table` and
`sa.column`. Column types of the application's own are fine.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Related
from alembic_roundtrip.migration.model import Import
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning")

_CHANGING = frozenset("models model settings config conf database db orm entities".split())
_LEVELS = 5
_SHOWN = 3


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Imports of modules that are called like models or settings, from the project's own code."""
    path = context.migration.path
    found = [
        entry
        for entry in context.migration.imported
        if _changes(entry.module, entry.names) and _is_own(path.parent, entry)
    ]
    if found:
        first, *others = found
        names = [f"`{name}`" for name in dict.fromkeys(entry.module for entry in found)]
        yield Finding(
            first.range,
            f"{_listed(names)} may change after this migration is written",
            related=tuple(Related(path, each.range, f"`{each.module}`") for each in others),
            severity=None if context.recent else "hint",
        )


def _listed(names: list[str]) -> str:
    """The first names of several."""
    shown, more = names[:_SHOWN], len(names) - _SHOWN
    if more > 0:
        shown = [*shown, f"{more} more module{'s' * (more > 1)}"]
    *before, last = shown
    return f"{', '.join(before)} and {last}" if before else last


@lru_cache(maxsize=1024)  # a history has the same few imports again and again
def _changes(module: str, names: tuple[str, ...]) -> bool:
    parts = module.strip(".").split(".")
    return not _CHANGING.isdisjoint((*parts, *names)) and "types" not in parts


def _is_own(folder: Path, entry: Import) -> bool:
    return entry.module.startswith(".") or _beside(folder, entry.module.partition(".")[0])


@lru_cache(maxsize=1024)
def _beside(folder: Path, root: str) -> bool:
    """Whether a package or module of that name lies in a folder above the migration, or is one."""
    for above in [folder, *folder.parents][:_LEVELS]:
        if above.name == root or (above / root).is_dir() or (above / f"{root}.py").is_file():
            return True
    return False


rule.example(
    "Settings beside the versions",
    """
    from versions.settings import x  # 😋
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `versions.settings` may change after this migration is written


    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Where it is needed, in a function",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))
        _fill()


    def _fill():
        if True:
            from versions.models import User  # 😋
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `versions.models` may change after this migration is written
        from datetime import timezone


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Several modules are one finding",
    """
    from versions.settings import x
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `versions.settings` and `versions.models` may change after this migration is written
    from versions.models import User
    from versions.models import Team


    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Custom types",
    """
    from versions.types import GUID


    def upgrade():
        op.add_column("users", sa.Column("nick", GUID()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "A library",
    """
    from sqlalchemy_utils.models import Timestamp


    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Types of other packages",
    """
    import sqlmodel
    from sqlalchemy_utils import UUIDType
    from sqlmodel.sql.sqltypes import AutoString


    def upgrade():
        op.add_column("users", sa.Column("nick", AutoString()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
