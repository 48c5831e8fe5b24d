"""What lies in a workspace folder: configuration files, migrations, packages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "__pypackages__"})
_INSTALLED = frozenset({"pyvenv.cfg", "conda-meta"})
"""What lies in the root of a virtual environment."""
_REVISION = re.compile(r"^revision\s*(?::[^=\n]+)?=", re.MULTILINE)
_REVISION_LINE = re.compile(r"^revision\s*(?::[^=\n]+)?=(?P<value>.*)", re.MULTILINE)
_DOWN_REVISION = re.compile(r"^down_revision\s*(?::[^=\n]+)?=", re.MULTILINE)
_LONG_TEXT = re.compile(r"""("{3}|'{3}).*?\1""", re.DOTALL)
_TEMPLATE = re.compile(r"alembic\.ini[.-](?:dist|example|sample|template|tmpl)")
"""What a project has for each of its users to make an `alembic.ini` of."""
_COMPILED = re.compile(r"(?!\.\#|__init__).*\.py[co]")
_HEAD = 16_384  # a docstring before the identifiers has always been shorter


@dataclass(frozen=True, slots=True)
class Survey:
    """What one walk through a workspace found."""

    configurations: tuple[Path, ...]
    """Files that may configure Alembic, `alembic.ini` first in each folder."""
    migrations: tuple[Path, ...]
    """Folders that hold migrations."""


def survey(folder: Path) -> Survey:
    """Walk a folder and tell what is in it."""
    configurations: list[Path] = []
    migrations: list[Path] = []
    for here, files in walk(folder):
        configurations += _configurations(here, files)
        if _holds_migrations(here, files):
            migrations.append(here)
    return Survey(tuple(configurations), tuple(migrations))


def migrations_below(folder: Path) -> tuple[Path, ...]:
    """Folders below one that hold migrations."""
    found = walk(folder)
    return tuple(here for here, names in found if here != folder and _holds_migrations(here, names))


def walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Folders and the files in each; hidden ones, packages and environments are skipped."""
    for root, folders, files in os.walk(folder):
        here = Path(root)
        if here != folder and not _INSTALLED.isdisjoint((*files, *folders)):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not _is_skipped(here, name))
        yield here, files


def _is_skipped(folder: Path, name: str) -> bool:
    if name.startswith(".") or name in _SKIPPED:
        return True
    # setuptools builds there, from copies of all sources.
    return folder.name == "build" and (name == "lib" or name.startswith(("lib.", "bdist.")))


def _configurations(folder: Path, files: Iterable[str]) -> list[Path]:
    names = [n for n in files if n == "pyproject.toml" or n.endswith((".ini", ".cfg"))]
    if "alembic.ini" not in names:
        # A plain search first, as there are thousands of files.
        names += [n for n in files if n.startswith("alembic.ini") and _TEMPLATE.fullmatch(n)]
    found = [folder / n for n in names if n == "alembic.ini" or _names_alembic(folder / n)]
    found.sort(key=lambda file: (file.name != "alembic.ini", file.name))
    if found and found[0].name == "alembic.ini":  # it reads the table of pyproject.toml itself
        found = [file for file in found if file.name != "pyproject.toml"]
    return found


def _names_alembic(file: Path) -> bool:
    mark = "alembic" if file.suffix == ".toml" else "script_location"
    return mark in _head(file, None)


def _holds_migrations(folder: Path, files: Iterable[str]) -> bool:
    """Whether one of three files looks like a migration: reading all would read whole projects."""
    names = sorted(n for n in files if n.endswith(".py") and n not in {"__init__.py", "env.py"})
    if not names:
        return False
    some = dict.fromkeys((names[0], names[len(names) // 2], names[-1]))
    return any(_is_migration(_head(folder / name, _HEAD)) for name in some)


def _is_migration(text: str) -> bool:
    # A plain search first: it sorts out nearly every file at a tenth of the cost.
    if "down_revision" not in text:
        return False
    code = _LONG_TEXT.sub("", text)  # a program may have a migration's text in it
    return bool(_REVISION.search(code) and _DOWN_REVISION.search(code))


def has_copies(folder: Path, locations: Iterable[Path]) -> bool:
    """Whether one of its migrations lies in these locations, too: by file name and identifier."""
    pairs = (
        (file, place / file.name)
        for place in locations
        if place != folder
        for file in folder.glob("*.py")
    )
    return any(
        other.is_file() and _written(file) and _written(file) == _written(other)
        for file, other in pairs
    )


def _written(migration: Path) -> str:
    line = _REVISION_LINE.search(_head(migration, _HEAD))
    return line["value"].strip() if line else ""


def _head(file: Path, size: int | None) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(size)
    except OSError:  # a dangling link or an unreadable file holds nothing we could find
        return ""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the locations in a configuration are looked for."""

    home: Path
    """The working directory of Alembic's commands."""
    workspace: Path
    prepended: tuple[str, ...] = ()
    python: str = ""

    def find(self, written: str) -> Path | None:
        """The folder meant by `path` or `package:path`; None where the package is not found."""
        path = self._locate(written)
        if path is None or path.is_dir() or not Path(written).is_absolute():
            return path
        return self._transplanted(path) or path

    def has(self, written: str) -> bool:
        """Whether the folder meant exists."""
        path = self.find(written)
        return path is not None and path.is_dir()

    def _locate(self, written: str) -> Path | None:
        if ":" not in written or Path(written).is_absolute():
            return _normal(self.home / written)
        package, *rest = written.split(":")
        parts = package.split(".")
        for root in self._roots():
            found = root.joinpath(*parts)
            if found.is_dir():
                return _normal(found.joinpath(*rest))
        return None

    def _transplanted(self, path: Path) -> Path | None:
        """The folder here that an absolute path in a container stands for.

        The longest end of the path that is a folder beside or above the configuration.
        """
        above = [p for p in self.home.parents if p == self.workspace or self.workspace in p.parents]
        for start in range(1, len(path.parts)):
            end = Path(*path.parts[start:])
            for root in (self.home, *above):
                if (root / end).is_dir():
                    return _normal(root / end)
        return None

    def _roots(self) -> Iterator[Path]:
        for path in self.prepended:
            yield self.home / path
        for folder in dict.fromkeys((self.home, self.workspace, _above_package(self.home))):
            yield folder
            yield folder / "src"
        for packages in dict.fromkeys(self._site_packages()):
            yield packages
            yield from _linked(packages)

    def _site_packages(self) -> Iterator[Path]:
        prefixes = [(self.workspace / self.python).parent.parent] if self.python else []
        for folder in dict.fromkeys((self.home, self.workspace)):
            prefixes += sorted(file.parent for file in folder.glob("*/pyvenv.cfg"))
        for prefix in prefixes:
            yield from sorted(prefix.glob("lib/python*/site-packages"))
            yield from prefix.glob("Lib/site-packages")


def _above_package(folder: Path) -> Path:
    """Where a package is imported from, for a folder in it: the ini file may be a part of it."""
    above = (folder, *folder.parents)
    return next((each for each in above if not (each / "__init__.py").is_file()), above[-1])


def _linked(packages: Path) -> Iterator[Path]:
    """Source folders of packages installed as editable."""
    for file in sorted(packages.glob("*.pth")):
        for line in _head(file, None).splitlines():
            if line and not line.startswith(("#", "import ", "import\t")):
                yield packages / line.strip()


def _normal(path: Path) -> Path:
    # Editors name files without `..`; without this no open file would be found in its location.
    return Path(os.path.normpath(path))


def compiled(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Files of bytecode that Alembic would load as migrations, where `sourceless` is on.

    As Alembic does it: those whose source lies there, too, are not loaded.
    """
    for root, folders, files in os.walk(folder):
        here = Path(root)
        yield from (
            here / name
            for name in sorted(files)
            if _COMPILED.fullmatch(name) and name[:-1] not in files
        )
        cached = here / "__pycache__"
        sources = {name.partition(".")[0] for name in files}
        yield from (
            file
            for file in (sorted(cached.iterdir()) if cached.is_dir() else ())
            if _COMPILED.fullmatch(file.name) and file.name.partition(".")[0] not in sources
        )
        folders[:] = [name for name in folders if recursive and name != "__pycache__"]


def real(folder: Path) -> Path:
    """Where a folder really is; itself where links lead in a circle."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError):
        return folder
