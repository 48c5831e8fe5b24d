from __future__ import annotations

import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from alembic_roundtrip.config import tomllib

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "server" / "docs" / "ARCHITECTURE.md"
PACKAGE = ROOT / "server" / "alembic_roundtrip"


def test_imports_keep_to_their_directions() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even late: what two modules need of each other belongs into a third."""
    graph = grimp.build_graph(
        "alembic_roundtrip", exclude_type_checking_imports=True, cache_dir=None
    )
    known = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(known).prepare()


@pytest.mark.parametrize(
    "command",
    [
        ["lint"],
        ["lint", "--format", "concise"],
        ["lint", "--format", "github"],
        ["lint", "--format", "junit"],
        ["explain", "empty-downgrade"],
        ["--version"],
    ],
    ids=lambda command: command[-1],
)
def test_a_command_that_only_reads_loads_nothing_heavy(command: list[str], tmp_path: Path) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (versions / "a.py").write_text(
        "from alembic import op\nrevision = 'a'\ndown_revision = None\n"
        "def upgrade():\n    op.drop_table('t')\ndef downgrade():\n    pass\n"
    )
    heavy = ("pygls", "lsprotocol", "libcst", "alembic", "sqlalchemy", "attrs", "asyncio", "rich")
    code = (
        "import sys\nfrom alembic_roundtrip.cli import main\n"
        f"try:\n    main({command!r})\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_every_dependency_has_its_line() -> None:
    page = PAGE.read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    named += [line for extra in extras for line in extra]
    names = [re.split(r"[^A-Za-z0-9_-]", line)[0] for line in named]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_code_map_names_every_room() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rooms = [
        path.name if path.is_file() else f"{path.name}/"
        for path in PACKAGE.iterdir()
        if not path.name.startswith("_") and path.name != "py.typed"
    ]
    assert [room for room in rooms if f"`{room}`" not in page] == []


def test_the_page_names_only_what_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [Path(line) for line in done.stdout.splitlines()]
    there = {f"/{place.as_posix()}" for file in files for place in (file, *file.parents)}
    named = {name.rstrip("/") for name in re.findall(r"`((?:\w+/)*\w+(?:\.py|/))`", page)}
    assert [name for name in named if not any(p.endswith(f"/{name}") for p in there)] == []


def test_the_top_level_holds_only_what_is_named_here() -> None:
    """What a migration wrote into the folder it ran in was committed once."""
    demanded = {".biome.json", ".ci", ".editorconfig", ".gitignore", ".npmrc", ".vscodeignore"}
    demanded |= {"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "package-lock.json"}
    rooms = {"client", "package.json", "pyproject.toml", "server", "tests"}
    done = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == demanded | rooms
