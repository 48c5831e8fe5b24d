from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import find_environments
from alembic_roundtrip.workspace import Workspace

MIGRATION = "revision = 'aaaa'\ndown_revision = None\n"


def dialects(folder: Path, files: dict[str, str], **settings: object) -> tuple[str, ...]:
    files = {"alembic.ini": "[alembic]\nscript_location = mig\n", "mig/env.py": ""} | files
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (environment,) = find_environments(folder, Settings(**settings))
    return environment.dialects


def script(*lines: str) -> dict[str, str]:
    return {"mig/versions/a.py": "\n".join([MIGRATION, *lines])}


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
        # Options that say something to other databases only.
        (
            url("postgresql://h/d")
            | script("TABLE = {'mysql_engine': 1}", "x(mysql_engine='InnoDB')"),
            ("postgresql",),
        ),
        (
            {"requirements.txt": "psycopg2\n"} | script("x(postgresql_where=1, sqlite_where=1)"),
            ("postgresql",),
        ),
        # Batch mode alone says SQLite, but not beside what SQLite cannot do.
        (script('with op.batch_alter_table("t"):\n    pass'), ("sqlite",)),
        (script('with op.batch_alter_table("t"):\n    pass', 'op.drop_constraint("c", "t")'), ()),
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
        ({"Pipfile": '[dev-packages.asyncpg]\nversion = "*"\n'}, ("postgresql",)),
        ({"requirements/base.in": "-r x.in\npg8000\n"}, ("postgresql",)),
        ({"pyproject.toml": '[tool.uv]\ndev-dependencies = ["pymssql"]\n'}, ("mssql",)),
        (
            {
                "pyproject.toml": "[project]\n"
                'dependencies = ["SQLAlchemy [asyncio, mysql_connector]"]'
            },
            ("mysql",),
        ),
        (
            {
                "pyproject.toml": "[tool.poetry.dependencies.sqlalchemy]\n"
                'extras = ["postgresql-asyncpg"]\nversion = "^2"\n'
            },
            ("postgresql",),
        ),
        ({"poetry.lock": '[[package]]\nname = "psycopg"\nversion = "3"\n'}, ("postgresql",)),
        ({"Pipfile.lock": '{"default": {"pymysql": {}}}'}, ("mysql",)),
        (
            {"requirements.txt": "pymysql\n", "uv.lock": '[[package]]\nname = "psycopg"\n'},
            ("mysql",),
        ),
        ({"requirements-dev.txt": "# pyodbc\nflask\nmariadb==1\n"}, ("mariadb",)),
        ({"requirements/base.txt": "pyodbc ; python_version > '3'\n"}, ("mssql",)),
        ({"setup.py": "setup(install_requires=['psycopg2>=2.9'])\n"}, ("postgresql",)),
        ({"setup.cfg": "[options]\ninstall_requires =\n    asyncpg\n"}, ("postgresql",)),
        (
            url("sqlite:///x.db") | {"requirements.txt": "psycopg2\n"},
            ("sqlite", "postgresql"),
        ),
        (url("protocol://h/d"), ()),
        (
            {"mig/env.py": 'url = f"postgresql+asyncpg://{user}:{password}@{host}"\n'},
            ("postgresql",),
        ),
        ({"mig/env.py": '# url = "oracle://x"\n'}, ()),
        ({"mig/env.py": 'url = URL.create(\n    drivername="mysql+pymysql")\n'}, ("mysql",)),
        (script('op.execute("postgresql://")'), ()),
        (script('op.create_table("t", mysql_engine="InnoDB")'), ("mysql",)),
        (script('if bind.dialect.name == "mssql":\n  pass'), ("mssql", "sqlite")),
        (script('if "postgres" in url:\n  pass'), ("postgresql", "sqlite")),
        (script('if url.startswith("mysql+pymysql"):\n  pass'), ("mysql", "sqlite")),
        (script('T = sa.JSON().with_variant(JSONB(), "postgresql")'), ("postgresql", "sqlite")),
        (script('# if bind.dialect.name == "mssql":'), ()),
        (script('op.add_column("t", sa.Column("dialect", sa.Text(), server_default="mysql"))'), ()),
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


MANY = {"requirements.txt": "psycopg2\npymysql\ncx_Oracle\naiosqlite\n"}
IMPORTING = "from sqlalchemy.dialects import postgresql"
GUARDED = 'if op.get_context().dialect.name == "postgresql":\n    pass'
BATCH = 'with op.batch_alter_table("t"):\n    pass'


