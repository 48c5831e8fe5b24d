"""Something outside of the migrations writes which revision a database is at.

## Why it matters
`alembic stamp` and a hand on `alembic_version` make the database say that migrations ran that did
not. From then on upgrades start from a schema that is not there, and downgrades undo what was
never done. In a deployment script it happens to every database, every time.

## What to do
Run `alembic upgrade`. Stamp by hand, once, a database of which you know the schema. Looked at are
Python, shell scripts, YAML, Makefiles and Dockerfiles; a fresh test database that is made with
`create_all()` and stamped is only noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.filecontext import FileContext
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.severity import Severity
from alembic_roundtrip.text import Position, Range
from alembic_roundtrip.textfile import MARKS, TextFile

if TYPE_CHECKING:
    from alembic_roundtrip.migration.stamps import Stamp

rule = Rule(__name__, severity="warning")

_SEPARATOR = r"[\s\"',\[\]]+"
_COMMAND = re.compile(
    rf"\b(?P<tool>alembic|flask{_SEPARATOR}db)\b(?P<options>(?:{_SEPARATOR}[^\s\"',\[\]|;&]+)*?)"
    rf"{_SEPARATOR}stamp\b(?:{_SEPARATOR}--[\w-]+)*(?:{_SEPARATOR}(?P<target>[\w.@+:]+))?"
)
_WRITE = re.compile(
    r"\b(?:DROP\s+TABLE(?:\s+IF\s+EXISTS)?|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|UPDATE|INSERT\s+INTO)"
    r"\s+[\"'`\\]*(?:\w+[\"'`\\]*\.)?[\"'`\\]*alembic_version\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_PROSE = re.compile(
    r"^\s*(?:-\s+)?(?:[@-]?(?:echo|printf|log|info|LABEL)\b|(?:name|title|description):)"
)
_SHOWN = re.compile(
    r"(?:^|[\s;])cat\s+(?:>&2\s*)?<<(?P<tabs>-?)\s*(?P<quote>['\"]?)(?P<end>[\w-]+)(?P=quote)"
    r"\s*(?:>&2)?$"
)
"""A here-document that is only shown; one that goes into a pipe or a file may be run."""
_OPENS = re.compile(r"(?:^|[\s;&|({])[{(]\s*$")
_OPENED = re.compile(r"(?:^|[\s;&|(){])[{(](?:\s|$)")
_FUNCTION = re.compile(r"(?:\w\s*\(\s*\)|\bfunction\s+\w+)\s*\{\s*$")
_CLOSES = re.compile(r"(?:^\s*|;\s*)[})]\s*(?P<goes_on>[|>](?!&2\b))?")
_FRESH = re.compile(r"create[_-]all\b|create[_-]db\b")
_TESTS = re.compile(r"(?:^|[_-])(?:tests?|conftest|testing|fixtures?)(?:$|[._-])", re.IGNORECASE)


@rule.check_file
def check_file(context: FileContext) -> Iterator[Finding]:
    """Commands and statements that set the version of a database."""
    file = context.file
    if MARKS.search(file.text.encode(errors="replace")) is None:
        return
    for stamp in _in_python(file) if file.kind == "python" else _in_lines(file):
        harmless = stamp.fresh or any(map(_TESTS.search, file.parts))
        severity: Severity | None = "information" if harmless else None
        yield Finding(stamp.range, _message(stamp), severity=severity)


def _in_python(file: TextFile) -> Iterator[Stamp]:
    from alembic_roundtrip.migration.stamps import stamps_in_python

    return stamps_in_python(file.text, _WRITE)


def _message(stamp: Stamp) -> str:
    if stamp.target is None:
        return "this writes Alembic's version table: no migration runs"
    then = "every migration runs again" if stamp.target == "base" else "no migration runs"
    return f"this makes the database say it is at `{stamp.target}`: {then}"


def _in_lines(file: TextFile) -> Iterator[Stamp]:
    from alembic_roundtrip.migration.stamps import Stamp

    fresh = _FRESH.search(file.text) is not None
    for number, line in _commands(file):
        for match in _COMMAND.finditer(line):
            # Without a target it does nothing, and a variable is not known.
            if match["target"]:
                yield Stamp(_place(number, match), match["target"], fresh)
        for match in _WRITE.finditer(line):
            yield Stamp(_place(number, match), None, fresh)


def _commands(file: TextFile) -> Iterator[tuple[int, str]]:
    """Lines that may be run, by their numbers, without comments."""
    end: re.Match[str] | None = None
    lines = [file.source.line(number) for number in range(1, file.source.line_count + 1)]
    for number, raw in enumerate(lines, 1):
        line = _COMMENT.sub("", raw)
        if end is not None:
            end = None if _ends(raw, end, file.kind) else end
            continue
        shown = _SHOWN.search(line.rstrip())
        end = shown if shown is not None and not _goes_on(shown, lines[number:]) else None
        if not _PROSE.match(line):
            yield number, line


def _ends(line: str, shown: re.Match[str], kind: str) -> bool:
    """Whether a line is the end of a here-document; only a shell script stands there as it is."""
    if kind != "shell":
        return line.strip() == shown["end"]
    line = line.rstrip("\r\n")
    return (line.lstrip("\t") if shown["tabs"] else line) == shown["end"]


def _goes_on(shown: re.Match[str], rest: Sequence[str]) -> bool:
    """Whether what a group of commands shows goes into a pipe or a file."""
    before = shown.string[: shown.start() + 1]
    if _OPENS.search(before) and not _FUNCTION.search(before):
        return True
    depth = 0
    for line in rest:
        closed = _CLOSES.search(line)
        if closed and {*"{("} & {*line[: closed.start()]}:
            continue  # what it closes begins on the same line
        if closed and depth == 0:
            return closed["goes_on"] is not None
        depth += bool(_OPENED.search(line)) - bool(closed)
    return False


def _place(line: int, match: re.Match[str]) -> Range:
    return Range(Position(line, match.start() + 1), Position(line, match.end() + 1))


rule.example(
    "A deployment script",
    """
    #!/bin/sh
    # alembic stamp head would be wrong
    echo "😋 no alembic stamp head" && true
    "😋"; alembic -c prod.ini stamp head
         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this makes the database say it is at `head`: no migration runs
    psql -c "DELETE FROM alembic_version"
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^ this writes Alembic's version table: no migration runs
    """,
    file="deploy.sh",
)
rule.example(
    "Back to the beginning",
    """
    flask db stamp base
    ^^^^^^^^^^^^^^^^^^^ this makes the database say it is at `base`: every migration runs again
    """,
    file="deploy.sh",
)
rule.example(
    "The command of a container",
    """
    FROM python:3.13
    CMD ["alembic", "stamp", "heads"]
          ^^^^^^^^^^^^^^^^^^^^^^^^^ this makes the database say it is at `heads`: no migration runs
    """,
    file="Dockerfile",
)
rule.example(
    "A step of a workflow",
    """
    steps:
      - name: no alembic stamp head
      - run: flask db stamp head
             ^^^^^^^^^^^^^^^^^^^ this makes the database say it is at `head`: no migration runs
    """,
    file=".github/workflows/deploy.yml",
)
rule.example(
    "An application that stamps when it starts",
    """
    from alembic import command
    from sqlalchemy import text


    def start(config, connection):
        "😋"; command.stamp(config, "head")
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this makes the database say it is at `head`: no migration runs
        connection.execute(text("UPDATE alembic_version SET version_num = 'x'"))
                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this writes Alembic's version table: no migration runs
    """,
    file="app/start.py",
)
rule.example(
    "A new database, noted",
    """
    from alembic import command
    from app import Base


    def make(config, engine):
        Base.metadata.create_all(engine)
        command.stamp(config, "head")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this makes the database say it is at `head`: no migration runs
    """,
    file="app/fresh.py",
)
rule.example(
    "A wrapper that passes a revision on",
    """
    from alembic import command


    def stamp(config, revision):
        \"\"\"Like alembic stamp head.\"\"\"
        command.stamp(config, revision)
    """,
    file="app/cli.py",
)
rule.example(
    "Another stamp",
    """
    deploy:
    \talembic upgrade head
    \tdocker stamp head
    """,
    file="Makefile",
)
rule.example(
    "What a script only shows",
    """
    usage() { cat <<EOF
        alembic stamp head
    EOF
    }
    cat >&2 <<-'THE-END'
    \talembic stamp head
    \tTHE-END
    cat <<EOF
        EOF
        alembic stamp head
    EOF
    cat <<EOF | ssh host
        alembic stamp head
        ^^^^^^^^^^^^^^^^^^ this makes the database say it is at `head`: no migration runs
    EOF
    { cat <<SQL
        DELETE FROM alembic_version;
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^ this writes Alembic's version table: no migration runs
    SQL
    } | psql app
    (
        cat <<SQL
        DELETE FROM alembic_version;
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^ this writes Alembic's version table: no migration runs
    SQL
    ) | psql app
    """,
    file="help.sh",
)
rule.example(
    "What a label of an image says",
    """
    FROM python
    LABEL usage="alembic stamp head"
    """,
    file="Dockerfile",
)
rule.example(
    "A script whose first line says what it is",
    """
    #!/usr/bin/env bash
    # flask db stamp head
    flask db stamp head  # 😋
    ^^^^^^^^^^^^^^^^^^^ this makes the database say it is at `head`: no migration runs
    """,
    file="bin/deploy",
)
rule.example(
    "A file without an ending that is no script",
    """
    Never run this by hand:
        flask db stamp head
    """,
    file="NOTES",
)
