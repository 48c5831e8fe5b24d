from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from alembic_roundtrip.rule import Example
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

CONCURRENTLY = """
def upgrade():
    op.execute("CREATE INDEX CONCURRENTLY ix ON users (nick)")


def downgrade():
    op.execute("DROP INDEX ix")
"""
RUN = "with context.begin_transaction():\n    context.run_migrations()\n"


@pytest.mark.parametrize(
    ("env", "judged"),
    [
        ("", True),
        (RUN, True),
        ("from alembic.context import run_migrations\nrun_migrations()", True),
        (f"engine = create_engine(url, isolation_level='SERIALIZABLE')\n{RUN}", True),
        (f"engine = create_engine(url, isolation_level='AUTOCOMMIT')\n{RUN}", False),
        (f"c = c.execution_options(isolation_level='autocommit')\n{RUN}", False),
        (f"engine = create_engine(url, **{{'isolation_level': 'AUTOCOMMIT'}})\n{RUN}", False),
        ("from shop.db import migrate_online\nmigrate_online(context, context.config)", False),
        (f"{RUN}this is no Python", False),
    ],
)
def test_what_fails_in_a_transaction_is_reported_where_env_py_has_one(
    env: str, judged: bool, tmp_path: Path
) -> None:
    project = write_project(Example("", CONCURRENTLY), tmp_path)
    (tmp_path / "migrations" / "env.py").write_text(textwrap.dedent(env), encoding="utf-8")
    workspace = Workspace([tmp_path], {"dialects": ["postgresql"], "select": ["needs-autocommit"]})
    assert bool(workspace.diagnostics(project.file)) is judged


ENGINE = "engine = engine_from_config(context.config.get_section('alembic'))\n"


@pytest.mark.parametrize(
    ("settings", "judged"),
    [
        ("sqlalchemy.isolation_level = SERIALIZABLE", True),
        ("sqlalchemy.isolation_level = AUTOCOMMIT", False),
        ("sqlalchemy.url = x://%%40y\nsqlalchemy.isolation_level = autocommit ", False),
        ("[other]\ndb.isolation_level = AUTOCOMMIT", False),
    ],
)
def test_the_configuration_may_ask_for_autocommit_too(
    settings: str, judged: bool, tmp_path: Path
) -> None:
    project = write_project(Example("", CONCURRENTLY), tmp_path)
    (tmp_path / "migrations" / "env.py").write_text(f"{ENGINE}{RUN}", encoding="utf-8")
    ini = f"[alembic]\nscript_location = %(here)s/migrations\n{settings}\n"
    (tmp_path / "alembic.ini").write_text(ini, encoding="utf-8")
    workspace = Workspace([tmp_path], {"dialects": ["postgresql"], "select": ["needs-autocommit"]})
    assert bool(workspace.diagnostics(project.file)) is judged
