from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import find_environments

MIGRATION = "revision = 'aaaa'\ndown_revision = None\n"


def dialects(folder: Path, files: dict[str, str], **settings: object) -> tuple[str, ...]:
    files = {"alembic.ini": "[alembic]\nscript_location = mig\n", "mig/env.py": ""} | files
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (environment,) = find_environments(folder, Settings(**settings))
    return environment.dialects


def url(value: str) -> dict[str, str]:
    return {"alembic.ini": f"[alembic]\nscript_location = mig\nsqlalchemy.url = {value}\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ()),
        (url("driver://user:pass@localhost/dbname"), ()),
        (url("sqlite:///x.db"), ("sqlite",)),
        (url("postgresql+asyncpg://h/%(missing)s"), ("postgresql",)),
        (url("postgres://h/d"), ("postgresql",)),
        (url("%(DB)s"), ()),
        (
            {
                "alembic.ini": "[alembic]\nscript_location = mig\ndatabases = a, b\n"
                "[a]\nsqlalchemy.url = mysql+pymysql://x/y\n[b]\nsqlalchemy.url = oracle://x\n"
            },
            ("mysql", "oracle"),
        ),
        (
            {"mig/versions/a.py": "from sqlalchemy.dialects import mysql as my\n" + MIGRATION},
            ("mysql",),
        ),
        (
            {
                "mig/versions/a.py": "from sqlalchemy.dialects import (\n  mssql,\n  oracle,\n)\n"
                + MIGRATION
            },
            ("mssql", "oracle"),
        ),
        (
            {"mig/env.py": "from sqlalchemy.dialects import mssql as a, oracle # x\nimport y"},
            ("mssql", "oracle"),
        ),
        ({"mig/env.py": "from sqlalchemy.dialects.postgresql import JSONB\n"}, ("postgresql",)),
        ({"mig/env.py": "import sqlalchemy.dialects.sqlite\n"}, ("sqlite",)),
        ({"mig/env.py": "from sqlalchemy.dialects import registry\n"}, ()),
        ({"pyproject.toml": '[project]\ndependencies = ["psycopg[binary]>=3"]\n'}, ("postgresql",)),
        (
            {"pyproject.toml": '[project.optional-dependencies]\ndb = ["PyMySQL == 1"]\n'},
            ("mysql",),
        ),
        ({"pyproject.toml": '[dependency-groups]\ndev = ["aiosqlite"]\n'}, ("sqlite",)),
        (
            {"pyproject.toml": '[dependency-groups]\ndev = ["aiosqlite", "asyncpg"]\n'},
            ("postgresql",),
        ),
        (
            {"pyproject.toml": '[tool.poetry.group.db.dependencies]\npsycopg2-binary = "^2"\n'},
            ("postgresql",),
        ),
        ({"pyproject.toml": '[tool.poetry.dependencies]\ncx_Oracle = "^8"\n'}, ("oracle",)),
        ({"pyproject.toml": "[project"}, ()),
        ({"Pipfile": '[packages]\nmysqlclient = "*"\n'}, ("mysql",)),
        ({"requirements-dev.txt": "# pyodbc\nflask\nmariadb==1\n"}, ("mariadb",)),
        ({"requirements/base.txt": "pyodbc ; python_version > '3'\n"}, ("mssql",)),
        ({"setup.py": "setup(install_requires=['psycopg2>=2.9'])\n"}, ("postgresql",)),
        ({"setup.cfg": "[options]\ninstall_requires =\n    asyncpg\n"}, ("postgresql",)),
        (
            url("sqlite:///x.db") | {"requirements.txt": "psycopg2\n"},
            ("sqlite", "postgresql"),
        ),
    ],
)
def test_dialects_are_inferred_from_what_names_them(
    tmp_path: Path, files: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert dialects(tmp_path, files) == expected


def test_the_setting_wins(tmp_path: Path) -> None:
    assert dialects(tmp_path, url("sqlite:///x.db"), dialects=("mysql",)) == ("mysql",)


def test_dependencies_of_the_workspace_count_for_a_folder_below(tmp_path: Path) -> None:
    below = {"back/alembic.ini": "[alembic]\nscript_location = mig\n", "back/mig/env.py": ""}
    for name, text in (below | {"requirements.txt": "asyncpg\n"}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (environment,) = find_environments(tmp_path, Settings())
    assert environment.dialects == ("postgresql",)
