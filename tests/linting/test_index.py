from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip import linting
from alembic_roundtrip.cli import main
from alembic_roundtrip.databases import Database
from alembic_roundtrip.evidence import RevisionEvidence, Verdict, evidence_store
from alembic_roundtrip.index.schemas import Schemas
from alembic_roundtrip.index.store import Store, store_of
from alembic_roundtrip.linting import checking
from alembic_roundtrip.scripts import Scripts

Lint = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlembicProject:
    """Forty migrations with findings, two branches and a merge; the working directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = AlembicProject(tmp_path / "project")
    project.add("r0", 'op.create_table("t", sa.Column("id", sa.Integer), sa.Column("😋", sa.Text))')
    for number in range(1, 36):
        project.add(
            f"r{number}",
            f'op.add_column("t", sa.Column("c{number}", sa.String(30), server_default="é"))',
            f'op.drop_column("t", "c{number if number % 3 else number - 1}")',
        )
    project.add("side", 'op.drop_column("t", "😋")', after="r20")
    project.add("both", after=("r35", "side"))
    project.add("last", 'op.drop_column("t", "c5")', 'op.add_column("t", sa.Column("c5"))')
    monkeypatch.chdir(project.folder)
    return project


@pytest.fixture
def lint(capsys: pytest.CaptureFixture[str]) -> Lint:
    def run(*arguments: str) -> str:
        main(["lint", "--format", "json", *arguments])
        return capsys.readouterr().out

    return run


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are checked, rather than known from the last time."""
    names: list[str] = []
    original = checking.check

    def check(job: checking.Job, files: Any) -> Iterator[checking.Checked]:
        names.extend(file.name for file in files)
        return original(job, files)

    monkeypatch.setattr(linting, "check", check)
    return names


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("form", ["text", "concise", "json", "sarif", "github", "junit"])
def test_what_is_known_is_reported_as_what_is_found(lint: Lint, form: str) -> None:
    alone = lint("--format", form, "--no-cache")
    assert [lint("--format", form), lint("--format", form)] == [alone, alone]
    assert lint("--format", form, "--hints") == lint("--format", form, "--hints", "--no-cache")


@pytest.mark.usefixtures("project")
def test_one_format_does_with_what_another_one_left(lint: Lint) -> None:
    alone = {form: lint("--format", form, "--no-cache") for form in ("text", "json", "concise")}
    for form in ("concise", "text", "json", "text", "concise", "json"):
        assert lint("--format", form) == alone[form]


@pytest.mark.usefixtures("project")
def test_nothing_is_checked_twice(lint: Lint, checked: list[str]) -> None:
    lint()
    assert len(checked) == 39
    lint()
    assert len(checked) == 39
    lint("--no-cache")
    assert len(checked) == 78


def change_head(project: AlembicProject) -> None:
    file = project.versions / "last_.py"
    file.write_text(file.read_text("utf-8") + "\n# a comment\n", "utf-8")


def change_ancestor(project: AlembicProject) -> None:
    file = project.versions / "r10_.py"
    file.write_text(file.read_text("utf-8").replace("String(30)", "Integer()"), "utf-8")


def change_branch(project: AlembicProject) -> None:
    file = project.versions / "side_.py"
    file.write_text(file.read_text("utf-8").replace('"😋"', '"c2"'), "utf-8")


def add_head(project: AlembicProject) -> None:
    project.add("new", 'op.drop_column("t", "c6")')


def add_second_head(project: AlembicProject) -> None:
    project.add("other", 'op.drop_column("t", "c6")', after="r35")


def add_duplicate(project: AlembicProject) -> None:
    text = (project.versions / "r7_.py").read_text("utf-8")
    (project.versions / "copy_.py").write_text(text, "utf-8")


def rename(project: AlembicProject) -> None:
    (project.versions / "r7_.py").rename(project.versions / "renamed_.py")


def delete_head(project: AlembicProject) -> None:
    (project.versions / "last_.py").unlink()


