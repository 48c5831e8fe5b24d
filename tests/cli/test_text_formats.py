from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from alembic_roundtrip.cli.reports import formats


@pytest.mark.usefixtures("project")
def test_concise_is_a_line_for_each_diagnostic_and_one_on_the_whole(printed):
    *lines, summary = printed("lint", "--format", "concise").splitlines()
    said = r"3 migrations read: 2 errors, 1 warning, \d hints \(--hints shows them\)"
    assert re.fullmatch(said, summary)
    assert len(lines) == 3
    shape = re.compile(r"(?P<path>.+?):(?P<line>\d+):(?P<column>\d+): (?P<severity>\w+) (\S+) .+")
    found = [shape.fullmatch(line) for line in lines]
    assert all(found)
    assert [(x["line"], x["column"], x[5]) for x in found if x] == [
        ("12", "5", "empty-downgrade"),
        ("1", "1", "undocumented-data-loss"),
        ("9", "10", "column-not-dropped"),
    ]


@pytest.mark.usefixtures("project")
def test_text_has_of_each_diagnostic_what_concise_has(printed):
    *concise, summary = printed("lint", "--format", "concise").splitlines()
    text = printed("lint").splitlines()
    heads = [(line, after) for line, after in pairwise(text) if after.startswith("  --> ")]
    assert [
        re.sub(r"(\w+)\[(.+?)\]: (.+)", rf"{place[6:]}: \1 \2 \3", head) for head, place in heads
    ] == concise
    assert summary in text
    assert text[-1] == "2 can be fixed with --fix, 1 more with --unsafe-fixes"


@pytest.mark.usefixtures("project")
def test_text_marks_the_code_and_says_what_can_be_done(printed):
    assert (
        "\n  11 | def downgrade():"
        "\n  12 |     pass"
        "\n     |     ^^^^"
        "\n  fix: Write the downgrade from the upgrade (--fix)\n\n"
    ) in printed("lint")


def on_a_terminal(project: Path, **env: str) -> str:
    """What `lint` writes where standard output is a terminal."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "alembic_roundtrip", "lint"],
        cwd=project,
        stdout=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "40", **env},
    ):
        os.close(theirs)
        written = b""
        # Linux says with an error that the other side is closed.
        while chunk := _chunk(ours):
            written += chunk
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def _chunk(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_a_terminal_gets_the_same_text_with_styles_unless_they_are_not_wanted(project, printed):
    plain = printed("lint")
    styled = on_a_terminal(project, COLUMNS="200")
    assert "\x1b[1;31m" in styled
    assert "empty-downgrade.md" in styled, "a link to the rule's page"
    links = re.compile(r"\x1b\]8;.*?\x1b\\")
    assert re.sub(r"\x1b\[[\d;]*m", "", links.sub("", styled)) == plain
    assert on_a_terminal(project, COLUMNS="200", NO_COLOR="1") == plain


@pytest.mark.parametrize("format", formats.LINT)
@pytest.mark.usefixtures("project")
def test_no_character_ends_the_run_where_output_is_not_unicode(format):
    done = subprocess.run(
        [sys.executable, "-m", "alembic_roundtrip", "lint", "--hints", "--format", format],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert done.returncode == 1
    if format in {"json", "sarif", "junit", "github"}:
        assert "`t.😋`" in done.stdout.decode("utf-8")
