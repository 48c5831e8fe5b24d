"""What is before a revision is applied once; while nothing changes, later runs begin behind it."""

from __future__ import annotations

import shutil

import pytest

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.rehearsal.events import RevisionFinished, StepStarted
from rehearsal.conftest import KEPT, collect, timeless
from rehearsal.kept_history import REVISIONS, cache, rehearsed, twelve_and_one

pytestmark = KEPT


@pytest.fixture
def history(project: AlembicProject) -> AlembicProject:
    return twelve_and_one(project)


async def test_a_second_run_begins_behind_what_the_first_applied(history):
    cold, applied = await rehearsed(history)
    assert (cold.verdict, applied) == (Verdict.LOSSLESS, True)
    assert await rehearsed(history) == (cold, False)


@pytest.mark.parametrize("name", REVISIONS)
async def test_every_verdict_is_the_same_from_a_kept_state(history, name):
    await rehearsed(history)
    history.rewrite("last", *REVISIONS[name], after="step10")
    warm, applied = await rehearsed(history)
    assert not applied
    shutil.rmtree(cache())
    assert await rehearsed(history) == (warm, True)


async def test_a_merge_begins_behind_both_its_parents(history):
    history.add("left", 'op.create_table("l", sa.Column("id", sa.Integer))', after="step10")
    history.add("right", 'op.create_table("r", sa.Column("id", sa.Integer))', after="step10")
    history.add("merge", after=("left", "right"))
    cold, applied = await rehearsed(history, "merge")
    assert (cold.verdict, applied) == (Verdict.LOSSLESS, True)
    assert await rehearsed(history, "merge") == (cold, False)


async def test_rows_of_ones_own_are_the_ones_of_now(history):
    rows = history.folder / "rows"
    rows.mkdir()
    own = rows / "last.before.sql"
    insert = "INSERT INTO users (id, name, mood) VALUES ({}, '{}', 'sad');"
    history.rewrite("last", *REVISIONS["rows that were there change"], after="step10")
    own.write_text(insert.format(501, "own"))
    await rehearsed(history, own_rows="rows")
    own.write_text("".join(insert.format(500 + number, number) for number in range(4)))
    warm, applied = await rehearsed(history, own_rows="rows")
    assert not applied
    shutil.rmtree(cache())
    assert await rehearsed(history, own_rows="rows") == (warm, True)
    own.write_text("INSERT INTO nothing (id) VALUES (1);")
    broken, _ = await rehearsed(history, own_rows="rows")
    assert broken != warm


@pytest.mark.parametrize("file", ["types.pickle", "manifest.json"])
async def test_a_damaged_state_is_made_anew(history, file):
    cold, _ = await rehearsed(history)
    (damaged,) = cache().rglob(file)
    damaged.write_bytes(b"damaged")
    assert await rehearsed(history) == (cold, True)
    assert await rehearsed(history) == (cold, False)


async def test_behind_a_revision_that_cannot_be_applied_nothing_is_kept(history):
    history.rewrite("step10", 'raise ValueError("no")', after="step9")
    undone = history.dialect == "postgresql"
    for _ in range(2):
        found, applied = await rehearsed(history)
        assert found.verdict is (Verdict.LOSSLESS if undone else Verdict.SKIPPED)
        assert applied


async def test_types_made_inside_a_migration_are_not_kept(history):
    made = "class Own(sa.types.TypeDecorator):\n    impl = sa.String\n    cache_ok = True\n"
    column = 'op.add_column("users", sa.Column("own", Own(20)))'
    history.rewrite("step4", made + column, after="step3")
    cold, _ = await rehearsed(history)
    assert await rehearsed(history) == (cold, True)


DEFINES = """
from alembic.operations import MigrateOperation, Operations

@Operations.register_operation("say_one")
class SayOne(MigrateOperation):
    @classmethod
    def say_one(cls, operations):
        operations.execute("SELECT 1")
"""


async def test_what_another_script_defines_is_there_behind_a_kept_state(history):
    history.add(
        "step5", 'op.create_table("t5", sa.Column("id", sa.Integer))', after="step4", head=DEFINES
    )
    history.rewrite("last", "op.say_one()", "pass", after="step10")
    cold, _ = await rehearsed(history)
    assert cold.verdict is Verdict.LOSSLESS
    assert await rehearsed(history) == (cold, True)
    history.rewrite("last", "pass", "pass", after="step10")
    assert (await rehearsed(history))[1] is False


