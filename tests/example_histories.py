"""A rule's examples as projects on disk: migrations with carets taken out, and what they expect."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent

from alembic_roundtrip.evidence import RevisionEvidence, evidence_store
from alembic_roundtrip.rule import Example
from alembic_roundtrip.text import Position, Range
from alembic_roundtrip.workspace import Workspace

_CARETS = re.compile(r"^(?P<indent>\s*)(?P<carets>\^+) (?P<message>.+)$")
_HEADER = (
    "import sqlalchemy as sa\n"
    "from alembic import op\n\n"
    'revision = "{revision}"\n'
    "down_revision = {down}\n\n\n"
)


@dataclass(frozen=True)
class Expected:
    """What stands under a piece of an example."""

    range: Range
    message: str


@dataclass(frozen=True)
class Project:
    """An example on disk: the folder, the file under test, what the rule must find in it."""

    folder: Path
    file: Path
    header: str
    expected: tuple[Expected, ...]


def write_project(example: Example, folder: Path) -> Project:
    """Write an example's history below a folder, each migration following the one before."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "migrations" / "env.py").write_text("", encoding="utf-8")
    (folder / "alembic.ini").write_text(
        "[alembic]\nscript_location = migrations\n", encoding="utf-8"
    )
    for path, text in example.beside.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    down = "None"
    for number, source in enumerate(example.history):
        text = _header(source, f"revision{number}", down) + source
        (versions / f"revision{number}.py").write_text(text, encoding="utf-8")
        down = repr(f"revision{number}")
    source, expected = without_carets(dedent(example.source).lstrip("\n"))
    if example.file:
        file = folder / example.file
        file.parent.mkdir(parents=True, exist_ok=True)
        if example.deleted:
            _commit(example, folder, versions / "under_test.py", down)
        file.write_text(source, encoding="utf-8")
        return Project(folder, file, "", tuple(expected))
    header = _header(source, "under_test", down)
    lines = header.count("\n")
    file = versions / "under_test.py"
    if example.deployed is not None or example.deleted:
        _commit(example, folder, file, down)
    file.write_text(header + source, encoding="utf-8")
    if example.evidence is not None:
        _measure(example.evidence, folder, file, stale=example.stale)
    return Project(folder, file, header, tuple(_lower(found, lines) for found in expected))


def _measure(evidence: RevisionEvidence, folder: Path, file: Path, *, stale: bool) -> None:
    """Keep evidence of the file as it is, or as it was, in the cache that the test has set."""
    workspace = Workspace([folder])
    environment = workspace.environments[0]
    key = workspace.scripts(environment).evidence_key(evidence.revision) + "x" * stale
    evidence_store(environment).save(key, replace(evidence, path=str(file)))


def _commit(example: Example, folder: Path, file: Path, down: str) -> None:
    """Put the history, what is deployed and what gets deleted into a repository's main branch."""
    if example.deployed is not None:
        text = dedent(example.deployed).lstrip("\n")
        file.write_text(_header(text, "under_test", down) + text, encoding="utf-8")
    gone = [file.with_name(f"deleted{number}.py") for number in range(len(example.deleted))]
    for number, (path, source) in enumerate(zip(gone, example.deleted, strict=True)):
        path.write_text(_header(source, f"deleted{number}", down) + source, encoding="utf-8")
        down = repr(f"deleted{number}")
    commit_all(folder)
    for path in gone:
        path.unlink()


def commit_all(folder: Path) -> None:
    """Make a folder a repository, where it is none, and commit all that is in it to main."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=deployed")


def git(folder: Path, *arguments: str) -> str:
    """Run git without the configuration of whoever runs the tests."""
    names = ("user.name=Test", "user.email=test@example.invalid", "commit.gpgsign=false")
    configured = [part for name in names for part in ("-c", name)]
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *configured, *arguments],
        cwd=folder,
        env={**os.environ, **nobody},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _header(source: str, revision: str, down: str) -> str:
    if re.search(r"^revision\b", source, re.MULTILINE):
        return ""
    return _HEADER.format(revision=revision, down=down)


def without_carets(source: str) -> tuple[str, list[Expected]]:
    """The source without its caret lines, and the ranges they mark."""
    lines: list[str] = []
    expected = []
    for line in source.split("\n"):
        mark = _CARETS.match(line)
        if mark is None:
            lines.append(line)
            continue
        start = len(mark["indent"]) + 1
        end = start + len(mark["carets"])
        place = Range(Position(len(lines), start), Position(len(lines), end))
        expected.append(Expected(place, mark["message"]))
    return "\n".join(lines), expected


def _lower(found: Expected, lines: int) -> Expected:
    start, end = found.range.start, found.range.end
    return Expected(
        Range(Position(start.line + lines, start.column), Position(end.line + lines, end.column)),
        found.message,
    )
