"""Rehearsals on a real MariaDB, through every driver."""

from __future__ import annotations

import importlib.util
import os

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from rehearsal.conftest import collect, skip_unless
from rehearsal.test_postgresql import ASYNC_ENV

pytestmark = pytest.mark.parametrize("kind", ["mariadb"], indirect=True)

USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(30), nullable=False, unique=True),
    sa.Column("status", sa.Enum("active", "legacy", name="status"), nullable=False),
    sa.Column("data", sa.JSON),
    sa.Column("at", sa.DateTime, server_default=sa.func.now()),
)
"""
ADDS = 'op.add_column("users", sa.Column("bio", sa.Text))', 'op.drop_column("users", "bio")'
DRIVERS = {
    "pymysql": "pymysql",
    "mysqldb": "MySQLdb",
    "mysqlconnector": "mysql",
    "mariadbconnector": "mariadb",
}
EXPECTED = {
    "users": Verdict.LOSSLESS,
    "bio": Verdict.LOSSLESS,
    "forgets": Verdict.FAILED,
    "label": Verdict.RESIDUE,
    "drops": Verdict.FAILED,
    "lossy": Verdict.LOSSY,
    "refuses": Verdict.IRREVERSIBLE,
}


def users(project: AlembicProject) -> None:
    project.add("users", USERS, 'op.drop_table("users")')


def story(project: AlembicProject) -> None:
    """One revision for each verdict."""
    users(project)
    project.add("bio", *ADDS)
    project.add("forgets", 'op.create_index("by_at", "users", ["at"])')
    project.add(
        "label",
        "op.execute(\"ALTER TABLE users MODIFY status enum('active', 'legacy', 'odd') NOT NULL\")",
    )
    project.add("drops", 'op.drop_column("users", "data")', 'op.drop_column("users", "other")')
    project.add(
        "lossy",
        'op.drop_column("users", "bio")',
        'op.add_column("users", sa.Column("bio", sa.Text))',
    )
    project.add("refuses", 'op.execute("SELECT 1")', 'raise NotImplementedError("no way back")')


def drive(project: AlembicProject, driver: str) -> None:
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("+pymysql:", f"+{driver}:"))


async def verdicts(project: AlembicProject, **settings: object) -> dict[str, RevisionEvidence]:
    events = await collect(project, **settings)
    return {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}


@pytest.mark.parametrize("driver", DRIVERS)
async def test_every_verdict_with_every_driver(project, driver):
    skip_unless(importlib.util.find_spec(DRIVERS[driver]), f"no {driver} is installed")
    drive(project, driver)
    story(project)
    found = await verdicts(project)
    assert {revision: evidence.verdict for revision, evidence in found.items()} == EXPECTED


@pytest.mark.parametrize("driver", ["aiomysql", "asyncmy"])
async def test_every_verdict_with_async_drivers(project, driver):
    drive(project, driver)
    (project.folder / "migrations" / "env.py").write_text(ASYNC_ENV)
    story(project)
    found = await verdicts(project)
    assert {revision: evidence.verdict for revision, evidence in found.items()} == EXPECTED


async def test_the_database_and_the_guard_are_said(project):
    users(project)
    started = next(e for e in await collect(project) if isinstance(e, Started))
    assert started.database == "mariadb"
    assert started.version.split(".")[0].isdecimal()
    assert started.guard == ("kernel" if os.uname().sysname == "Linux" else "process")


async def test_a_half_applied_downgrade_is_shown_and_the_next_revision_begins_cleanly(project):
    users(project)
    project.add(
        "half",
        """
        op.add_column("users", sa.Column("x", sa.Integer))
        op.add_column("users", sa.Column("y", sa.Integer))
        op.create_index("by_y", "users", ["y"])
        """,
        """
        op.drop_column("users", "x")
        op.drop_index("by_z", "users")
        op.drop_column("users", "y")
        """,
    )
    project.add(
        "next",
        'op.add_column("users", sa.Column("z", sa.Integer))',
        'op.drop_column("users", "z")',
    )
    found = await verdicts(project)
    assert found["half"].verdict is Verdict.FAILED
    assert found["half"].half_done == (
        "`downgrade()` stops half-way, and nothing undoes what it did: column `users.x` is gone; "
        "column `users.y` is to go, index `by_y` is to go; the version table still says `half`"
    )
    assert found["next"].verdict is Verdict.LOSSLESS


async def test_a_half_applied_upgrade_is_shown_and_undone_for_what_does_not_need_it(project):
    users(project)
    project.add(
        "another",
        'op.create_table("groups", sa.Column("id", sa.Integer, primary_key=True))',
        'op.drop_table("groups")',
        after="users",
    )
    project.add(
        "half",
        """
        op.create_table("groups", sa.Column("id", sa.Integer, primary_key=True))
        op.execute("INSERT INTO users (name, status) VALUES ('half', 'active')")
        op.drop_column("users", "nothing")
        """,
        'op.drop_table("groups")',
        after="users",
    )
    found = await verdicts(project)
    assert "Can't DROP COLUMN" in (found["half"].reason or "")
    assert found["half"].half_done == (
        "`upgrade()` stops half-way, and nothing undoes what it did: table `groups` is there; "
        "the version table still says what was applied before"
    )
    assert found["another"].verdict is Verdict.LOSSLESS


async def test_a_downgrade_that_fails_on_rows_only_stops_half_way(project):
    users(project)
    project.add(
        "wide",
        """
        op.add_column("users", sa.Column("x", sa.Integer))
        op.alter_column("users", "name", existing_type=sa.String(30), type_=sa.String(90),
                        existing_nullable=False)
        """,
        """
        op.drop_column("users", "x")
        op.alter_column("users", "name", existing_type=sa.String(90), type_=sa.String(30),
                        existing_nullable=False)
        """,
    )
    evidence = (await verdicts(project, rows=20))["wide"]
    assert evidence.verdict is Verdict.FAILED
    assert "Data too long for column 'name'" in (evidence.reason or "")
    assert "column `users.x` is gone; column `users.name` is to be changed" in (
        evidence.half_done or ""
    )


@pytest.mark.parametrize(
    "left",
    [
        "SET foreign_key_checks = 0",
        "SET sql_mode = 'ANSI_QUOTES'",
        "SET time_zone = '+05:00'",
        "LOCK TABLES users WRITE, alembic_version WRITE",
        "CREATE TEMPORARY TABLE seen AS SELECT * FROM users",
        "START TRANSACTION",
        "SET autocommit = 0",
    ],
)
async def test_what_a_step_leaves_in_its_session_ends_with_it(project, left):
    users(project)
    project.add("leaves", f"op.execute({left!r})", f"op.execute({left!r})")
    project.add(
        "next",
        """
        op.create_table("seen", sa.Column("id", sa.Integer, primary_key=True))
        op.execute("SELECT `id` FROM `seen`")
        """,
        'op.drop_table("seen")',
    )
    found = await verdicts(project)
    assert {revision: e.verdict for revision, e in found.items()} == dict.fromkeys(
        found, Verdict.LOSSLESS
    )


async def test_a_second_connection_that_holds_a_table_does_not_stop_the_run(project):
    users(project)
    project.add(
        "holds",
        """
        other = op.get_bind().engine.connect()
        other.execute(sa.text("SELECT * FROM users"))
        globals()["kept"] = other
        """,
        "pass",
    )
    project.add(
        "next",
        'op.add_column("users", sa.Column("z", sa.Integer))',
        'op.drop_column("users", "z")',
    )
    found = await verdicts(project)
    assert found["holds"].verdict is Verdict.LOSSLESS
    assert found["next"].verdict is Verdict.LOSSLESS


async def test_pools_of_the_projects_own_go_on_after_a_revision(project):
    env = (project.folder / "migrations" / "env.py").read_text()
    (project.folder / "migrations" / "env.py").write_text(
        env.replace("pool.NullPool", "pool.QueuePool")
    )
    users(project)
    for name in ("one", "two"):
        project.add(
            name,
            "with op.get_bind().engine.connect() as other:\n"
            '    other.execute(sa.text("DESCRIBE users")).fetchall()\n'
            f'op.add_column("users", sa.Column("{name}", sa.Integer))',
            f'op.drop_column("users", "{name}")',
        )
    found = await verdicts(project)
    assert {e.verdict for e in found.values()} == {Verdict.LOSSLESS}


async def test_rows_of_migrations_come_back_with_every_state(project):
    users(project)
    project.add(
        "seeded",
        """
        op.execute("INSERT INTO users (id, name, status) VALUES (0, 'a', 'active')")
        op.execute("INSERT INTO users (name, status) VALUES ('b', 'legacy')")
        """,
        "op.execute(\"DELETE FROM users WHERE name IN ('a', 'b')\")",
    )
    project.add(
        "uses",
        """
        found = op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar()
        assert found >= 2, found
        op.add_column("users", sa.Column("z", sa.Integer))
        """,
        'op.drop_column("users", "z")',
    )
    project.add(
        "names the database",
        """
        name = op.get_bind().engine.url.database
        op.execute(f"ALTER DATABASE `{name}` DEFAULT CHARACTER SET utf8mb4")
        asked = "SELECT count(*) FROM information_schema.tables WHERE table_schema = :name"
        assert op.get_bind().execute(sa.text(asked), {"name": name}).scalar() > 1
        """,
    )
    found = await verdicts(project)
    assert found["seeded"].verdict is Verdict.LOSSLESS
    assert found["uses"].verdict is Verdict.LOSSLESS
    assert found["names the database"].verdict is Verdict.LOSSLESS


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SET GLOBAL general_log = 1", "migrations run as an owner without SUPER"),
        ("CREATE DATABASE more", "migrations run as an owner of scratch databases only"),
        ("CREATE TABLE x (i int) ENGINE = RocksDB", "no storage engine `RocksDB`"),
        (
            "CREATE TABLE x (i varchar(9)) COLLATE utf8mb4_xx_ai_ci",
            "no collation `utf8mb4_xx_ai_ci`",
        ),
    ],
)
async def test_what_the_scratch_server_lacks_is_no_failure(project, statement, reason):
    users(project)
    project.add("asks", f"op.execute({statement!r})", "pass")
    evidence = (await verdicts(project))["asks"]
    assert evidence.verdict is Verdict.SKIPPED
    assert reason in (evidence.reason or "")
    assert "a server of yours can be named" in (evidence.reason or "")


async def test_an_index_that_a_foreign_key_made_stays_behind(project):
    users(project)
    project.add(
        "posts",
        """
        op.create_table("posts", sa.Column("id", sa.Integer, primary_key=True),
                        sa.Column("author", sa.Integer))
        """,
        'op.drop_table("posts")',
    )
    project.add(
        "key",
        'op.create_foreign_key("by_author", "posts", "users", ["author"], ["id"])',
        'op.drop_constraint("by_author", "posts", type_="foreignkey")',
    )
    evidence = (await verdicts(project))["key"]
    assert [(r.kind, r.object, r.change) for r in evidence.residue] == [
        ("index", "by_author", "left")
    ]


async def test_a_view_of_what_is_gone_does_not_end_the_run(project):
    view = 'op.execute("CREATE VIEW times AS SELECT at FROM users")'
    users(project)
    project.add("view", view, 'op.execute("DROP VIEW times")')
    project.add(
        "breaks",
        'op.drop_column("users", "at")',
        f"""
        op.execute("DROP VIEW times")
        op.add_column("users", sa.Column("at", sa.DateTime, server_default=sa.func.now()))
        {view}
        """,
    )
    project.add("forgets", 'op.execute("DROP VIEW times")\nop.drop_column("users", "data")')
    project.add("bio", *ADDS)
    found = await verdicts(project, rows=3)
    assert found["breaks"].verdict is Verdict.LOSSY
    assert found["forgets"].verdict is Verdict.FAILED
    assert "the server cannot make `times` again: the view reads what is not there" in [
        note.text for note in found["forgets"].notes
    ]
    assert found["bio"].verdict is Verdict.LOSSLESS


async def test_a_view_goes_on_reading_what_is_gone(project):
    project.add("users", USERS, 'op.drop_table("users")')
    project.add(
        "view",
        'op.execute("CREATE VIEW times AS SELECT at FROM users")\n'
        'op.execute("CREATE VIEW all_times AS SELECT * FROM times")',
        'op.execute("DROP VIEW all_times")\nop.execute("DROP VIEW times")',
    )
    project.add("gone", 'op.drop_table("users")', USERS)
    project.add("later", 'op.create_table("t", sa.Column("id", sa.Integer))', 'op.drop_table("t")')
    events = await collect(project, full_cycle=True)
    found = {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}
    assert {name: each.verdict for name, each in found.items()} == {
        "users": Verdict.LOSSLESS,
        "view": Verdict.LOSSLESS,
        "gone": Verdict.LOSSY,
        "later": Verdict.LOSSLESS,
        "full cycle": Verdict.LOSSLESS,
    }


async def test_another_character_set_of_the_database_is_seen_from_outside(project, rehearsed):
    project.add("latin", 'op.execute("ALTER DATABASE CHARACTER SET latin1")')
    found = (await rehearsed())["latin"]
    assert found.verdict is Verdict.RESIDUE
    assert [residue.kind for residue in found.residue] == ["database"]