LOOKS_AROUND = """
import gc, types
modules = [each for each in gc.get_objects() if isinstance(each, types.ModuleType)]
names = [vars(each).get("revision") for each in modules]
if [name for name in names if isinstance(name, str) and name.startswith("step")]:
    raise RuntimeError("others are loaded")
"""


async def test_behind_a_kept_state_no_other_script_is_loaded(history):
    history.rewrite("last", LOOKS_AROUND, "pass", after="step10")
    cold, _ = await rehearsed(history)
    assert "others are loaded" in str(cold.reason)
    warm, applied = await rehearsed(history)
    assert (warm.verdict, applied) == (Verdict.LOSSLESS, False)


async def test_a_mistake_in_python_is_one_with_all_scripts_loaded(history):
    await rehearsed(history)
    history.rewrite("last", "op.no_such_operation()", "pass", after="step10")
    found, applied = await rehearsed(history)
    assert (found.verdict, applied) == (Verdict.FAILED, True)


async def test_an_env_py_that_looks_at_the_history_sees_all_of_it(history):
    env = "assert len(list(context.script.walk_revisions())) == 13\n"
    (history.folder / "migrations" / "env.py").write_text(
        ENV.replace("engine = engine", f"{env}engine = engine")
    )
    cold, _ = await rehearsed(history)
    assert await rehearsed(history) == (cold, False)


async def verdicts(project: AlembicProject, *revisions: str) -> tuple[list[RevisionEvidence], bool]:
    """The evidence of all that is rehearsed, and whether others were applied before."""
    events = await collect(project, *revisions)
    found = [timeless(event.evidence) for event in events if isinstance(event, RevisionFinished)]
    others = {event.revision for event in events if isinstance(event, StepStarted)}
    return found, not others <= {each.revision for each in found}


@pytest.mark.parametrize("named", [("step9:",), ("step9:step10", "last"), ("last", "step10")])
async def test_revisions_in_a_row_begin_behind_the_first_of_them(history, named):
    history.rewrite("last", *REVISIONS["a column is lost"], after="step10")
    cold, applied = await verdicts(history, *named)
    assert applied
    assert await verdicts(history, *named) == (cold, False)
    history.rewrite("step10", "pass", after="step9")
    warm, applied = await verdicts(history, *named)
    assert not applied
    shutil.rmtree(cache())
    assert await verdicts(history, *named) == (warm, True)


async def test_a_range_whose_first_revision_ends_the_process_goes_on(history):
    history.rewrite("step10", "pass", "import os; os._exit(3)", after="step9")
    cold, _ = await verdicts(history, "step10:")
    assert [each.verdict.value for each in cold] == ["failed", "lossless"]
    assert await verdicts(history, "step10:") == (cold, False)


async def test_revisions_with_others_between_them_begin_at_the_base(history):
    cold, _ = await verdicts(history, "step9", "last")
    assert await verdicts(history, "step9", "last") == (cold, True)


async def test_a_branch_that_goes_on_beside_a_range_is_in_no_state_of_it(history):
    history.add("left", 'op.create_table("l", sa.Column("id", sa.Integer))', after="step10")
    history.add("right", 'op.create_table("r", sa.Column("id", sa.Integer))', after="step10")
    history.add("merge", after=("left", "right"))
    both, _ = await verdicts(history, "left", "merge")
    assert await verdicts(history, "left", "merge") == (both, True)
    whole, _ = await verdicts(history, "left:")
    assert [each.revision for each in whole] == ["left", "merge"]


UNCOPIED = {
    "default privileges": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "a setting of the database": "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET "
    "search_path = public, pg_temp', current_database()); END$$",
    "a setting of the role": "ALTER ROLE CURRENT_USER SET statement_timeout = '1min'",
    "privileges on the database": "DO $$BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I "
    "TO PUBLIC', current_database()); END$$",
}


@pytest.mark.parametrize("name", UNCOPIED)
async def test_what_no_copy_of_a_database_has_is_in_no_state(history, name):
    if history.dialect != "postgresql":
        pytest.skip("SQLite has no such things")
    history.rewrite("step5", f"op.execute({UNCOPIED[name]!r})", after="step4")
    cold, _ = await rehearsed(history)
    assert await rehearsed(history) == (cold, True)