@pytest.mark.parametrize(
    ("lines", "requirements", "expected"),
    [
        ((), MANY, ("postgresql", "mysql", "oracle")),
        ((IMPORTING,), MANY, ("postgresql",)),
        ((IMPORTING, BATCH), MANY, ("postgresql",)),
        ((GUARDED,), {"requirements.txt": "psycopg2\npymysql\n"}, ("postgresql", "mysql")),
        ((GUARDED, 'if engine.name == "mysql": pass'), MANY, ("postgresql", "mysql")),
        ((GUARDED, BATCH), {"requirements.txt": "psycopg2\n"}, ("postgresql", "sqlite")),
        ((BATCH,), {"requirements.txt": "psycopg2\n"}, ("postgresql", "sqlite")),
        ((BATCH,), {}, ("sqlite",)),
        (
            ('if bind.engine.name == "sqlite": pass',),
            {"requirements.txt": "asyncpg\n"},
            ("postgresql", "sqlite"),
        ),
    ],
)
def test_drivers_count_where_migrations_leave_open_what_they_are_for(
    tmp_path: Path, lines: tuple[str, ...], requirements: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert dialects(tmp_path, script(*lines) | requirements) == expected


def test_the_nearest_folder_that_asks_for_a_driver_decides(tmp_path: Path) -> None:
    files = {
        "back/alembic.ini": "[alembic]\nscript_location = mig\n",
        "back/mig/env.py": "",
        "back/requirements.txt": "asyncpg\n",
        "requirements.txt": "pymysql\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (environment,) = find_environments(tmp_path, Settings())
    assert environment.dialects == ("postgresql",)


@pytest.mark.parametrize(
    ("files", "sources"),
    [
        (url("sqlite:///x.db"), ("`sqlalchemy.url`",)),
        (script(GUARDED, BATCH), ("a.py", "batch mode in a.py")),
        (script(GUARDED), ("a.py", "the condition on the dialect in a.py")),
        (
            {"requirements.txt": "psycopg2-binary==2.9\n"},
            ("`psycopg2-binary` in requirements.txt",),
        ),
        ({"mig/env.py": 'connect("postgresql://")\n'}, ("env.py",)),
    ],
)
def test_it_is_known_what_a_dialect_was_inferred_from(
    tmp_path: Path, files: dict[str, str], sources: tuple[str, ...]
) -> None:
    files = {"alembic.ini": "[alembic]\nscript_location = mig\n", "mig/env.py": ""} | files
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (environment,) = find_environments(tmp_path, Settings())
    assert environment.dialect_sources == sources


def test_a_folder_of_a_repository_is_told_the_same_as_its_top(tmp_path: Path) -> None:
    files = {
        "top/.git": "",
        "top/requirements.txt": "asyncpg\n",
        "top/back/alembic.ini": "[alembic]\nscript_location = mig\n",
        "top/back/mig/env.py": "",
        "requirements.txt": "pymysql\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for folder in ("top", "top/back"):
        (environment,) = find_environments(tmp_path / folder, Settings())
        assert environment.dialects == ("postgresql",)


def test_a_project_below_names_its_own_dialects(tmp_path: Path) -> None:
    files = {
        "alembic.ini": "[alembic]\nscript_location = mig\nsqlalchemy.url = sqlite://\n",
        "mig/env.py": "",
        "back/alembic.ini": "[alembic]\nscript_location = mig\nsqlalchemy.url = sqlite://\n",
        "back/mig/env.py": "",
        "back/pyproject.toml": '[tool.alembic-roundtrip]\ndialects = ["mysql"]\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    top, below = Workspace([tmp_path]).environments
    assert (top.dialects, below.dialects) == (("sqlite",), ("mysql",))
    assert below.dialect_sources == ("the setting `dialects`",)


SECTIONS = """
[alembic]
script_location = mig
databases = one, two,three
[one]
sqlalchemy.url = postgresql+psycopg://h/d
[two]
sqlalchemy.url = sqlite:///two.db
[three]
sqlalchemy.url = driver://h/d
"""


@pytest.mark.parametrize(
    ("files", "setting", "expected"),
    [
        ({}, [], [("postgresql",), ("sqlite",), ("postgresql", "sqlite")]),
        (
            script("x if bind.dialect.name == 'mysql' else y"),
            [],
            [("postgresql", "mysql"), ("sqlite", "mysql"), ("postgresql", "mysql", "sqlite")],
        ),
        ({}, ["sqlite", "mariadb"], [("sqlite", "mariadb"), ("sqlite",), ("sqlite", "mariadb")]),
    ],
)
def test_each_of_several_databases_has_the_dialect_of_its_own_section(
    tmp_path: Path,
    files: dict[str, str],
    setting: list[str],
    expected: list[tuple[str, ...]],
) -> None:
    dialects(tmp_path, {"alembic.ini": SECTIONS, **files})
    (environment,) = Workspace([tmp_path], {"dialects": setting}).environments
    found = dict(environment.engines)
    assert list(found) == ["one", "two", "three"]
    assert [tuple(sorted(each)) for each in found.values()] == [
        tuple(sorted(each)) for each in expected
    ]
