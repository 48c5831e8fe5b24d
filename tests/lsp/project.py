"""A project whose migrations have a character of four bytes before every place under test."""

from __future__ import annotations

from pathlib import Path

from alembic_project import AlembicProject

LOSSY = '''"""Nicknames 😋"""
import sqlalchemy as sa
from alembic import op
revision = "{revision}"; down_revision = {down!r}


def upgrade():
    "😋"; op.drop_column("customers", "nick")


def downgrade():
    "😋"; op.add_column("customers", sa.Column("nick", sa.String(30)))
'''
EMPTY = '''"""Phones 😋"""
import sqlalchemy as sa
from alembic import op
revision = "{revision}"; down_revision = {down!r}


def upgrade():
    "😋"; op.add_column("customers", sa.Column("phone", sa.String(30)))


def downgrade():
    "😋"; pass
'''


class Project(AlembicProject):
    """An Alembic project on SQLite with one table, which further migrations change."""

    def __init__(self, folder: Path, **kinds: str) -> None:
        super().__init__(folder, **kinds)
        self.first = self.add(
            "aaaa",
            'op.create_table("customers", sa.Column("id", sa.Integer, primary_key=True), '
            'sa.Column("nick", sa.String(30)))',
            'op.drop_table("customers")',
        )

    def write(self, revision: str, template: str, down: str = "aaaa") -> Path:
        file = self.versions / f"{revision}_😋.py"
        file.write_bytes(template.format(revision=revision, down=down).encode())
        return file
