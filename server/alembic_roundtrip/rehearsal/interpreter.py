"""Which Python runs a project's migrations."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal.plan import CannotRun

_USABLE: set[Path] = set()
"""Pythons that had Alembic when last asked; if one has lost it, the agent says so."""
_FOLDERS = (".venv", "venv", "env")
_CHECK_SECONDS = 20
# Finding is ten times faster than importing; a folder `alembic/` without code has no origin.
_CHECK = (
    "import sys, importlib.util as u; "
    "found = [u.find_spec(n) for n in ('alembic', 'sqlalchemy')]; "
    "sys.exit(0 if all(s and s.origin for s in found) else 3)"
)


def find(environment: Environment, settings: Settings) -> Path:
    """The first Python that has Alembic; raises `CannotRun` naming those that have not."""
    if settings.python:
        return _named(environment.folder / Path(settings.python).expanduser())
    tried: list[Path] = []
    for candidate in candidates(environment.folder):
        if candidate not in tried:
            if candidate in _USABLE or has_alembic(candidate):
                _USABLE.add(candidate)
                return candidate
            tried.append(candidate)
    raise CannotRun(
        f"no Python with Alembic was found for {environment.folder} (tried "
        f"{', '.join(map(str, tried))}); name the project's Python in the setting `python`, or "
        "install Alembic in its virtual environment"
    )


def _named(python: Path) -> Path:
    python = python_in(python) or python
    if not python.is_file():
        raise CannotRun(f"the setting `python` names {python}, which does not exist")
    if not has_alembic(python):
        raise CannotRun(
            f"the setting `python` names {python}, which has no Alembic; install it there or name "
            "another"
        )
    return python


def candidates(folder: Path) -> Iterator[Path]:
    """Pythons worth a look, the likeliest first."""
    for above in (folder, *folder.parents):
        for name in _FOLDERS:
            yield from _existing(above / name)
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if os.environ.get(variable):
            yield from _existing(Path(os.environ[variable]))
    yield Path(sys.executable)
    from shutil import which

    found = which("python3") or which("python")
    if found:
        yield Path(found)


def _existing(environment: Path) -> Iterator[Path]:
    python = python_in(environment)
    if python is not None:
        yield python


def python_in(environment: Path) -> Path | None:
    """The Python of a virtual or conda environment's folder."""
    for relative in ("bin/python", "Scripts/python.exe", "python.exe"):
        if (environment / relative).is_file():
            return environment / relative
    return None


def has_alembic(python: Path) -> bool:
    """Whether a Python can import Alembic and SQLAlchemy, by one short run of it."""
    if python == Path(sys.executable):
        return True
    try:
        # `-I`: neither the folder we are in nor PYTHONPATH can pretend.
        done = subprocess.run(
            [python, "-I", "-c", _CHECK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CHECK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
