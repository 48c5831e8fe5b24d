"""What is before a revision is applied once; while nothing changes, later runs begin behind it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.rehearsal.events import RevisionFinished, StepStarted
from alembic_roundtrip.rehearsal.kept import Shelf
from rehearsal.conftest import KEPT, collect, timeless

pytestmark = KEPT

USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(30), nullable=False),
    sa.Column("mood", sa.Enum("sad", "glad", name="mood"), nullable=False),
    sa.Column("extra", sa.JSON),
)
op.execute("INSERT INTO users (id, name, mood) VALUES (1, 'first', 'glad')")
"""
DROP_USERS = """
op.drop_table("users")
sa.Enum(name="mood").drop(op.get_bind())
"""
DROP_NAME = (
    'with op.batch_alter_table("users") as batch: batch.drop_column("name")',
    'op.add_column("users", sa.Column("name", sa.String(30), server_default=""))',
)
EXTRA = """
op.execute("DELETE FROM users WHERE id = 1")
with op.batch_alter_table("users") as batch:
    batch.alter_column("extra", existing_type=sa.JSON, nullable={})
"""
REVISIONS = {
    "a column comes and goes": (
        'op.add_column("users", sa.Column("more", sa.Integer))',
        'with op.batch_alter_table("users") as batch: batch.drop_column("more")',
    ),
    "a column is lost": DROP_NAME,
    "an index stays": ('op.create_index("ix", "users", ["name"])', "pass"),
    "rows are in the way": (EXTRA.format("True"), EXTRA.format("False")),
    "rows that were there change": (
        "op.execute(\"UPDATE users SET name = 'other' WHERE id = 1\")",
        "pass",
    ),
    "it raises": ('raise ValueError("no")', "pass"),
    "it refuses": ("pass", 'raise NotImplementedError("there is no way back")'),
    "it ends the process": ("import os; os._exit(3)", "pass"),
}


@pytest.fixture
def history(project: AlembicProject) -> AlembicProject:
    """Twelve revisions, and one to rehearse."""
    project.add("users", USERS, DROP_USERS)
    for number in range(11):
        project.add(f"step{number}", f'op.create_table("t{number}", sa.Column("id", sa.Integer))')
    project.add("last", *REVISIONS["a column comes and goes"])
    return project


async def rehearsed(
    project: AlembicProject, revision: str = "last", **settings: object
) -> tuple[RevisionEvidence, bool]:
    """The evidence of a revision, without times, and whether others were applied before."""
    events = await collect(project, revision, **settings)
    (found,) = (event.evidence for event in events if isinstance(event, RevisionFinished))
    others = {event.revision for event in events if isinstance(event, StepStarted)} - {revision}
    return timeless(found), bool(others)


def cache() -> Path:
    return Path(os.environ["XDG_CACHE_HOME"]) / "alembic-roundtrip" / "states"


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


async def test_what_decides_the_state_makes_another_one(history):
    module = history.folder / "helper.py"
    module.write_text("NAME = 'one'\n")
    (history.folder / "rows.sql").write_text("SELECT 1")
    uses = "import pathlib, helper; op.execute(pathlib.Path('rows.sql').read_text())"
    history.rewrite("step5", uses, after="step4")
    env = history.folder / "migrations" / "env.py"
    ini = history.folder / "alembic.ini"
    await rehearsed(history)

    def appended(file: Path, text: str) -> None:
        file.write_text(file.read_text() + text)

    for change in (
        lambda: appended(env, "\nassert True\n"),
        lambda: appended(ini, "\n[other]\n"),
        lambda: module.write_text("NAME = 'two'\n"),
        lambda: (history.folder / "rows.sql").write_text("SELECT 2"),
        lambda: history.rewrite("step6", "pass", after="step5"),
    ):
        assert (await rehearsed(history))[1] is False
        change()
        assert (await rehearsed(history))[1] is True
    assert (await rehearsed(history, x_arguments=("a=b",)))[1] is True
    assert (await rehearsed(history, env={"SOMETHING": "else"}))[1] is True
    assert (await rehearsed(history))[1] is False


