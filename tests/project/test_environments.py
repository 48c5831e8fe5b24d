from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alembic_roundtrip.config import Settings
from alembic_roundtrip.history.scan import load_history, migration_files
from alembic_roundtrip.project import (
    Environment,
    environment_of,
    find_environments,
)
from project.environment_files import MIGRATION, PLAIN, found, one, write


def test_nothing_is_imported_or_run_to_find_an_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "alembic.ini": "[alembic]\nscript_location = app:mig\nprepend_sys_path = .\n",
            "app/__init__.py": "raise RuntimeError",
            "app/mig/env.py": "raise RuntimeError",
            "app/mig/versions/a.py": MIGRATION.format("aaaa", None) + "raise RuntimeError\n",
        },
    )
    program = (
        "import sys; from pathlib import Path; from alembic_roundtrip.config import Settings\n"
        "from alembic_roundtrip.project import find_environments\n"
        "from alembic_roundtrip.history.scan import load_history\n"
        "(e,) = find_environments(Path(sys.argv[1]), Settings())\n"
        "assert load_history(e).heads == ('aaaa',)\n"
        "print(sorted(sys.modules.keys() & {'alembic', 'sqlalchemy', 'libcst', 'pygls', 'app'}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert run.stdout == "[]\n"


def test_flask_migrates_folder_is_the_script_location_and_its_parent_runs(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "web/migrations/alembic.ini": "[alembic]\n# template used\n[loggers]\nkeys = root\n",
            "web/migrations/env.py": "",
            "web/migrations/versions/a.py": MIGRATION.format("aaaa", None),
        },
    )
    environment = one(tmp_path)
    assert environment.folder == tmp_path / "web"
    assert environment.script_location == tmp_path / "web/migrations"
    assert environment.version_locations == (tmp_path / "web/migrations/versions",)
    assert environment.problems == ()


def test_flask_migrates_folder_inside_of_a_package_runs_where_the_package_is_imported(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        {
            "src/web/__init__.py": "",
            "src/web/db/__init__.py": "",
            "src/web/db/migrations/alembic.ini": "[alembic]\n",
            "src/web/db/migrations/env.py": "",
            "src/web/db/migrations/versions/a.py": MIGRATION.format("aaaa", None),
        },
    )
    environment = one(tmp_path)
    assert environment.folder == tmp_path / "src"
    assert environment.script_location == tmp_path / "src/web/db/migrations"


def test_a_bare_folder_of_migrations_is_an_environment(tmp_path: Path) -> None:
    write(tmp_path, {"some/a.py": MIGRATION.format("aaaa", None)})
    environment = one(tmp_path)
    assert environment.config is None
    assert environment.version_locations == (tmp_path / "some",)
    assert environment.env_py is None


def test_a_program_with_the_text_of_a_migration_is_none(tmp_path: Path) -> None:
    migration = '"""One."""\nrevision = "a1"\ndown_revision = None\n'
    write(tmp_path, {"make.py": f"print('''{migration}''')\n", "versions/a1_one.py": migration})
    (found,) = find_environments(tmp_path, Settings())
    assert found.version_locations == (tmp_path / "versions",)


def test_a_bare_folder_finds_its_env_py_and_its_nested_folders(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "app/db/env.py": "from alembic import context\n",
            "app/db/versions/2023/a.py": MIGRATION.format("aaaa", None),
            "app/db/versions/2024/b.py": MIGRATION.format("bbbb", "aaaa"),
        },
    )
    environment = one(tmp_path)
    assert environment.folder == tmp_path / "app"
    assert environment.script_location == tmp_path / "app/db"
    assert environment.version_locations == (tmp_path / "app/db/versions",)
    assert environment.recursive
    assert load_history(environment).heads == ("bbbb",)


@pytest.mark.parametrize(
    ("revision", "count"), [("bbbb", 1), ("cccc", 2)], ids=["a copy", "another history"]
)
def test_copies_put_aside_are_no_environment(tmp_path: Path, revision: str, count: int) -> None:
    aside = {"old_versions/b.py": MIGRATION.format(revision, "aaaa")}
    write(tmp_path, PLAIN | aside | {"mig/versions/b.py": MIGRATION.format("bbbb", "aaaa")})
    assert len(found(tmp_path)) == count
    named = find_environments(tmp_path, Settings(), [tmp_path / "old_versions/b.py"])
    assert len(named) == 2


