"""Rows that a project gives itself, where those that are made up cannot show what matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.plan import CannotRun
from rehearsal.conftest import KINDS

pytestmark = KINDS


@pytest.fixture
def rows(project) -> Path:
    """Where they are kept; the second revision understands one kind of value only."""
    project.add(
        "aaaa",
        'op.create_table("places", sa.Column("id", sa.Integer, primary_key=True),'
        ' sa.Column("at", sa.String(40), nullable=False))',
        'op.drop_table("places")',
    )
    project.add(
        "bbbb",
        """
        op.add_column("places", sa.Column("north", sa.String(40)))
        for key, at in op.get_bind().execute(sa.text("SELECT id, at FROM places")).fetchall():
            north = at.split(" by ")[1].strip()
            op.execute(f"UPDATE places SET north = '{north}', at = 'moved' WHERE id = {key}")
        """,
        """
        op.execute("UPDATE places SET at = 'x by x'")
        op.drop_column("places", "north")
        """,
    )
    folder = project.folder / "rows"
    folder.mkdir()
    return folder


BEFORE = """
-- two; places
INSERT INTO places (id, at) VALUES (1, 'here; by there');
INSERT INTO places (id, at) VALUES (2, '50% by 60%');
"""


@pytest.mark.usefixtures("rows")
async def test_made_up_rows_do_not_get_through(rehearsed):
    evidence = (await rehearsed(rows=5))["bbbb"]
    assert evidence.rows == 0
    assert evidence.losses == ()


async def test_rows_before_the_upgrade_are_measured(rows, rehearsed):
    (rows / "bbbb.before.sql").write_text(BEFORE)
    evidence = (await rehearsed(rows=5, own_rows="rows"))["bbbb"]
    assert evidence.verdict is Verdict.LOSSY
    (loss,) = [loss for loss in evidence.losses if loss.step == "round trip"]
    assert (loss.table, loss.column, loss.lost, loss.rows) == ("places", "at", 2, 2)


async def test_rows_after_the_upgrade_are_there_for_the_downgrade(project, rows, rehearsed):
    project.add(
        "cccc",
        'op.execute("UPDATE places SET at = at")',
        """
        for at, in op.get_bind().execute(sa.text("SELECT at FROM places")).fetchall():
            if "new" in at:
                op.execute("DROP TABLE nowhere")
        """,
    )
    (rows / "cccc.before.sql").write_text(BEFORE.replace("places (id, at)", "places(id, at)"))
    assert (await rehearsed("cccc", rows=5, own_rows="rows"))["cccc"].verdict is Verdict.LOSSLESS
    (rows / "cccc.after.sql").write_text("INSERT INTO places (id, at) VALUES (9, 'new')")
    evidence = (await rehearsed("cccc", rows=5, own_rows="rows"))["cccc"]
    assert evidence.verdict is Verdict.FAILED
    assert "nowhere" in (evidence.reason or "")
    assert [each.text for each in evidence.notes] == [
        "with the rows from before the upgrade alone `downgrade()` works"
    ]


async def test_python_may_make_them(rows, rehearsed):
    (rows / "bbbb.py").write_text(
        "from sqlalchemy import text\n"
        "def before(connection):\n"
        "    for i in range(3):\n"
        "        connection.execute(text(\"INSERT INTO places (id, at) VALUES (:i, 'a by b')\"),"
        ' {"i": i + 1})\n'
    )
    evidence = (await rehearsed(rows=5, own_rows="rows"))["bbbb"]
    assert {(loss.lost, loss.rows) for loss in evidence.old_losses()} == {(3, 3)}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("bbbb.before.sql", f"{BEFORE}-- gone\nDROP TABLE nowhere;", " line 6 failed: "),
        ("bbbb.before.sql", "INSERT INTO places (id) VALUES (1)", " line 1 failed: "),
        (
            "bbbb.py",
            "def before(c):\n    raise ValueError('none')",
            " line 2 failed: ValueError: none",
        ),
        ("bbbb.py", "def befor(c): ...", " failed: it has neither `before(connection)` nor `aft"),
        ("bbbb.py", "def before(", " line 1 failed: SyntaxError: '(' was never closed"),
    ],
)
async def test_a_file_that_fails_is_named_and_leaves_nothing(rows, rehearsed, name, text, said):
    (rows / name).write_text(text)
    found = await rehearsed(rows=5, own_rows="rows")
    assert found["bbbb"].verdict is Verdict.SKIPPED
    assert f"your own rows for it could not be put in: `{name}`{said}" in (
        found["bbbb"].reason or ""
    )
    assert found["aaaa"].verdict is Verdict.LOSSLESS


@pytest.mark.usefixtures("rows")
async def test_a_folder_that_is_not_there_is_said(rehearsed):
    with pytest.raises(CannotRun, match="set `own-rows` to the folder"):
        await rehearsed(own_rows="nowhere")
