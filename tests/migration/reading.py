"""Migrations and their changes, read from the body of an upgrade."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.source import read

HEADER = "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'a'\ndown_revision = None\n"


def migration(body: str, header: str = HEADER) -> Migration:
    return read(header + body, Path("versions/a.py"))


def upgrade(body: str) -> tuple[Operation, ...]:
    found = migration("def upgrade():\n" + indent(dedent(body).strip("\n"), "    "))
    assert found.upgrade is not None
    return found.upgrade.operations


def changes(body: str) -> list[c.Change]:
    return [change for operation in upgrade(body) for change in operation.changes]


def dropped(body: str) -> list[str]:
    return [str(change.table) for change in changes(body) if isinstance(change, c.DropTable)]
