"""What of the user's environment an agent gets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import source_from_cache
from pathlib import Path

import pytest

from alembic_roundtrip.rehearsal.process import AGENT
from alembic_roundtrip.rehearsal.surroundings import for_agent


def given(value: str) -> str:
    return for_agent({"SETTING": value}, {})["SETTING"]


@pytest.mark.parametrize(
    ("value", "harmless"),
    [
        ("postgresql://me:hidden@db:5432/shop", "postgresql://scratch:scratch@localhost/shop"),
        ("POSTGRES://me:hidden@db", "POSTGRES://scratch:scratch@localhost/scratch"),
        (
            "postgresql+asyncpg://me:hidden@a,b:1/shop?ssl=1",
            "postgresql+asyncpg://scratch:scratch@localhost/shop",
        ),
        (" 'mysql://me:hidden@db/shop'", " 'mysql://scratch:scratch@localhost/shop'"),
        (
            '{"url": "mysql+pymysql://me:hidden@db/shop"}',
            '{"url": "mysql+pymysql://scratch:scratch@localhost/shop"}',
        ),
        ("jdbc:postgresql://me:hidden@db/x", "jdbc:postgresql://scratch:scratch@localhost/x"),
        ("postgresql://me:hidden@[db/x", "postgresql://scratch:scratch@localhost/scratch"),
        ("host=db user=me password=hidden dbname=x", "host=db user=me password=scratch dbname=x"),
        ("password = 'hid den' host=db", "password = scratch host=db"),
        ("DRIVER={x};UID=me;PWD=hidden;", "DRIVER={x};UID=me;PWD=scratch;"),
        ("redis://:hidden@cache/0", "redis://scratch:scratch@localhost/0"),
    ],
)
def test_no_credentials_are_left_in_a_value(value: str, harmless: str) -> None:
    assert given(value) == harmless
    assert "hid" not in harmless


@pytest.mark.parametrize(
    "value", ["sqlite:///app.db", "https://me:token@example.org/", "a=b c=d", "/usr/bin:/bin", "é"]
)
def test_other_values_stay_as_they_are(value: str) -> None:
    assert given(value) == value


@pytest.mark.parametrize(
    "name",
    [
        "PGPASSWORD",
        "PGSERVICE",
        "MYSQL_PWD",
        "MARIADB_ROOT_PASSWORD",
        "POSTGRES_USER",
        "DB_PASSWORD",
        "DBPASSWORD",
        "db_pass",
        "APP_DATABASE_HOST",
        "SQLALCHEMY_PORT",
        "DATABASE_MAIN_USERNAME",
    ],
)
def test_variables_that_lead_to_a_server_are_dropped_unless_they_are_listed(name: str) -> None:
    assert name not in for_agent({name: "hidden"}, {})
    assert for_agent({name: "hidden"}, {name: "wanted"})[name] == "wanted"


def test_other_names_stay() -> None:
    kept = {"DATABASE_URL": "sqlite://", "DBT_PROFILE": "x", "PORT": "80", "PATH": "/bin"}
    assert kept.items() <= for_agent(kept, {}).items()


def compiled(folder: Path) -> dict[Path, int]:
    """Start the agent that is in a folder; gives what is compiled there then, and when it was."""
    program = f"import runpy, sys; sys.argv = ['', 'wait', '{os.getpid()}', 'sqlite']; "
    program += f"sys.path.append({str(folder)!r}); import project; "
    program += f"runpy.run_path({str(folder / 'agent' / '__main__.py')!r}, run_name='__main__')"
    variables = for_agent(os.environ, {})
    subprocess.run([sys.executable, "-c", program], env=variables, input=b"", check=True)
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*.pyc")}


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """The agent, not compiled yet, beside a module of somebody else's."""
    agent = tmp_path / "agent"
    shutil.copytree(AGENT.parent, agent, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "project.py").write_text("", "utf-8")
    return agent


def test_the_agent_is_compiled_once_and_nothing_else_is(tmp_path: Path, agent: Path) -> None:
    made = compiled(tmp_path)
    modules = {file for file in agent.rglob("*.py") if file.name != "__main__.py"}
    assert {source_from_cache(str(file)) for file in made} >= {str(file) for file in modules}
    assert all(agent in file.parents for file in made)
    assert compiled(tmp_path) == made


def test_where_it_cannot_be_kept_the_agent_is_not_compiled(tmp_path: Path, agent: Path) -> None:
    (agent / "__pycache__").write_text("in the way", "utf-8")
    assert compiled(tmp_path) == {}
