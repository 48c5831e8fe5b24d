"""Writes real Alembic projects for tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

from alembic_roundtrip.project import Environment

INI = """
[alembic]
script_location = %(here)s/migrations
sqlalchemy.url = sqlite:///%(here)s/app.db

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""

ENV = """
from logging.config import fileConfig

from alembic import context
from sqlalchemy import engine_from_config, pool

fileConfig(context.config.config_file_name)
engine = engine_from_config(
    context.config.get_section(context.config.config_ini_section),
    prefix="sqlalchemy.",
    poolclass=pool.NullPool,
)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
"""


class AlembicProject:
    """A project in a folder: a configuration, an env.py, migrations added one by one."""

    def __init__(
        self, folder: Path, *, ini: str = INI, env: str = ENV, dialect: str = "sqlite"
    ) -> None:
        self.folder = folder
        self.dialect = dialect
        self.versions = folder / "migrations" / "versions"
        self.versions.mkdir(parents=True)
        (folder / "alembic.ini").write_text(ini, encoding="utf-8")
        (folder / "migrations" / "env.py").write_text(textwrap.dedent(env), encoding="utf-8")
        self._last: str | None = None

    @property
    def environment(self) -> Environment:
        return Environment(
            folder=self.folder,
            config=self.folder / "alembic.ini",
            section="alembic",
            script_location=self.folder / "migrations",
            version_locations=(self.versions,),
            dialects=(self.dialect,),
        )

    def add(
        self,
        revision: str,
        upgrade: str = "pass",
        downgrade: str | None = "pass",
        *,
        after: object = ...,
        head: str = "",
        **names: object,
    ) -> Path:
        """Add a migration behind the one added before, or behind `after`."""
        parent = self._last if after is ... else after
        lines = [
            f'"""{revision}"""',
            "import sqlalchemy as sa",
            "from alembic import op",
            f"revision = {revision!r}",
            f"down_revision = {parent!r}",
            *(f"{name} = {value!r}" for name, value in names.items()),
            textwrap.dedent(head),
            _function("upgrade", upgrade),
        ]
        if downgrade is not None:
            lines.append(_function("downgrade", downgrade))
        file = self.versions / f"{revision}_.py"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._last = revision
        return file

    def rewrite(self, revision: str, *directions: str, after: object) -> Path:
        """Give a revision other directions; what was added last stays that."""
        last = self._last
        file = self.add(revision, *directions, after=after)
        self._last = last
        return file


def _function(name: str, body: str) -> str:
    return f"\ndef {name}():\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")