def delete_inside(project: AlembicProject) -> None:
    (project.versions / "r7_.py").unlink()


def break_file(project: AlembicProject) -> None:
    (project.versions / "r7_.py").write_text(
        "revision = 'r7'\ndown_revision = 'r6'\ndef (", "utf-8"
    )


def set_dialect(project: AlembicProject) -> None:
    settings = '[tool.alembic-roundtrip]\ndialects = ["postgresql"]\n'
    (project.folder / "pyproject.toml").write_text(settings, "utf-8")


def set_severity(project: AlembicProject) -> None:
    settings = '[tool.alembic-roundtrip.severity]\ncolumn-not-dropped = "hint"\n'
    (project.folder / "pyproject.toml").write_text(settings, "utf-8")


def set_since(project: AlembicProject) -> None:
    settings = '[tool.alembic-roundtrip]\nsince = "r30"\n'
    (project.folder / "pyproject.toml").write_text(settings, "utf-8")


def set_convention(project: AlembicProject) -> None:
    file = project.folder / "migrations" / "env.py"
    convention = 'target_metadata = MetaData(naming_convention={"uq": "uq_%(table_name)s"})\n'
    file.write_text("from sqlalchemy import MetaData\n" + convention + file.read_text(), "utf-8")


def keep_evidence(project: AlembicProject) -> None:
    key = Scripts(project.environment).evidence_key("last")
    evidence = RevisionEvidence(revision="last", path="", verdict=Verdict.LOSSLESS, seconds=1.0)
    evidence_store(project.environment).save(key, evidence)


@pytest.mark.parametrize(
    "change",
    [
        change_head,
        change_ancestor,
        change_branch,
        add_head,
        add_second_head,
        add_duplicate,
        rename,
        delete_head,
        delete_inside,
        break_file,
        set_dialect,
        set_severity,
        set_since,
        set_convention,
        keep_evidence,
    ],
)
def test_a_change_is_seen(
    project: AlembicProject, lint: Lint, change: Callable[[AlembicProject], None]
) -> None:
    lint()
    change(project)
    alone = lint("--no-cache")
    assert lint() == alone
    assert lint() == alone


@pytest.mark.parametrize(
    ("change", "again"),
    [(change_head, {"last_.py"}), (add_head, {"last_.py", "new_.py"}), (delete_head, {"both_.py"})],
)
def test_only_what_depends_on_a_change_is_checked_again(
    project: AlembicProject,
    lint: Lint,
    checked: list[str],
    change: Callable[[AlembicProject], None],
    again: set[str],
) -> None:
    lint()
    checked.clear()
    change(project)
    lint()
    assert set(checked) == again


def test_a_file_that_is_only_touched_is_not_checked_again(
    project: AlembicProject, lint: Lint, checked: list[str]
) -> None:
    lint()
    checked.clear()
    os.utime(project.versions / "r7_.py", (1, 1))
    lint()
    assert checked == []


def test_an_edit_that_keeps_time_and_size_is_seen_soon_after(
    project: AlembicProject, lint: Lint
) -> None:
    file = project.versions / "r7_.py"
    lint()
    status = file.stat()
    file.write_text(file.read_text("utf-8").replace("String", "Strong"), "utf-8")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert lint() == lint("--no-cache")


def index_files(project: AlembicProject) -> list[Path]:
    (folder,) = (project.folder.parent / "cache" / "alembic-roundtrip" / "index").iterdir()
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"drop", b"drip", 1),
        lambda data: data.replace(b"alembic-roundtrip index 1 ", b"alembic-roundtrip index 1 x"),
        lambda _: b"\x80\x04\x95cos\nsystem\n(S'touch pwned'\ntR.",
        lambda _: b"[" * 100_000,
    ],
    ids=["empty", "half", "altered", "of another program", "a pickle", "deep"],
)
def test_a_damaged_or_foreign_index_is_thrown_away(
    project: AlembicProject, lint: Lint, damage: Callable[[bytes], bytes]
) -> None:
    alone = lint()
    for file in index_files(project):
        file.write_bytes(damage(file.read_bytes()))
    assert [lint(), lint()] == [alone, alone]


