"""Histories on disk whose last migration gets its downgrade written, and a way to run them."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from textwrap import dedent, indent

from alembic import command
from alembic.config import Config

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration import editing
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.scaffold import Scaffold, fix, scaffold
from alembic_roundtrip.text import apply_edits
from alembic_roundtrip.workspace import Workspace

HEADER = (
    '"""Change things.\n\nRevision ID: {revision}\nRevises: {down}\n\n"""\n\n'
    "import sqlalchemy as sa\nfrom alembic import op\n\n"
    'revision = "{revision}"\ndown_revision = {down!r}\n\n\n'
    "def upgrade():\n{upgrade}"
)
USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("email", sa.String(length=80), nullable=False),
    sa.Column("bio", sa.Text(), nullable=True),
    sa.Column("age", sa.Integer(), server_default="18", nullable=False),
    sa.Column("boss_id", sa.Integer(), nullable=True),
    sa.CheckConstraint("age > 0", name="ck_users_age"),
    sa.ForeignKeyConstraint(["boss_id"], ["users.id"], name="fk_boss", ondelete="SET NULL"),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    sa.UniqueConstraint("email", name="uq_users_email"),
)
op.create_index(op.f("ix_users_bio"), "users", ["bio"], unique=False)
op.create_index("ix_users_both", "users", ["bio", sa.text("age DESC")], unique=True)
"""
ORDERS = """
op.create_table(
    "orders",
    sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id", ondelete="CASCADE")),
    sa.Column("number", sa.Integer(), primary_key=True),
    sa.Column("line", sa.Integer(), primary_key=True),
    sa.Column("state", sa.Enum("new", "paid", name="state"), index=True),
    sa.Column("code", sa.String(3), unique=True),
)
"""
_CHECK = re.compile(r"(?:CONSTRAINT \w+ )?CHECK \((?:[^()]|\([^()]*\))*\)")
_NAMED = re.compile(r"CONSTRAINT \w+ [^\n]*?\(")
_ENV = """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""


class Project:
    """A folder with an Alembic environment of these upgrades, one revision each."""

    def __init__(
        self, folder: Path, *upgrades: str, dialects: tuple[str, ...] = ("sqlite",)
    ) -> None:
        self.folder = folder
        versions = folder / "migrations" / "versions"
        versions.mkdir(parents=True)
        (folder / "migrations" / "env.py").write_text(dedent(_ENV), encoding="utf-8")
        self.database = folder / "scratch.db"
        (folder / "alembic.ini").write_text(
            f"[alembic]\nscript_location = {folder / 'migrations'}\npath_separator = os\n"
            f"sqlalchemy.url = sqlite:///{self.database}\n",
            encoding="utf-8",
        )
        down: str | None = None
        for number, upgrade in enumerate(upgrades, 1):
            body = indent(dedent(upgrade).strip("\n"), "    ") + "\n"
            text = HEADER.format(revision=f"r{number}", down=down, upgrade=body)
            self.file = versions / f"r{number}_change_things.py"
            self.file.write_text(text, encoding="utf-8")
            down = f"r{number}"
        self.dialects = dialects

    @property
    def context(self) -> Context:
        workspace = Workspace([self.folder], {"dialects": list(self.dialects)})
        context = workspace.context(self.file)
        assert context is not None
        return context

    @property
    def scaffold(self) -> Scaffold:
        return scaffold(self.context)

    @property
    def body(self) -> str:
        return "\n".join(self.scaffold.statements)

    def write(self) -> str:
        """Apply the fix; a second time changes nothing."""
        context = self.context
        made = fix(context)
        assert made is not None
        text = apply_edits(context.migration.text, editing.edits(context.migration, made.rewrites))
        compile(text, str(self.file), "exec")
        assert editing.edits(read(text, self.file), made.rewrites) == ()
        self.file.write_text(text, encoding="utf-8")
        return text

    def round_trip(self) -> tuple[object, object]:
        """The catalogue before the last upgrade, and after it and its written downgrade."""
        self.write()
        config = Config(str(self.folder / "alembic.ini"))
        last = self.file.name.partition("_")[0]
        parent = f"r{int(last[1:]) - 1}" if last != "r1" else "base"
        command.upgrade(config, parent) if parent != "base" else command.current(config)
        before = catalogue(self.database)
        command.upgrade(config, "head")
        assert catalogue(self.database) != before
        command.downgrade(config, parent)
        after = catalogue(self.database)
        command.upgrade(config, "head")
        return before, after


def catalogue(database: Path) -> dict[str, object]:
    """Tables with their columns, keys and indexes as SQLite has them; names of its own left out."""
    connection = sqlite3.connect(database)
    try:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
                "AND name NOT LIKE 'sqlite_%' AND name <> 'alembic_version' ORDER BY 1"
            )
        ]
        return {name: _table(connection, name) for name in names}
    finally:
        connection.close()


def _table(connection: sqlite3.Connection, name: str) -> dict[str, object]:
    def rows(pragma: str, argument: str = name) -> list[tuple[object, ...]]:
        return connection.execute(f'PRAGMA {pragma}("{argument}")').fetchall()

    sql = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')", [name]
    ).fetchone()[0]
    sql = sql.replace('"', "")  # SQLite quotes what it renames
    checks = sorted(_CHECK.findall(sql))
    named = sorted(_NAMED.findall(sql))
    return {
        "columns": sorted(row[1:] for row in rows("table_info")),
        "keys": sorted(row[2:] for row in rows("foreign_key_list")),
        "checks": checks,
        "named": named,
        "indexes": sorted(
            (
                "" if str(row[1]).startswith("sqlite_") else row[1],
                row[2],
                row[4],
                tuple(column[2] for column in rows("index_info", str(row[1]))),
            )
            for row in rows("index_list")
        ),
    }


def body(tmp_path: Path, *upgrades: str, dialects: tuple[str, ...] = ("postgresql",)) -> str:
    project = Project(tmp_path, *upgrades, dialects=dialects)
    project.write()
    return project.body
