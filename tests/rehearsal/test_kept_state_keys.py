"""What decides which state a revision begins in, whatever kind of database keeps it."""

from __future__ import annotations

import asyncio
import json
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.kept import Shelf
from rehearsal.kept_history import cache, rehearsed, twelve_and_one


@pytest.fixture
def history(project: AlembicProject) -> AlembicProject:
    return twelve_and_one(project)


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


def test_states_are_bounded_in_number(tmp_path):
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