def test_folders_left_out_by_a_configuration_are_no_environment(tmp_path: Path) -> None:
    old = {"mig/versions/old/a.py": MIGRATION.format("aaaa", None)}
    write(tmp_path, PLAIN | old | {"mig/versions/b.py": MIGRATION.format("bbbb", None)})
    assert len(found(tmp_path)) == 1


@pytest.mark.parametrize(
    "folder",
    [
        ".venv",
        "node_modules/x",
        ".git",
        "lib/python3/site-packages/x",
        "myenv",
        "conda",
        "build/lib",
        "build/lib.linux-x86_64-3.12",
        "__pypackages__/3.12/lib",
    ],
)
def test_installed_and_hidden_folders_are_not_searched(tmp_path: Path, folder: str) -> None:
    write(tmp_path, {f"{folder}/{name}": text for name, text in PLAIN.items()})
    write(tmp_path, {"myenv/pyvenv.cfg": "", "conda/conda-meta/history": ""})
    assert found(tmp_path) == ()


@pytest.mark.parametrize("written", ["/usr/src/gone/web/mig", "/gone/mig", "gone"])
def test_flask_migrate_ignores_a_location_that_does_not_exist(tmp_path: Path, written: str) -> None:
    write(
        tmp_path,
        {
            "web/mig/alembic.ini": f"[alembic]\nscript_location = {written}\n",
            "web/mig/env.py": "from alembic import context\n",
            "web/mig/versions/a.py": MIGRATION.format("aaaa", None),
        },
    )
    environment = one(tmp_path)
    assert environment.script_location == tmp_path / "web/mig"
    assert environment.problems == ()


def test_an_absolute_path_in_a_container_stands_for_the_folder_here(tmp_path: Path) -> None:
    ini = "[alembic]\nscript_location = /gone/app/db/mig\nversion_locations = /gone/app/db/v\n"
    write(tmp_path, {"app/alembic.ini": ini, "app/db/mig/env.py": ""})
    write(tmp_path, {"app/db/v/a.py": MIGRATION.format("aaaa", None)})
    environment = one(tmp_path)
    assert environment.script_location == tmp_path / "app/db/mig"
    assert environment.version_locations == (tmp_path / "app/db/v",)
    assert environment.problems == ()


@pytest.mark.parametrize("linked", ["mig", "mig/versions"])
def test_what_a_link_leads_to_is_no_other_environment(tmp_path: Path, linked: str) -> None:
    inside = "versions/" if linked == "mig" else ""
    write(tmp_path, {f"real/{inside}a.py": MIGRATION.format("aaaa", None), "alembic.ini": ""})
    (tmp_path / linked).parent.mkdir(exist_ok=True)
    (tmp_path / linked).symlink_to(tmp_path / "real")
    write(tmp_path, PLAIN)
    assert load_history(one(tmp_path)).heads == ("aaaa",)


def test_only_alembics_env_py_makes_folders_one_environment(tmp_path: Path) -> None:
    write(tmp_path, {f"{name}/mig/a.py": MIGRATION.format(name, None) for name in ("one", "two")})
    write(tmp_path, {"env.py": "DEBUG = True\n"})
    assert [e.version_locations for e in found(tmp_path)] == [
        (tmp_path / "one/mig",),
        (tmp_path / "two/mig",),
    ]


def test_every_section_with_a_location_is_an_environment(tmp_path: Path) -> None:
    text = "[alembic]\nscript_location = one\n[second]\nscript_location = two\n[loggers]\nkeys=x\n"
    write(tmp_path, {"alembic.ini": text, "one/env.py": "", "two/env.py": ""})
    assert [e.section for e in found(tmp_path)] == ["alembic", "second"]
    assert one(tmp_path, name="second").script_location == tmp_path / "two"


