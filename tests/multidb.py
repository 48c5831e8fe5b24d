"""Projects of several databases: Alembic's template `multidb`, and Flask-Migrate's `--multidb`."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

INI = (
    "[alembic]\nscript_location = migrations\ndatabases = engine1, engine2\n\n"
    "[engine1]\nsqlalchemy.url = postgresql://localhost/one\n\n"
    "[engine2]\nsqlalchemy.url = sqlite:///two.db\n"
)
_IDENTIFIERS = (
    "import sqlalchemy as sa\nfrom alembic import op\n"
    "from sqlalchemy.dialects import postgresql\n\n"
    "revision = {revision!r}\ndown_revision = {down!r}\n"
)
DISPATCH = (
    'def upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()\n\n\n'
    'def downgrade(engine_name):\n    globals()["downgrade_%s" % engine_name]()\n'
)


def script(revision: str, down: str | None, functions: dict[str, str], head: str = DISPATCH) -> str:
    """A migration with these functions, by their names, beside those in its head."""
    written = [f"def {name}():\n{indent(body, '    ')}\n" for name, body in functions.items()]
    return "\n\n".join([_IDENTIFIERS.format(revision=revision, down=down), head, *written])


def write(folder: Path, scripts: dict[str, str], ini: str = INI) -> Path:
    """Write migrations by their revisions; gives the folder that they are in."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "migrations" / "env.py").write_text("from alembic import context\n", "utf-8")
    (folder / "alembic.ini").write_text(ini, "utf-8")
    for name, text in scripts.items():
        (versions / f"{name}.py").write_text(text, "utf-8")
    return versions