LISTS = {
    "a migration lists": "import os; sorted(os.listdir('data'))",
    "a migration globs": "import pathlib; list(pathlib.Path('.').glob('*/*.sql'))",
    "a migration walks": "import os; list(os.walk('data'))",
    "a migration looks for modules": "import pkgutil; list(pkgutil.iter_modules(['data']))",
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_file_that_comes_or_goes_where_a_folder_was_listed_makes_another(history, name):
    (history.folder / "data").mkdir()
    history.rewrite("step5", LISTS[name], after="step4")
    await rehearsed(history)
    assert (await rehearsed(history))[1] is False
    new = history.folder / "data" / "new.sql"
    new.write_text("SELECT 1")
    assert (await rehearsed(history))[1] is True
    assert (await rehearsed(history))[1] is False
    new.unlink()
    assert (await rehearsed(history))[1] is True


async def test_a_module_that_env_py_finds_by_listing_makes_another_state(history):
    (history.folder / "models").mkdir()
    env = history.folder / "migrations" / "env.py"
    env.write_text(f"import glob\nfound = glob.glob('models/*.py')\n{ENV}")
    await rehearsed(history)
    assert (await rehearsed(history))[1] is False
    (history.folder / "models" / "users.py").write_text("")
    assert (await rehearsed(history))[1] is True


async def test_sql_beside_the_migrations_makes_another_state(history):
    script = history.versions / "step5.sql"
    script.write_text('INSERT INTO "t1" (id) VALUES (1)')
    reads = "import pathlib; op.execute(pathlib.Path(__file__).with_name('step5.sql').read_text())"
    history.rewrite("step5", reads, after="step4")
    await rehearsed(history)
    assert (await rehearsed(history))[1] is False
    script.write_text('INSERT INTO "t1" (id) VALUES (2)')
    assert (await rehearsed(history))[1] is True
    assert (await rehearsed(history))[1] is False
    (history.versions / "step6.sql").write_text("SELECT 1")
    assert (await rehearsed(history))[1] is True


async def test_what_only_imports_and_editors_look_at_leaves_the_state_in_use(history):
    (history.folder / "helper.py").write_text("NAME = 'one'\n")
    history.rewrite("step5", "import helper", after="step4")
    await rehearsed(history)
    (history.folder / "notes.txt").write_text("new")
    (history.versions / ".step5_.py.swp").write_text("open")
    (history.versions / "step5_.py~").write_text("as it was")
    (history.versions / "__pycache__").mkdir(exist_ok=True)
    assert (await rehearsed(history))[1] is False


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


@pytest.fixture
def other_python(tmp_path: Path) -> Path:
    """A Python of its own, with the packages of this one."""
    home = tmp_path / "python"
    venv.create(home, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    (packages / "all.pth").write_text("\n".join(path for path in sys.path if path))
    return home / "bin" / "python"


async def test_another_python_or_what_is_installed_there_makes_another_state(history, other_python):
    python = {"python": str(other_python)}
    await rehearsed(history)
    assert (await rehearsed(history, **python))[1] is True
    assert (await rehearsed(history, **python))[1] is False
    (packages,) = other_python.parent.parent.glob("lib/python*/site-packages")
    (packages / "alembic-99.dist-info").mkdir()
    assert (await rehearsed(history, **python))[1] is True
    assert (await rehearsed(history))[1] is False


@pytest.mark.parametrize("name", ["python", "alembic", "sqlalchemy"])
async def test_a_state_of_another_version_is_not_taken_over(history, name):
    cold, _ = await rehearsed(history)
    (manifest,) = cache().rglob("manifest.json")
    told = json.loads(manifest.read_text())
    told["versions"][name] = "0.9"
    manifest.write_text(json.dumps(told))
    assert await rehearsed(history) == (cold, True)
    assert await rehearsed(history) == (cold, False)


async def test_what_decides_nothing_leaves_the_state_in_use(history):
    await rehearsed(history)
    script = history.versions / "step3_.py"
    script.write_text(script.read_text().replace('"""step3"""', '"""Say more of step 3."""'))
    history.add("later", 'op.create_table("later", sa.Column("id", sa.Integer))')
    assert (await rehearsed(history))[1] is False


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


def test_states_are_bounded_in_number(kind, tmp_path):
    assert kind
    shelf = Shelf(tmp_path / "states")
    state = tmp_path / "state"
    state.mkdir()
    (state / "database").write_bytes(b"x")
    told = {"versions": {}, "places": {}, "sources": [], "listed": []}
    for number in range(40):
        shelf.put(f"state{number}", state, told)
    names = [entry.name for entry in (tmp_path / "states").iterdir()]
    assert len(names) == 24
    assert "state39" in names


async def test_a_second_database_is_in_no_state(history):
    if history.dialect != "sqlite":
        pytest.skip("another database on a server is refused")
    other = "sa.create_engine('sqlite:///second.db').begin()"
    makes = f"with {other} as c: c.exec_driver_sql('CREATE TABLE s (id INTEGER)')"
    reads = f"with {other} as c: c.execute(sa.table('s').delete())"
    history.rewrite("step5", makes, "pass", after="step4")
    history.rewrite("last", reads, "pass", after="step10")
    cold, _ = await rehearsed(history)
    assert cold.verdict is Verdict.LOSSLESS
    assert await rehearsed(history) == (cold, True)


async def test_a_file_that_was_missing_makes_another_state_once_it_is_there(history):
    extra = history.folder / "extra.txt"
    looks = "try:\n    open('extra.txt')\nexcept FileNotFoundError:\n    pass"
    history.rewrite("step5", looks, "pass", after="step4")
    await rehearsed(history)
    assert (await rehearsed(history))[1] is False
    extra.write_text("there")
    assert (await rehearsed(history))[1] is True


async def test_a_file_that_is_saved_in_mid_run_is_not_taken_for_what_was_run(history):
    helper = history.folder / "helper.py"
    helper.write_text("NAME = 'one'\n")
    history.rewrite("step5", "import helper, time; time.sleep(1)", "pass", after="step4")

    async def save() -> None:
        await asyncio.sleep(0.5)
        helper.write_text("NAME = 'two'\n")

    await asyncio.gather(rehearsed(history), save())
    assert (await rehearsed(history))[1] is True
    assert (await rehearsed(history))[1] is False


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
    cold, _ = await rehearsed(history)
    assert await rehearsed(history) == (cold, False)
    history.rewrite("step5", f"op.execute({UNCOPIED[name]!r})", after="step4")
    cold, _ = await rehearsed(history)
    assert await rehearsed(history) == (cold, True)
