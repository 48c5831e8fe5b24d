"""Rehearsals on a real PostgreSQL, through every driver."""

from __future__ import annotations

import os

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from rehearsal.conftest import collect

pytestmark = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)

USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(30), nullable=False, unique=True),
    sa.Column("status", sa.Enum("active", "legacy", name="status"), nullable=False),
    sa.Column("tags", sa.dialects.postgresql.ARRAY(sa.Text)),
    sa.Column("data", sa.dialects.postgresql.JSONB),
    sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()),
)
"""
DROP_USERS = """
op.drop_table("users")
op.execute("DROP TYPE status")
"""
ASYNC_ENV = """
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url"))
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()

asyncio.run(main())
"""


def users(project: AlembicProject) -> None:
    project.add("users", USERS, DROP_USERS, head="import sqlalchemy.dialects.postgresql")


async def verdicts(
    project: AlembicProject, *revisions: str, **settings: object
) -> dict[str, RevisionEvidence]:
    events = await collect(project, *revisions, **settings)
    return {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}


def story(project: AlembicProject) -> None:
    """One revision for each verdict, and what is not undone by a savepoint."""
    users(project)
    project.add(
        "bio",
        'op.add_column("users", sa.Column("bio", sa.Text))',
        'op.drop_column("users", "bio")',
    )
    project.add("forgets", 'op.create_index("by_at", "users", ["at"])')
    project.add(
        "label",
        """
        with op.get_context().autocommit_block():
            op.execute("ALTER TYPE status ADD VALUE IF NOT EXISTS 'odd'")
        """,
    )
    project.add("drops", 'op.drop_column("users", "data")', 'op.drop_column("users", "other")')
    project.add(
        "lossy",
        'op.drop_column("users", "tags")',
        'op.add_column("users", sa.Column("tags", sa.ARRAY(sa.Text)))',
    )
    project.add("refuses", 'op.execute("SELECT 1")', 'raise NotImplementedError("no way back")')


EXPECTED = {
    "users": Verdict.LOSSLESS,
    "bio": Verdict.LOSSLESS,
    "forgets": Verdict.FAILED,
    "label": Verdict.RESIDUE,
    "drops": Verdict.FAILED,
    "lossy": Verdict.LOSSY,
    "refuses": Verdict.IRREVERSIBLE,
}


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "pg8000"])
async def test_every_verdict_with_every_driver(project, driver):
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("+psycopg:", f"+{driver}:"))
    story(project)
    found = await verdicts(project)
    assert {revision: evidence.verdict for revision, evidence in found.items()} == EXPECTED


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_every_verdict_with_async_drivers(project, driver):
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("+psycopg:", f"+{driver}:"))
    (project.folder / "migrations" / "env.py").write_text(ASYNC_ENV)
    story(project)
    found = await verdicts(project)
    assert {revision: evidence.verdict for revision, evidence in found.items()} == EXPECTED


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_an_ancestor_that_commits_by_itself_is_applied_by_async_drivers(project, driver):
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("+psycopg:", f"+{driver}:"))
    (project.folder / "migrations" / "env.py").write_text(ASYNC_ENV)
    story(project)
    found = await verdicts(project, "lossy")
    assert {revision: each.verdict for revision, each in found.items()} == {"lossy": Verdict.LOSSY}


ODD = """ALTER TYPE status ADD VALUE 'odd'"""
WITHOUT_ODD = """
op.execute("DELETE FROM users WHERE status = 'odd'")
op.execute("ALTER TYPE status RENAME TO status_old")
op.execute("CREATE TYPE status AS ENUM ('active', 'legacy')")
op.execute("ALTER TABLE users ALTER COLUMN status TYPE status USING status::text::status")
op.execute("DROP TYPE status_old")
"""


async def test_a_value_of_an_enum_is_added_as_in_a_deployment_of_its_own(project):
    users(project)
    project.add("label", f'op.execute("{ODD}")', WITHOUT_ODD)
    # Of a type that is as new, PostgreSQL would take the value at once.
    use = "UPDATE users SET status = 'odd' WHERE name = 'nobody'"
    project.add(
        "renamed", f'op.execute("{ODD.replace("odd", "new")}; {use.replace("odd", "new")}")'
    )
    found = await verdicts(project)
    assert {revision: each.verdict for revision, each in found.items()} == {
        "users": Verdict.LOSSLESS,
        "label": Verdict.LOSSLESS,
        "renamed": Verdict.FAILED,
    }
    assert "unsafe use of new value" in (found["renamed"].reason or "")


async def test_a_type_of_an_extension_that_is_added_by_hand_is_no_fault(project):
    project.add("mails", 'op.execute("CREATE TABLE mails (m citext)")', 'op.drop_table("mails")')
    project.add("child", 'op.create_index("ix", "mails", ["m"])', 'op.drop_index("ix", "mails")')
    hashes = "\"CREATE EXTENSION pgcrypto; SELECT crypt('a', gen_salt('bf'))\""
    project.add("hashes", f"op.execute({hashes})", after=None)
    found = await verdicts(project)
    assert {each.verdict for each in found.values()} == {Verdict.SKIPPED}
    assert found["hashes"].reason == (
        "the embedded server's stand-in of `pgcrypto` has no gen_salt(); a server of yours can be "
        "named in `database`"
    )
    assert found["mails"].reason == (
        "the scratch database has no extension `citext`, and no migration before this one creates "
        "it; the setting `baseline` can name an SQL file that does"
    )
    assert found["child"].reason == "the upgrade of mails, which it depends on, is skipped"
    # The same is said where an ancestor is only applied.
    alone = (await verdicts(project, "child"))["child"].reason
    assert (
        alone == f"the upgrade of mails, which it depends on, is skipped ({found['mails'].reason})"
    )
    (project.folder / "first.sql").write_text("CREATE EXTENSION citext;")
    found = await verdicts(project, baseline="first.sql")
    assert {found[name].verdict for name in ("mails", "child")} == {Verdict.LOSSLESS}


async def test_an_extension_that_migrations_see_to_is_theirs(project):
    digest = "\"CREATE EXTENSION pgcrypto; SELECT digest(1, 'sha256')\""
    bodies = {
        "misspelled": f"op.execute({digest})",
        "too_early": "op.execute('CREATE TABLE t (x citext); CREATE EXTENSION citext')",
        "own": "op.execute('CREATE TYPE ltree AS (x int); DROP TYPE ltree; SELECT NULL::ltree')",
        "by_hand": "# CREATE EXTENSION hstore\nop.execute('CREATE DOMAIN h AS hstore')",
    }
    for name, body in bodies.items():
        project.add(name, body, after=None)
    found = await verdicts(project)
    assert {name: each.verdict for name, each in found.items()} == {
        "misspelled": Verdict.FAILED,
        "too_early": Verdict.FAILED,
        "own": Verdict.FAILED,
        "by_hand": Verdict.SKIPPED,
    }


async def test_rows_that_refer_to_what_goes_by_cascade_stand_in_the_way_too(project):
    key = 'sa.Column("{0}", sa.Integer, sa.ForeignKey("{0}s.id", ondelete="{1}"), nullable=False)'
    row = 'sa.Column("id", sa.Integer, primary_key=True)'
    project.add(
        "tables",
        f'op.create_table("artists", {row})\n'
        f'op.create_table("songs", {row}, {key.format("artist", "CASCADE")})\n'
        f'op.create_table("plays", {row}, {key.format("song", "RESTRICT")})\n',
        "\n".join(f'op.drop_table("{name}")' for name in ("plays", "songs", "artists")),
    )
    project.add("cleans", "pass", 'op.execute("DELETE FROM artists")')
    found = (await verdicts(project))["cleans"]
    assert found.verdict is Verdict.FAILED
    assert 'on table "plays"' in (found.reason or "")


async def test_a_statement_that_wants_texts_of_another_kind_proves_nothing(project):
    users(project)
    project.add("wants", """op.execute("UPDATE users SET data = name::jsonb")""", "pass")
    index = "CREATE INDEX counts ON users (((data ->> 'count')::int))"
    project.add("counts", f'op.execute("{index}")', 'op.execute("DROP INDEX counts")')
    evidence = await verdicts(project, "wants", "counts")
    for name, kind, end in (
        ("wants", "json", "it may want values that cannot be made up"),
        ("counts", "integer", "with rows that it does not look for it works"),
    ):
        found = evidence[name]
        assert found.verdict is Verdict.LOSSLESS
        (note,) = (each.text for each in found.notes)
        assert f"invalid input syntax for type {kind}" in note
        assert note.endswith(f"; {end}")


async def test_the_database_and_the_guard_are_said(project):
    users(project)
    started = next(e for e in await collect(project) if isinstance(e, Started))
    assert started.database == "postgresql"
    assert started.version.split(".")[0].isdecimal()
    assert started.guard == ("kernel" if os.uname().sysname == "Linux" else "process")


LOGGED = """
op.create_table("logs", sa.Column("n", sa.Integer))
op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
op.execute("CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS "
           "'BEGIN INSERT INTO logs VALUES (1); RETURN NEW; END'")
