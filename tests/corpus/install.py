"""Installs the packages of the corpus, each into an environment of its own that is kept."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from corpus.projects import PROJECTS, Project

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "corpus"
_DONE = "installed"


class CannotInstallError(Exception):
    """A package could not be installed; the sentence says why and what to do."""


@dataclass(frozen=True)
class Installed:
    """A project in its environment."""

    project: Project
    environment: Path

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    @cached_property
    def migrations(self) -> Path:
        """The folder of env.py."""
        (found,) = self.environment.glob(f"lib/python*/site-packages/{self.project.folder}")
        return found

    def run(self, *arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the project's Python; it leaves no bytecode behind."""
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **env},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def install(project: Project) -> Installed:
    """The project's environment; made where it is not there yet."""
    if sys.version_info < project.minimum:
        oldest = ".".join(map(str, project.minimum))
        raise CannotInstallError(f"{project.name} needs Python {oldest} or newer")
    environment = CACHE / f"{project.name}-{_fingerprint(project)}"
    if not (environment / _DONE).exists():
        with _only_one(environment.with_suffix(".lock")):
            if not (environment / _DONE).exists():
                _make(project, environment)
    return Installed(project, environment)


def _fingerprint(project: Project) -> str:
    """Of everything that decides what is in the environment."""
    python = [sys.implementation.name, *sys.version_info[:3], sys.base_prefix]
    parts = [project.requires, _constraints(project).read_text(encoding="utf-8"), python]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _constraints(project: Project) -> Path:
    """What pip chose once for everything the project needs."""
    return HERE / "constraints" / f"{project.name}.txt"


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Parallel test processes wait for the one that installs."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(project: Project, environment: Path) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    venv.create(environment, with_pip=False)
    installed = Installed(project, environment)
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    constraints = ["--constraint", str(_constraints(project))]
    pip = [sys.executable, "-m", "pip", "--python", str(installed.python)]
    command = [*pip, "install", *options, *constraints, *project.requires]
    result = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=False)
    if result.returncode:
        raise CannotInstallError(
            f"{project.name} could not be installed with {installed.python} -m pip; is a package "
            f"registry within reach? pip says: {_why(result.stderr)}"
        )
    # pip compiles what it installs; without its bytecode a rehearsal that writes any is seen.
    for folder in [*installed.migrations.rglob("__pycache__")]:
        shutil.rmtree(folder)
    (environment / _DONE).touch()


def _why(output: str) -> str:
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    return (errors or output.splitlines() or ["nothing"])[-1]


if __name__ == "__main__":
    for each in PROJECTS:
        sys.stdout.write(f"{install(each).environment}\n")