def test_a_template_stands_for_an_ini_file_that_nobody_has_made(tmp_path: Path) -> None:
    template = "[alembic]\nscript_location = db\nversion_locations = db/other\n"
    write(tmp_path, {"alembic.ini.example": template, "db/env.py": "", "db/other/a.py": ""})
    assert one(tmp_path).version_locations == (tmp_path / "db" / "other",)
    write(tmp_path, {"alembic.ini": "[alembic]\nscript_location = db\n"})
    assert one(tmp_path).version_locations == (tmp_path / "db" / "versions",)


def test_two_configurations_are_both_found_and_one_can_be_named(tmp_path: Path) -> None:
    write(tmp_path, PLAIN | {"test.ini": "[alembic]\nscript_location = mig\n"})
    assert [e.config.name for e in found(tmp_path) if e.config] == ["alembic.ini", "test.ini"]
    assert one(tmp_path, config="test.ini").config == tmp_path / "test.ini"


def test_a_package_is_found_in_the_virtual_environment(tmp_path: Path) -> None:
    packages = ".venv/lib/python3.12/site-packages"
    write(
        tmp_path,
        {
            "alembic.ini": "[alembic]\nscript_location = dist.db:mig\n",
            "editable.ini": "[alembic]\nscript_location = linked:mig\n",
            ".venv/pyvenv.cfg": "",
            f"{packages}/dist/db/mig/env.py": "",
            f"{packages}/linked.pth": f"import nothing\n{tmp_path / 'code'}\n",
            "code/linked/mig/env.py": "",
        },
    )
    locations = [e.script_location for e in found(tmp_path)]
    assert locations == [tmp_path / packages / "dist/db/mig", tmp_path / "code/linked/mig"]


def test_a_package_is_found_around_its_own_configuration(tmp_path: Path) -> None:
    inside = "src/app/db/alembic.ini"
    write(
        tmp_path,
        {
            "src/app/__init__.py": "",
            "src/app/db/__init__.py": "",
            inside: "[alembic]\nscript_location = app.db:mig\n",
            "src/app/db/mig/env.py": "",
            "src/app/db/mig/versions/a.py": MIGRATION.format("aaaa", None),
        },
    )
    for folder in (tmp_path, (tmp_path / inside).parent):
        environment = one(folder)
        assert environment.problems == ()
        assert environment.script_location == tmp_path / "src/app/db/mig"


def test_a_configuration_in_packages_up_to_the_root_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"alembic.ini": "[alembic]\nscript_location = none:mig\n"})
    asked: list[Path] = []
    is_file = Path.is_file

    def everywhere(path: Path) -> bool:
        if path.name != "__init__.py":
            return is_file(path)
        asked.append(path)
        assert asked.count(path) < 9, "the same folder is looked at again and again"
        return True

    monkeypatch.setattr(Path, "is_file", everywhere)
    assert "no package `none` was found" in one(tmp_path).problems[0]
    assert Path("/__init__.py") in asked


def test_a_package_is_found_beside_the_named_python(tmp_path: Path) -> None:
    workspace = tmp_path / "work"
    write(
        tmp_path,
        {
            "work/alembic.ini": "[alembic]\nscript_location = dist:mig\n",
            "away/lib/python3.12/site-packages/dist/mig/env.py": "",
            "away/bin/python": "",
        },
    )
    python = str(tmp_path / "away/bin/python")
    assert one(workspace, python=python).problems == ()
    (problem,) = one(workspace).problems
    assert "no package `dist` was found" in problem


def test_a_file_belongs_to_the_environment_with_the_nearest_location(tmp_path: Path) -> None:
    def environment(name: str, *, recursive: bool) -> Environment:
        folder = tmp_path / name
        return Environment(folder, None, "alembic", folder, (folder,), recursive=recursive)

    outer, inner = environment("a", recursive=True), environment("a/b", recursive=False)
    both = (outer, inner)
    assert environment_of(tmp_path / "a/x.py", both) is outer
    assert environment_of(tmp_path / "a/b/x.py", both) is inner
    assert environment_of(tmp_path / "a/b/c/x.py", both) is outer
    assert environment_of(tmp_path / "x.py", both) is None