@pytest.mark.parametrize("value", [[], {}, {"x": []}, None, 3, "x", [1, "", 9, [[]]]], ids=repr)
def test_an_index_of_something_else_is_thrown_away(
    project: AlembicProject, lint: Lint, value: object
) -> None:
    alone = lint()
    for file in index_files(project):
        names = json.loads(file.read_bytes().partition(b"\n")[2])
        same = {name: [value] for name in names} if isinstance(names, dict) else value
        Store(file.parent).save(file.name, same)
    assert [lint(), lint()] == [alone, alone]


def test_a_cache_that_cannot_be_written_is_none(
    project: AlembicProject, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = project.folder / "a file"
    place.write_text("", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    assert lint() == lint("--no-cache")


def test_a_change_of_an_sql_file_that_a_migration_reads_is_seen(
    project: AlembicProject, lint: Lint
) -> None:
    read = "from pathlib import Path\nop.execute(Path(__file__).with_suffix('.sql').read_text())"
    project.add("reading", read, "op.drop_table('a')")
    script = (project.versions / "reading_.py").with_suffix(".sql")
    script.write_text("CREATE TABLE a (id INTEGER)", "utf-8")
    before = lint()
    script.write_text("CREATE TABLE b (id INTEGER)", "utf-8")
    after = lint()
    assert "table-not-dropped" in after
    assert [before != after, after] == [True, lint("--no-cache")]


def test_a_schema_is_kept_whole(project: AlembicProject) -> None:
    view = 'op.execute("CREATE VIEW v AS SELECT 1")'
    project.add("view", view, 'op.execute("DROP VIEW v")')
    schema = Scripts(project.environment).schema_at("view", "postgresql")
    assert schema.definitions
    kept = Schemas(store_of(project.environment))
    database = Database("postgresql", "one")
    kept.keep("key", database, schema)
    again = Schemas(store_of(project.environment))
    assert again.find("key", database) == schema
    assert again.find("key", Database("postgresql", "two")) is None


def test_two_processes_share_an_index(project: AlembicProject, lint: Lint) -> None:
    alone = lint("--no-cache")
    command = [sys.executable, "-m", "alembic_roundtrip", "lint", "--format", "json"]
    for _ in range(2):
        running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
        outputs = [process.communicate()[0].decode() for process in running]
        assert outputs == [alone] * 3
        change_ancestor(project)
        alone = lint("--no-cache")


def test_fixes_are_applied_to_what_is_there(project: AlembicProject, lint: Lint) -> None:
    lint()
    fixed = lint("--fix")
    assert fixed == lint("--no-cache")
    assert lint() == fixed
    assert "WARNING" in (project.versions / "last_.py").read_text("utf-8")


def test_two_environments_have_an_index_each(project: AlembicProject) -> None:
    other = AlembicProject(project.folder.parent / "other")
    folders = {store_of(each.environment).folder for each in (project, other)}
    assert len(folders) == 2


def test_an_index_stays_where_it_is_when_bytecode_comes_and_goes(project: AlembicProject) -> None:
    environment = project.environment
    beside = replace(environment, compiled=(project.versions / "gone_.pyc",))
    assert store_of(beside).folder == store_of(environment).folder


def test_bytecode_beside_the_migrations_makes_what_is_known_old(
    project: AlembicProject, lint: Lint, checked: list[str]
) -> None:
    ini = project.folder / "alembic.ini"
    text = ini.read_text(encoding="utf-8").replace("[alembic]", "[alembic]\nsourceless = true")
    ini.write_text(text, encoding="utf-8")
    lint()
    checked.clear()
    lint()
    assert checked == []
    (project.versions / "gone_.pyc").write_bytes(b"")
    lint()
    assert "r1_.py" in checked
