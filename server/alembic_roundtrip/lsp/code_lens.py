"""The lens over `downgrade()`: what the last rehearsal measured; it runs the next one."""

from __future__ import annotations

from lsprotocol import types

from alembic_roundtrip.lsp import wording
from alembic_roundtrip.lsp.session import Session, path_of
from alembic_roundtrip.migration.model import Migration

TEST_REVISION = "alembicRoundtrip.testRevision"


def listed(session: Session, uri: str) -> list[types.CodeLens]:
    """The lens of a migration; over `upgrade()` where there is no `downgrade()` to stand on."""
    path = path_of(uri)
    migration = session.migration(path)
    if path is None or migration is None or not migration.id:
        return []
    direction = migration.downgrade or migration.upgrade
    if direction is None:
        return []
    return [
        types.CodeLens(
            range=session.converter(path).lsp_range(direction.header),
            command=types.Command(
                title=wording.lens(evidence(session, migration)),
                command=TEST_REVISION,
                arguments=[{"uri": uri, "revision": migration.id}],
            ),
        )
    ]


def evidence(session: Session, migration: Migration) -> wording.Measured:
    """What was last measured of a migration, and whether that still holds."""
    found: wording.Measured = session.guarded(
        f"looking up evidence on {migration.id}",
        lambda: session.workspace.evidence(migration),
        None,
    )
    return found