def test_a_file_is_found_through_a_link(tmp_path: Path) -> None:
    write(tmp_path, {f"real/{name}": text for name, text in PLAIN.items()})
    write(tmp_path, {"real/mig/versions/a.py": MIGRATION.format("aaaa", None)})
    (tmp_path / "link").symlink_to("real")
    environments = found(tmp_path / "real")
    assert environment_of(tmp_path / "link/mig/versions/a.py", environments) == environments[0]


def test_alembics_choice_of_files_is_kept(tmp_path: Path) -> None:
    names = ["b.py", "a.py", "__init__.py", ".#a.py", "__init__x.py", "c.pyc", "d.txt", ".hid.py"]
    write(tmp_path, PLAIN | {f"mig/versions/{n}": MIGRATION.format(n, None) for n in names})
    (tmp_path / "mig/versions/twin.py").symlink_to("a.py")
    files = migration_files(one(tmp_path))
    assert [f.name for f in files] == [".hid.py", "a.py", "b.py"]


def test_open_files_stand_for_those_on_disk_and_new_ones_are_added(tmp_path: Path) -> None:
    write(tmp_path, PLAIN | {"mig/versions/a.py": MIGRATION.format("aaaa", None)})
    versions = tmp_path / "mig/versions"
    overlay = {
        versions / "a.py": MIGRATION.format("bbbb", None),
        versions / "new.py": MIGRATION.format("cccc", "bbbb"),
        tmp_path / "elsewhere.py": MIGRATION.format("dddd", None),
    }
    history = load_history(one(tmp_path), overlay=overlay)
    assert [(r.id, r.path) for r in history] == [
        ("bbbb", versions / "a.py"),
        ("cccc", versions / "new.py"),
    ]


def test_a_declared_encoding_is_used(tmp_path: Path) -> None:
    write(tmp_path, PLAIN | {"mig/versions/x": ""})
    text = "# -*- coding: latin-1 -*-\nrevision = 'é'\ndown_revision = None\n"
    (tmp_path / "mig/versions/a.py").write_bytes(text.encode("latin-1"))
    assert load_history(one(tmp_path)).heads == ("é",)


def test_a_location_that_an_application_fills_in_is_the_folder_beside_it(tmp_path: Path) -> None:
    ini = "[alembic]\nscript_location = {alembic_dir}\nsqlalchemy.url = {db_url}\n"
    files = {"app/alembic.ini": ini, "app/db/env.py": "import alembic", "app/db/versions/a.py": ""}
    write(tmp_path, files)
    environment = one(tmp_path)
    assert environment.script_location == tmp_path / "app/db"
    assert environment.config == tmp_path / "app/alembic.ini"
    assert environment.problems == ()
    write(tmp_path, {"app/other/env.py": "import alembic"})
    assert "is not a folder" in one(tmp_path).problems[0]


@pytest.mark.parametrize("ini", [PLAIN["alembic.ini"], None])
def test_histories_of_several_dialects_are_environments_of_their_own(
    ini: str | None, tmp_path: Path
) -> None:
    for dialect in ("postgresql", "sqlite"):
        name = f"mig/versions/{dialect}/a.py"
        write(tmp_path, {"mig/env.py": "alembic", name: MIGRATION.format(dialect, None)})
    if ini is not None:
        write(tmp_path, {"alembic.ini": ini})
    histories = {each.dialects: load_history(each).heads for each in found(tmp_path)}
    assert histories == {("postgresql",): ("postgresql",), ("sqlite",): ("sqlite",)}


@pytest.mark.parametrize("other", ["mig/versions/z.py", "mig/versions/data/z.py"])
def test_folders_that_are_only_some_named_after_dialects_stay_together(
    other: str, tmp_path: Path
) -> None:
    names = ("mig/versions/postgresql/a.py", "mig/versions/sqlite/b.py", other)
    write(tmp_path, {**PLAIN, **{name: MIGRATION.format(name, None) for name in names}})
    assert one(tmp_path).version_locations == (tmp_path / "mig" / "versions",)
