"""What only SQLite does: rebuilds tables, and cannot change some things otherwise."""

from __future__ import annotations

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.events import RevisionFinished
from rehearsal.conftest import collect
from rehearsal.test_verdicts import users


async def test_what_the_database_cannot_do_is_a_failure_and_no_refusal(project, rehearsed):
    users(project)
    project.add(
        "key",
        'with op.batch_alter_table("users") as b:\n    b.create_unique_constraint("uq", ["id"])',
        'op.drop_constraint("uq", "users", type_="unique")',
    )
    evidence = (await rehearsed())["key"]
    assert evidence.verdict is Verdict.FAILED
    assert "No support for ALTER of constraints in SQLite" in (evidence.reason or "")


@pytest.mark.parametrize("on", [True, False], ids=["enforced", "not enforced"])
async def test_rebuilding_a_parent_can_empty_its_children(tmp_path, on):
    from rehearsal.test_histories import FOREIGN_KEYS_ON

    folder = tmp_path / "cascade"
    folder.mkdir()
    project = AlembicProject(folder, env=FOREIGN_KEYS_ON) if on else AlembicProject(folder)
    project.add(
        "tables",
        """
        op.create_table(
            "parents",
            sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(9)),
        )
        op.create_table(
            "children",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("parent", sa.Integer, sa.ForeignKey("parents.id", ondelete="CASCADE")),
        )
        """,
        'op.drop_table("children")\nop.drop_table("parents")',
    )
    batch = 'with op.batch_alter_table("parents", recreate="always") as batch:\n    '
    change = batch + 'batch.alter_column("name", type_=sa.String(20))'
    project.add("it", change, change.replace("20", "9"))
    events = await collect(project, "it", rows=4)
    (evidence,) = [e.evidence for e in events if isinstance(e, RevisionFinished)]
    gone = {(x.table, x.column, x.lost, x.rows, x.step) for x in evidence.old_losses()}
    if on:
        # One of the four has no parent.
        assert gone == {("children", None, 3, 4, "upgrade")}
    else:
        assert gone == set()