op.execute("CREATE TRIGGER logs AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION logged()")
"""
UNLOGGED = """
op.drop_table("users")
op.execute("DROP FUNCTION logged")
op.drop_table("logs")
"""


async def test_looking_leaves_the_schemas_that_are_searched(project):
    project.add("logged", LOGGED, UNLOGGED)
    project.add(
        "mail",
        """
        with op.get_bind().begin_nested() as nested:
            op.execute("INSERT INTO logs VALUES (2)")
            nested.rollback()
        op.execute("DELETE FROM logs WHERE n = 2")
        op.add_column("users", sa.Column("mail", sa.Text))
        """,
        'op.drop_column("users", "mail")',
    )
    found = await verdicts(project)
    assert {f.verdict for f in found.values()} == {Verdict.LOSSLESS}
    assert [(f.rows, f.notes) for f in found.values()] == [(5, ()), (5, ())]


async def test_a_constraint_without_a_name_is_told_without_its_place_in_memory(project, rehearsed):
    users(project)
    project.add("it", "pass", 'op.drop_constraint(None, "users", type_="foreignkey")')
    reason = (await rehearsed())["it"].reason or ""
    assert "for constraint ForeignKeyConstraint; it has no name" in reason


NUMBERED = 'op.execute("CREATE TABLE {} (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")'
ANEW = 'op.execute("ALTER TABLE {} ALTER id ADD GENERATED ALWAYS AS IDENTITY")'
BEHIND = """
greatest = op.get_bind().scalar(sa.text("SELECT coalesce(max(id), 0) + 1 FROM u"))
op.execute(f"ALTER TABLE u ALTER id RESTART WITH {greatest}")
"""


async def test_a_sequence_that_begins_anew_before_values_that_are_there_is_residue(project):
    for table, downgrade in (("t", ANEW.format("t")), ("u", f"{ANEW.format('u')}{BEHIND}")):
        project.add(f"{table}_made", NUMBERED.format(table), f'op.drop_table("{table}")')
        project.add(table, f'op.execute("ALTER TABLE {table} ALTER id DROP IDENTITY")', downgrade)
    found = await verdicts(project, "t", "u")
    assert [found[name].verdict for name in "tu"] == [Verdict.RESIDUE, Verdict.LOSSLESS]
    (residue,) = found["t"].residue
    assert (residue.kind, residue.object) == ("sequence of", "t.id")
    assert residue.after == "it goes on with 1, and 10 is there"


async def test_rows_that_nobody_may_see_are_told(project):
    secured = (
        'op.execute("CREATE TABLE t (id int PRIMARY KEY)")\n'
        'op.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")\n'
        'op.execute("CREATE POLICY p ON t USING (false) WITH CHECK (true)")\n'
    )
    project.add("secured", secured, 'op.drop_table("t")')
    project.add("emptied", 'op.execute("DELETE FROM t")')
    (note,) = (await verdicts(project, "emptied"))["emptied"].notes
    assert note.text.startswith("no row that was put into `t` is seen there")


LOOKING_ENV = """
from alembic import context
from sqlalchemy import create_engine, event

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))

