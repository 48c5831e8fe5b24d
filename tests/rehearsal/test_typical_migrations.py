"""The migrations that lose data in real histories, with exactly what they lose."""

from __future__ import annotations

import re

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.rehearsal.events import RevisionFinished
from rehearsal.conftest import KINDS, collect

pytestmark = KINDS

USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(30), nullable=False),
    sa.Column("bio", sa.String(40), nullable=False, server_default=""),
    sa.Column("phone", sa.String(20)),
    sa.Column("status", sa.Enum("active", "legacy", name="status"), nullable=False),
    sa.Column("rate", sa.Numeric(10, 4), nullable=False),
    sa.CheckConstraint("rate <> 0", name="rate_is_something"),
)
"""
BATCH = 'with op.batch_alter_table("users") as batch:\n    '


async def rehearse_one(
    project: AlembicProject, upgrade: str, downgrade: str, rows: int = 4
) -> RevisionEvidence:
    project.add("users", USERS, 'op.drop_table("users")')
    project.add("it", upgrade, downgrade)
    events = await collect(project, "it", rows=rows)
    (evidence,) = [e.evidence for e in events if isinstance(e, RevisionFinished)]
    return evidence


def told(evidence: RevisionEvidence) -> set[tuple[str, str | None, int, int, str]]:
    return {(x.table, x.column, x.lost, x.rows, x.step) for x in evidence.losses}


async def test_dropping_a_column(project):
    evidence = await rehearse_one(
        project,
        BATCH + 'batch.drop_column("bio")',
        'column = sa.Column("bio", sa.String(40), nullable=False, server_default="")\n'
        'op.add_column("users", column)',
    )
    assert evidence.verdict.value == "lossy"
    # One of the four was the empty string, which is what the column comes back with.
    assert told(evidence) == {("users", "bio", 3, 4, "round trip")}
    assert evidence.losses[0].example.endswith("→ ''")


async def test_splitting_a_column_into_a_table(project):
    evidence = await rehearse_one(
        project,
        """
        op.create_table(
            "user_phones",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
            sa.Column("number", sa.String(20)),
        )
        op.execute("INSERT INTO user_phones (user_id, number) SELECT id, phone FROM users")
        with op.batch_alter_table("users") as batch:
            batch.drop_column("phone")
        """,
        """
        op.add_column("users", sa.Column("phone", sa.String(20)))
        op.drop_table("user_phones")
        """,
    )
    assert evidence.verdict.value == "lossy"
    old = {(x.column, x.rows, x.step) for x in evidence.old_losses()}
    assert old == {("phone", 4, "round trip")}
    new = {(x.table, x.column, x.lost, x.rows) for x in evidence.losses if x.step == "downgrade"}
    # Four moved, four written since; moved again, they have neither number nor the same owner.
    assert new == {("user_phones", "number", 5, 8), ("user_phones", "user_id", 4, 8)}


async def test_narrowing_in_sql_that_breaks_a_check_on_extreme_values_only(project):
    evidence = await rehearse_one(
        project, 'op.execute("UPDATE users SET rate = round(rate, 1)")', "pass"
    )
    (note,) = (each.text for each in evidence.notes)
    told = "CHECK constraint failed: rate_is_something|numeric field overflow|Out of range value.*"
    assert re.search(f"({told}) at line 9", note)
    assert "with plain rows it works" in note
    assert evidence.verdict.value in {"lossless", "lossy"}


async def test_removing_a_label_of_an_enum(project):
    evidence = await rehearse_one(
        project,
        "op.execute(\"UPDATE users SET status = 'active' WHERE status = 'legacy'\")",
        "pass",
    )
    assert evidence.verdict.value == "lossy"
    assert {(x.column, x.lost, x.rows, x.step) for x in evidence.old_losses()} == {
        ("status", 1, 4, "upgrade"),
        ("status", 1, 4, "round trip"),
    }


async def test_making_a_column_required_again_fills_what_was_null(project):
    project.add(
        "orders",
        'op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True),'
        ' sa.Column("state", sa.String(9), nullable=False))',
        'op.drop_table("orders")',
    )
    batch = 'with op.batch_alter_table("orders") as batch:\n    '
    project.add(
        "it",
        batch + 'batch.alter_column("state", existing_type=sa.String(9), nullable=True)',
        """
        op.execute("UPDATE orders SET state = 'new' WHERE state IS NULL")
        with op.batch_alter_table("orders") as batch:
            batch.alter_column("state", existing_type=sa.String(9), nullable=False)
        """,
    )
    events = await collect(project, "it", rows=4)
    (evidence,) = [e.evidence for e in events if isinstance(e, RevisionFinished)]
    assert evidence.verdict.value == "lossless"
    ((table, column, lost, rows, step),) = told(evidence)
    assert (table, column, step) == ("orders", "state", "downgrade")
    assert 1 <= lost < rows


async def test_rewriting_data_with_nothing_to_undo_it(project):
    evidence = await rehearse_one(
        project, "op.execute(\"UPDATE users SET name = replace('x!', 'x', name)\")", "pass"
    )
    assert evidence.verdict.value == "lossy"
    assert {(x.column, x.lost, x.rows, x.step) for x in evidence.old_losses()} == {
        ("name", 4, 4, "upgrade"),
        ("name", 4, 4, "round trip"),
    }


FLAGS = 'op.create_table("{}", sa.Column("{}", sa.Integer, {}), sa.Column("set", sa.Boolean))\n'
KEYED, KEYLESS = ("id", "primary_key=True"), ("of", "nullable=False")
COPY = 'op.execute("INSERT INTO {} SELECT * FROM {}")\n'
DROP = 'op.drop_table("{}")\n'
RENAME = 'op.rename_table("{}", "{}")\n'
DELETE = 'op.execute("DELETE FROM {}")\n'
REFERRING = """
key = sa.ForeignKey("c2.id", ondelete="CASCADE")
op.create_table("d", sa.Column("of", sa.Integer, key, nullable=False))
"""


def moved_without_rows(old: str, new: str, key: tuple[str, str]) -> tuple[str, str]:
    """A table under another name, into which the upgrade forgets to copy the rows."""
    upgrade = FLAGS.format(new, *key) + DROP.format(old)
    return upgrade, FLAGS.format(old, *key) + COPY.format(old, new) + DROP.format(new)


MOVE = "UPDATE c2 SET id = id + 1000"
FUNCTION = "CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {}; RETURN NEW; END'"
TRIGGER = "CREATE TRIGGER moves AFTER INSERT ON a2 FOR EACH ROW "


def trigger(kind: str) -> tuple[str, str]:
    """One that changes old rows wherever a new one is written."""
    if kind == "postgresql":
        made = [FUNCTION.format(MOVE), f"{TRIGGER} EXECUTE FUNCTION move()"]
        gone = ["DROP TRIGGER moves ON a2", "DROP FUNCTION move()"]
    else:
        made, gone = [f"{TRIGGER} BEGIN {MOVE}; END"], ["DROP TRIGGER moves"]
    upgrade, downgrade = ("\n".join(f"op.execute({x!r})" for x in each) for each in (made, gone))
    return upgrade, downgrade


async def test_rows_written_since_do_not_stand_for_those_that_were_lost(project, rehearsed):
    first = FLAGS.format("a", *KEYED) + FLAGS.format("b", *KEYLESS) + FLAGS.format("c", *KEYED)
    project.add("first", first, "".join(DROP.format(name) for name in "abc"))
    ways = {
        "keyed": moved_without_rows("a", "a2", KEYED),
        "keyless": moved_without_rows("b", "b2", KEYLESS),
        "renamed": (
            RENAME.format("c", "c2") + DELETE.format("c2 WHERE id > 3"),
            RENAME.format("c2", "c"),
        ),
        "restored": (
            FLAGS.format("spare", *KEYED),
            DELETE.format("a2") + COPY.format("a2", "spare") + DROP.format("spare"),
        ),
        "set off": trigger(project.dialect),
        "referred to": (
            REFERRING,
            DELETE.format("c2 WHERE id IN (SELECT of FROM d)") + DROP.format("d"),
        ),
    }
    for name, way in ways.items():
        project.add(name, *way)

    found = await rehearsed(*ways, rows=10)

    lost = {name: {x[:4] for x in told(found[name]) if x[4] != "downgrade"} for name in ways}
    # How many old rows those that are written since refer to is each database's own.
    assert {x[:2] for x in lost.pop("referred to")} == {("c2", None)}
    assert lost == {
        "keyed": {("a", None, 10, 10)},
        "keyless": {("b", None, 10, 10)},
        "renamed": {("c", None, 7, 10)},
        "restored": {("a2", None, 10, 10)},
        "set off": set(),
    }


async def test_a_required_column_that_comes_back_without_a_default(project):
    evidence = await rehearse_one(
        project,
        BATCH + 'batch.drop_column("name")',
        'op.add_column("users", sa.Column("name", sa.String(30), nullable=False))',
    )
    if project.dialect == "mariadb":  # it fills the column, with the empty string
        assert evidence.verdict.value == "lossy"
        return
    assert evidence.verdict.value == "failed"
    assert evidence.reason is not None
    assert evidence.reason.startswith("`downgrade()` fails with made-up rows in the tables")
    assert re.search("NOT NULL|contains null values", evidence.reason)


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "forgets"),
    [
        (
            'op.create_index("one_status", "users", ["status"], unique=True)',
            'op.drop_index("one_status", "users")',
            'op.execute("UPDATE users SET phone = NULL")',
        ),
        (
            BATCH + 'batch.create_check_constraint("odd_name", "name = \'nobody has it\'")',
            BATCH + 'batch.drop_constraint("odd_name", type_="check")',
            "op.execute(\"UPDATE users SET phone = NULL WHERE phone = 'old'\")",
        ),
    ],
    ids=["unique", "check"],
)
async def test_rows_that_are_as_an_upgrade_newly_demands_show_what_else_it_does(
    project, upgrade, downgrade, forgets
):
    evidence = await rehearse_one(project, f"{upgrade}\n{forgets}", downgrade)
    assert evidence.verdict.value == "lossy"
    assert {(x.table, x.column) for x in evidence.old_losses()} == {("users", "phone")}
    assert evidence.rows == 4
    (note,) = (each.text for each in evidence.notes if " of 4 rows" not in each.text)
    said = "constraint failed: |could not create unique index|violated by some row"
    assert re.search(f"{said}|Duplicate entry|CONSTRAINT `odd_name` failed", note)
    assert note.endswith("; with rows that are as it demands it works")


PHONE = "existing_type=sa.String(20), nullable"
FORGETS = 'op.execute("UPDATE users SET bio = name")'


async def test_nulls_that_an_upgrade_allows_no_more_may_be_gone_by_then(project):
    evidence = await rehearse_one(
        project,
        f"{BATCH}batch.alter_column('phone', {PHONE}=False)\n{FORGETS}",
        f"{BATCH}batch.alter_column('phone', {PHONE}=True)",
        rows=20,
    )
    assert evidence.verdict.value == "lossy"
    assert {(x.table, x.column) for x in evidence.old_losses()} == {("users", "bio")}
    assert evidence.rows == 20
    (note,) = (each.text for each in evidence.notes if "as it demands" in each.text)
    assert note.startswith("with made-up rows the migration stops with ")


async def test_a_required_column_without_a_default_fits_no_row(project):
    evidence = await rehearse_one(
        project,
        f"{BATCH}batch.add_column(sa.Column('code', sa.String(9), nullable=False))",
        f"{BATCH}batch.drop_column('code')",
    )
    if project.dialect == "mariadb":  # it fills the column, with the empty string
        assert evidence.verdict.value == "lossless"
        return
    assert evidence.verdict.value == "failed"
    assert (evidence.reason or "").startswith("`upgrade()` fails with made-up rows in the tables")


async def test_a_foreign_key_that_an_upgrade_newly_demands_is_no_failing_rollback(project):
    if project.dialect == "sqlite":
        pytest.skip("SQLite does not look at rows when a key is made")
    evidence = await rehearse_one(
        project,
        'op.create_table("phones", sa.Column("number", sa.String(20), primary_key=True))\n'
        'op.create_foreign_key("known", "users", "phones", ["phone"], ["number"])',
        'op.drop_constraint("known", "users", type_="foreignkey")\nop.drop_table("phones")',
    )
    assert evidence.verdict.value in {"lossless", "residue"}, "MariaDB keeps an index"
    assert evidence.rows == 0, "which is said: on empty tables"
    assert evidence.notes[-1].text.endswith("; it may want values that cannot be made up")


async def test_what_a_downgrade_demands_again_of_rows_written_since_is_a_failing_rollback(project):
    project.add(
        "t",
        'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True),'
        ' sa.Column("kind", sa.Boolean, nullable=False))\n'
        'op.create_index("one", "t", ["kind"], unique=True)',
        'op.drop_table("t")',
    )
    project.add(
        "it", 'op.drop_index("one", "t")', 'op.create_index("one", "t", ["kind"], unique=True)'
    )
    events = await collect(project, "it", rows=4)
    (evidence,) = [e.evidence for e in events if isinstance(e, RevisionFinished)]
    assert evidence.verdict.value == "failed"


async def test_what_a_downgrade_takes_shows_with_old_rows_where_it_stops_at_new_ones(project):
    evidence = await rehearse_one(
        project,
        'op.add_column("users", sa.Column("n", sa.Integer))',
        """
        import math
        for row in op.get_bind().execute(sa.text("SELECT n FROM users WHERE n > 0")).fetchall():
            math.exp(row[0])
        op.execute("UPDATE users SET phone = NULL WHERE length(bio) > 30")
        with op.batch_alter_table("users") as batch:
            batch.drop_column("n")
        """,
    )
    assert {(x.table, x.column) for x in evidence.old_losses()} == {("users", "phone")}


@pytest.mark.parametrize("key", ["unique=True", "nullable=False"])
@pytest.mark.parametrize("column", ["email", "homepage", "title"])
async def test_what_fits_only_now_stops_a_narrowing_downgrade(project, column, key):
    if project.dialect == "sqlite":
        pytest.skip("SQLite holds a text of any length in a column of any")
    project.add(
        "t",
        'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), '
        f'sa.Column("{column}", sa.String(40), {key}))',
    )
    project.add(
        "it",
        f'op.alter_column("t", "{column}", type_=sa.Text())',
        f'op.alter_column("t", "{column}", type_=sa.String(40))',
    )
    events = await collect(project, "it", rows=20)
    (evidence,) = [e.evidence for e in events if isinstance(e, RevisionFinished)]
    assert evidence.verdict.value == "failed"
    assert "too long" in (evidence.reason or "")
