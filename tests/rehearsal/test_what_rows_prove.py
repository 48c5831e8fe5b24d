from __future__ import annotations

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict

USERS = """
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(40), nullable=False),
    )
"""


def users(project: AlembicProject) -> None:
    project.add("users", USERS, 'op.drop_table("users")')


async def test_a_downgrade_that_refuses_only_new_rows_is_judged_by_the_old_ones(project, rehearsed):
    project.add("users", USERS.replace("nullable=False", "unique=True"), 'op.drop_table("users")')
    project.add(
        "relaxed",
        """
        with op.batch_alter_table(
            "users", naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s"}
        ) as batch:
            batch.drop_constraint("uq_users_name", type_="unique")
        op.get_bind().execute(sa.text("CREATE INDEX ix ON users (name)"))
        """,
        """
        def refuse(count):
            raise RuntimeError(f"{count} names are taken twice")
        count = op.get_bind().execute(
            sa.text("SELECT count(*) - count(DISTINCT name) FROM users WHERE name IS NOT NULL")
        ).scalar()
        if count:
            refuse(count)
        op.drop_index("ix", table_name="users")
        with op.batch_alter_table("users") as batch:
            batch.create_unique_constraint("uq_users_name", ["name"])
        """,
    )
    evidence = (await rehearsed(rows=40))["relaxed"]
    assert evidence.verdict is Verdict.LOSSLESS, evidence
    (note,) = (each.text for each in evidence.notes)
    assert note.startswith("`downgrade()` refuses made-up rows: ")
    assert note.endswith(" names are taken twice")


async def test_rows_that_come_back_under_a_tables_former_name_are_not_left(project, rehearsed):
    users(project)
    project.add(
        "renamed", 'op.rename_table("users", "people")', 'op.rename_table("people", "users")'
    )
    evidence = (await rehearsed())["renamed"]
    assert evidence.verdict is Verdict.LOSSLESS, evidence.residue


async def test_rows_that_only_the_downgrade_puts_back_are_not_left_by_the_upgrade(
    project, rehearsed
):
    users(project)
    log = 'op.create_table("log", sa.Column("id", sa.Integer, primary_key=True))'
    project.add("log", log, 'op.drop_table("log")')
    project.add(
        "moved",
        'op.execute("DELETE FROM log WHERE id IN (SELECT id + 1000 FROM users)")',
        'op.execute("INSERT INTO log (id) SELECT id + 1000 FROM users")',
    )
    evidence = (await rehearsed())["moved"]
    assert evidence.verdict is Verdict.LOSSLESS, evidence.residue


async def test_rows_that_the_upgrade_puts_into_older_tables_are_left(project, rehearsed):
    users(project)
    log = 'op.create_table("log", sa.Column("name", sa.String(40)))'
    project.add("log", log, 'op.drop_table("log")')
    project.add("noted", 'op.execute("INSERT INTO log (name) SELECT name FROM users")', "pass")
    evidence = (await rehearsed())["noted"]
    assert evidence.verdict is Verdict.RESIDUE
    (residue,) = evidence.residue
    assert (residue.kind, residue.object, residue.change) == ("rows", "log", "left")


async def test_text_whose_content_cannot_be_made_up_proves_nothing(project, rehearsed):
    users(project)
    project.add(
        "parsed",
        """
        for (name,) in op.get_bind().execute(sa.text("SELECT name FROM users")).fetchall():
            {"known": 1}[name]
        """,
    )
    evidence = (await rehearsed())["parsed"]
    assert evidence.verdict is Verdict.LOSSLESS
    assert evidence.rows == 0
    (note,) = (each.text for each in evidence.notes)
    assert note.startswith("with made-up rows the migration stops with KeyError: ")
    assert note.endswith("; it may want values that cannot be made up")


async def test_a_mistake_of_the_code_that_any_row_shows_fails(project, rehearsed):
    users(project)
    project.add(
        "mistaken",
        """
        for row in op.get_bind().execute(sa.text("SELECT name FROM users")).fetchall():
            row.name = "x"
        """,
    )
    evidence = (await rehearsed())["mistaken"]
    assert evidence.verdict is Verdict.FAILED
    assert "AttributeError" in (evidence.reason or "")