def look(connection, *_):
    connection.connection.dbapi_connection.info

for name in ("begin", "commit", "before_cursor_execute", "after_cursor_execute"):
    event.listen(engine, name, look)

def applied(ctx, step, **_):
    look(ctx.connection)
    if step.up_revision_id == "shared":
        engine.connect().close()

with engine.connect() as connection:
    context.configure(connection=connection, on_version_apply=applied)
    with context.begin_transaction():
        context.run_migrations()
"""
DRAWN = "CREATE TABLE {} (id int PRIMARY KEY DEFAULT nextval('s'), a_id int REFERENCES a)"
SEEN = "CREATE MATERIALIZED VIEW m AS SELECT id FROM a WITH NO DATA"


async def test_what_happens_around_a_migration_is_none_of_its_faults(project):
    (project.folder / "migrations" / "env.py").write_text(LOOKING_ENV)
    project.add(
        "first",
        f'op.execute("CREATE SEQUENCE s; {DRAWN.format("a")}; {SEEN}")',
        'op.execute("DROP TABLE a CASCADE; DROP SEQUENCE s")',
    )
    project.add("nothing", 'op.execute("SELECT 1")', "pass")
    apart = (
        "with sa.create_engine(op.get_bind().engine.url).begin() as other:\n"
        "    other.exec_driver_sql('DELETE FROM a')"
    )
    project.add("apart", apart, "pass")
    # What is filled later takes no more than the next values of a sequence that is further on.
    use = 'op.execute("UPDATE a SET a_id = a_id")'
    project.add("shared", f'op.execute("{DRAWN.format("b")}")\n{use}', 'op.drop_table("b")')
    project.add("filled", f'op.execute("REFRESH MATERIALIZED VIEW m")\n{use}', "pass")
    project.add("emptied", 'op.execute("REFRESH MATERIALIZED VIEW m WITH NO DATA")', "pass")
    found = await verdicts(project)
    assert {name: (each.verdict, each.reason) for name, each in found.items()} == {
        "first": (Verdict.LOSSLESS, None),
        "nothing": (Verdict.LOSSLESS, None),
        "apart": (Verdict.LOSSY, None),
        "shared": (Verdict.LOSSLESS, None),
        "filled": (Verdict.LOSSLESS, None),
        "emptied": (Verdict.RESIDUE, None),
    }
    assert found["nothing"].rows == 0


async def test_a_listener_that_commits_by_the_drivers_own_connection_ends_nothing(project):
    env = LOOKING_ENV.replace("connection.info", "connection.commit()")
    (project.folder / "migrations" / "env.py").write_text(env)
    made = 'op.create_table("a", sa.Column("id", sa.Integer, primary_key=True))'
    project.add("first", made, 'op.drop_table("a")')
    project.add("emptied", 'op.execute("DELETE FROM a")', "pass")
    found = await verdicts(project)
    assert {name: each.verdict for name, each in found.items()} == {
        "first": Verdict.LOSSLESS,
        "emptied": Verdict.LOSSY,
    }
