"""Every shape of configuration means what it means to Alembic itself."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic_roundtrip.config import Settings
from alembic_roundtrip.history.scan import load_history
from alembic_roundtrip.project import find_environments

INI = "alembic.ini"
TOML = "pyproject.toml"


def script(identifier: str, down: str | None) -> str:
    return f"revision = {identifier!r}\ndown_revision = {down!r}\n\n\ndef upgrade():\n    pass\n"


@dataclass(frozen=True)
class Shape:
    files: dict[str, str]
    folders: tuple[str, ...] = ("mig/versions",)
    config: str = INI
    section: str = "alembic"
    at: str = ""
    """Where Alembic is run, from the workspace."""
    twice: bool = False
    """Whether Alembic finds a file twice, and warns."""


def ini(*lines: str, section: str = "alembic") -> str:
    return "\n".join([f"[{section}]", *lines, ""])


TABLE = "[tool.alembic]\n"
SHAPES = {
    "relative": Shape({INI: ini("script_location = mig")}),
    "here": Shape({INI: ini("script_location = %(here)s/mig")}),
    "here and up": Shape(
        {"conf/alembic.ini": ini("script_location = %(here)s/../mig")}, config="conf/alembic.ini"
    ),
    "slash at the end": Shape({INI: ini("script_location = mig/")}),
    "the folder itself": Shape({INI: ini("script_location = .")}, ("versions",)),
    "written otherwise": Shape({INI: "[alembic]\nSCRIPT_LOCATION: ./mig\n\n# x\n"}),
    "Windows line ends": Shape({INI: ini("script_location = mig").replace("\n", "\r\n")}),
    "percent signs": Shape({INI: ini("script_location = mig", "sqlalchemy.url = x://a%%b:%c@d")}),
    "no version locations": Shape({INI: ini("script_location = mig", "version_locations =")}),
    "spaces in a name": Shape({INI: ini("script_location = my mig")}, ("my mig/versions",)),
    "nested locations": Shape(
        {
            INI: ini(
                "script_location = mig",
                "version_locations = mig/versions mig/versions/sub",
                "path_separator = space",
                "recursive_version_locations = true",
            )
        },
        ("mig/versions", "mig/versions/sub"),
        twice=True,
    ),
    "run from above": Shape(
        {"conf/alembic.ini": ini("script_location = mig")}, config="conf/alembic.ini"
    ),
    "run in a folder": Shape(
        {"back/alembic.ini": ini("script_location = mig", "version_locations = a")},
        ("back/mig", "back/a"),
        config="back/alembic.ini",
        at="back",
    ),
    "own key": Shape({INI: ini("base = mig", "script_location = %(base)s")}),
    "default section": Shape({INI: "[DEFAULT]\nbase = mig\n" + ini("script_location = %(base)s")}),
    "other section": Shape({INI: ini("script_location = mig", section="one")}, section="one"),
    "shared location": Shape(
        {
            INI: "[DEFAULT]\nscript_location = mig\npath_separator = os\n"
            + ini("version_locations = mig/one", section="one")
            + ini("version_locations = mig/two", section="two")
            + ini("keys = root", section="loggers")
        },
        ("mig/one", "mig/two"),
        section="two",
    ),
    "other file": Shape({"conf.ini": ini("script_location = mig")}, config="conf.ini"),
    "setup.cfg": Shape({"setup.cfg": ini("script_location = mig")}, config="setup.cfg"),
    "os separator": Shape(
        {
            INI: ini(
                "script_location = mig",
                f"version_locations = a{os.pathsep}b c",
                "path_separator = os",
            )
        },
        ("mig", "a", "b c"),
    ),
    "space separator": Shape(
        {INI: ini("script_location = mig", "version_locations = a  b", "path_separator = space")},
        ("mig", "a", "b"),
    ),
    "newline separator": Shape(
        {
            INI: ini(
                "script_location = mig",
                "version_locations =",
                "   a",
                "   %(here)s/b",
                "path_separator = newline",
            )
        },
        ("mig", "a", "b"),
    ),
    "colon separator": Shape(
        {INI: ini("script_location = mig", "version_locations = a:b", "path_separator = :")},
        ("mig", "a", "b"),
    ),
    "semicolon separator": Shape(
        {INI: ini("script_location = mig", "version_locations = a; b;", "path_separator = ;")},
        ("mig", "a", "b"),
    ),
    "old separator": Shape(
        {
            INI: ini(
                "script_location = mig", "version_locations = a:b", "version_path_separator = :"
            )
        },
        ("mig", "a", "b"),
    ),
    "both separators": Shape(
        {
            INI: ini(
                "script_location = mig",
                "version_locations = a b",
                "version_path_separator = :",
                "path_separator = space",
            )
        },
        ("mig", "a", "b"),
    ),
    "no separator": Shape(
        {INI: ini("script_location = mig", "version_locations = a, b c,d")},
        ("mig", "a", "b", "c", "d"),
    ),
    "recursive": Shape(
        {
            INI: ini("script_location = mig", "recursive_version_locations = true"),
            "mig/versions/2024/x.py": script("bbbb", "aaaa"),
            "mig/versions/2023/y.py": script("aaaa", None),
            "mig/versions/2023/__init__.py": "",
            "mig/versions/__pycache__/z.py": script("zzzz", None),
        }
    ),
    "recursive means true and nothing else": Shape(
        {
            INI: ini("script_location = mig", "recursive_version_locations = True"),
            "mig/versions/2024/x.py": script("aaaa", None),
        }
    ),
    "table": Shape({TOML: TABLE + 'script_location = "mig"\n'}, config=TOML),
    "table, here": Shape({TOML: TABLE + 'script_location = "%(here)s/mig"\n'}, config=TOML),
    "table, several": Shape(
        {
            TOML: TABLE + 'script_location = "mig"\nversion_locations = ["a", "%(here)s/b"]\n'
            "recursive_version_locations = true\n"
        },
        ("mig", "a", "b/deep"),
        config=TOML,
    ),
    "table behind an ini": Shape(
        {
            INI: ini("sqlalchemy.url = sqlite://"),
            TOML: TABLE + 'script_location = "mig"\nversion_locations = ["a"]\n',
        },
        ("mig", "a"),
    ),
    "an ini before the table": Shape(
        {
            INI: ini("script_location = mig"),
            TOML: TABLE + 'script_location = "no"\nversion_locations = ["a"]\n',
        },
        ("mig", "a"),
    ),
    "package": Shape(
        {
            INI: ini("script_location = appone:mig", "prepend_sys_path = ."),
            "appone/__init__.py": "",
        },
        ("appone/mig/versions",),
    ),
    "package in src": Shape(
        {
            INI: ini(
                "script_location = apptwo.db:a:mig", "prepend_sys_path = src", "path_separator=os"
            )
        },
        ("src/apptwo/db/a/mig/versions",),
    ),
    "packages of versions": Shape(
        {
            INI: ini(
                "script_location = mig",
                "version_locations = appthree:v appthree.sub:w",
                "path_separator = space",
                "prepend_sys_path = lib .",
            )
        },
        ("mig", "lib/appthree/v", "lib/appthree/sub/w"),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_configuration_means_what_it_means_to_alembic(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = SHAPES[name]
    make(tmp_path, shape)
    found = find_environments(tmp_path, Settings())
    (environment,) = [e for e in found if e.section == shape.section]
    assert environment.config == tmp_path / shape.config
    assert environment.problems == ()
    monkeypatch.chdir(tmp_path / shape.at)
    monkeypatch.setattr(sys, "path", [*sys.path])
    theirs = alembics(shape)
    assert environment.script_location == normal(theirs.dir)
    assert environment.version_locations == tuple(normal(v) for v in theirs._version_locations)
    assert environment.recursive == theirs.recursive_version_locations
    with pytest.warns(match="loaded twice") if shape.twice else nullcontext():
        revisions = {r.revision: Path(r.path) for r in theirs.walk_revisions()}
    assert {r.id: r.path for r in load_history(environment)} == revisions


def make(folder: Path, shape: Shape) -> None:
    for name in shape.folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in shape.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for number, name in enumerate(shape.folders):
        (folder / name / f"m{number}.py").write_text(script(f"id{number}0", None))


def alembics(shape: Shape) -> ScriptDirectory:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the old separators
        if shape.config == TOML:
            config = Config(toml_file=TOML)
        else:
            config = Config(
                Path(shape.config).name if shape.at else shape.config,
                toml_file=TOML,
                ini_section=shape.section,
            )
        return ScriptDirectory.from_config(config)


def normal(path: str | Path) -> Path:
    return Path(os.path.normpath(Path(path).absolute()))


TEMPLATES = sorted(path.name for path in Path(Config().get_template_directory()).iterdir())


@pytest.mark.parametrize("package", [False, True])
@pytest.mark.parametrize("template", [name for name in TEMPLATES if not name.startswith("_")])
def test_what_alembic_init_makes_is_found(
    template: str, package: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config(INI, toml_file=TOML, stdout=StringIO())
    with redirect_stdout(StringIO()):
        command.init(config, "db/mig", template=template, package=package)
        config = Config(INI, toml_file=TOML)
        for number in range(3):
            command.revision(config, f"revision {number}")
    (environment,) = find_environments(tmp_path, Settings())
    theirs = ScriptDirectory.from_config(Config(INI, toml_file=TOML))
    assert environment.problems == ()
    assert environment.script_location == normal(theirs.dir)
    assert environment.dialects == ()
    revisions = [(r.revision, Path(r.path)) for r in theirs.walk_revisions()]
    history = load_history(environment)
    assert len(revisions) == 3
    assert [(rev, history.by_id[rev].path) for rev in history.topological] == revisions[::-1]