async def test_a_projects_own_type_over_text_gets_what_it_takes(project, rehearsed):
    (project.folder / "own_types.py").write_text(
        """
import json, uuid
import sqlalchemy as sa
class GUID(sa.TypeDecorator):
    impl, cache_ok = sa.CHAR, True
    def load_dialect_impl(self, dialect):
        return dialect.type_descriptor(sa.CHAR(32))
    def process_bind_param(self, value, dialect):
        return None if value is None else (
            value if isinstance(value, uuid.UUID) else uuid.UUID(value)).hex
class Encoded(sa.TypeDecorator):
    impl, cache_ok = sa.VARCHAR, True
    def process_bind_param(self, value, dialect):
        return None if value is None else json.dumps(value)
""",
        encoding="utf-8",
    )
    columns = """
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("guid", GUID, nullable=False), sa.Column("data", Encoded, nullable=False),
    """
    project.add(
        "kept",
        f'op.create_table("kept", {columns})',
        'op.drop_table("kept")',
        head="from own_types import GUID, Encoded",
    )
    project.add(
        "read",
        """
        kept = op.get_bind().execute(sa.text("SELECT guid, data FROM kept")).fetchall()
        for guid, data in kept:
            uuid.UUID(guid)
            assert isinstance(json.loads(data), (dict, list))
        """,
        head="import json, uuid",
    )
    evidence = (await rehearsed())["read"]
    assert evidence.verdict is Verdict.LOSSLESS
    assert evidence.notes == ()
    assert evidence.rows == 5


@pytest.mark.parametrize(
    "columns",
    [
        'sa.Column("id", sa.String(36), primary_key=True)',
        'sa.Column("id", sa.String(36), primary_key=True), sa.Column("on", sa.Boolean)',
        'sa.Column("on", sa.Boolean)',
    ],
    ids=["a key", "a key and a flag", "a flag"],
)
async def test_rows_written_since_do_not_stand_for_those_that_were_deleted(
    project, rehearsed, columns
):
    project.add("tags", f'op.create_table("tags", {columns})', 'op.drop_table("tags")')
    project.add("emptied", 'op.execute("DELETE FROM tags")', "pass")
    evidence = (await rehearsed())["emptied"]
    assert evidence.verdict is Verdict.LOSSY
    found = [(loss.table, loss.column, loss.step) for loss in evidence.old_losses()]
    assert found == [("tags", None, "upgrade"), ("tags", None, "round trip")]


async def test_what_a_downgrade_puts_back_unless_rows_were_written_since_is_not_lost(
    project, rehearsed
):
    users(project)
    project.add(
        "guarded",
        """
        op.execute("CREATE TABLE kept AS SELECT * FROM users")
        op.execute("UPDATE users SET name = 'x'")
        """,
        """
        new = "SELECT count(*) FROM users WHERE id NOT IN (SELECT id FROM kept)"
        if op.get_bind().execute(sa.text(new)).scalar():
            raise RuntimeError("rows are in the way")
        op.execute("UPDATE users SET name = (SELECT name FROM kept WHERE kept.id = users.id)")
        op.drop_table("kept")
        """,
    )
    evidence = (await rehearsed())["guarded"]
    assert evidence.old_losses() == ()
    assert evidence.verdict is Verdict.LOSSLESS


KEPT = """
op.create_table(
    "kept",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("p", sa.LargeBinary, nullable=False),
)
"""
OWN_TYPE = """
class Unreadable(Exception):
    pass

class Own(sa.TypeDecorator):
    impl = sa.LargeBinary
    cache_ok = True

    def process_result_value(self, value, dialect):
        {}

thing = lambda: None
kept = sa.table("kept", sa.column("id"), sa.column("p", Own), sa.column("q", sa.PickleType))
"""
READS = "op.get_bind().execute(sa.select(kept.c.p)).fetchall()"


async def read_by(project, rehearsed, does: str, upgrade: str = READS):
    project.add("kept", KEPT, 'op.drop_table("kept")')
    project.add("reads", upgrade, head=OWN_TYPE.format(does))
    return (await rehearsed())["reads"]


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("return value", "UnpicklingError"),
        ("raise Unreadable('no envelope')", "no envelope"),
        ("assert value.startswith(b'head')", "AssertionError"),
    ],
)
async def test_a_value_that_only_its_type_understands_is_a_note(project, rehearsed, does, says):
    pickled = READS.replace("kept.c.p", 'sa.column("p", sa.PickleType)).select_from(kept')
    found = await read_by(project, rehearsed, does, f"{READS}\n{pickled}")
    assert found.verdict is Verdict.LOSSLESS
    assert any(says in note.text for note in found.notes)


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("return lower(value)", "NameError"),
        ("import not_there", "not_there"),
        ("return self.unpacked(value)", "unpacked"),
        ("return self.process_result_value(value, dialect)", "RecursionError"),
    ],
)
async def test_a_type_with_a_mistake_in_it_fails(project, rehearsed, does, says):
    found = await read_by(project, rehearsed, does)
    assert found.verdict is Verdict.FAILED
    assert says in (found.reason or "")


async def test_a_value_that_no_type_can_send_is_the_migrations(project, rehearsed):
    writes = """
    bind = op.get_bind()
    for row in bind.execute(sa.select(kept.c.id)).fetchall():
        bind.execute(kept.update().values(q=thing))
    """
    found = await read_by(project, rehearsed, "return value", writes)
    assert found.verdict is Verdict.FAILED
    assert "PicklingError" in (found.reason or "")
