from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from alembic_roundtrip.cli.reports import formats
from alembic_roundtrip.scaffold import patterns
from corpus.projects import PROJECTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "server" / "docs" / "GUIDE.md").read_text(encoding="utf-8")


def timeless(line: str) -> str:
    return re.sub(r"\d+(\.\d+)? s\b", "… s", line).rstrip()


@pytest.mark.corpus
def test_the_readme_shows_what_the_demo_really_prints() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "demo" / "demo.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    printed = iter([timeless(line) for line in done.stdout.splitlines()])
    block = README.partition("<!-- demo -->\n```text\n")[2].partition("\n```")[0]
    assert block
    for line in block.splitlines():
        assert timeless(line) in printed, f"not printed, or not in this order: {line}"


def test_links_lead_to_what_is_there() -> None:
    for page, folder in ((README, ROOT), (GUIDE, ROOT / "server" / "docs")):
        for link in re.findall(r"\]\((?!http)([^)\s]+)\)", page):
            name, _, anchor = link.partition("#")
            text = (folder / name).read_text(encoding="utf-8") if name else page
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            assert not anchor or anchor in {h.lower().replace(" ", "-") for h in headings}


def test_the_first_screen_has_the_two_commands_and_their_output() -> None:
    screen = "\n".join(README.splitlines()[:45])
    for wanted in ("make demo", "make test", "verdict", "never connects to your database"):
        assert wanted in screen


def test_every_command_the_readme_shows_exists() -> None:
    shown = set(re.findall(r"^\$ alembic-roundtrip ([a-z]+)", README, re.MULTILINE))
    assert {"lint", "test", "plan", "scaffold", "explain"} <= shown
    for command in shown:
        done = subprocess.run(
            [sys.executable, "-m", "alembic_roundtrip", command, "--help"],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0


def test_what_the_readme_says_was_found_is_what_the_corpus_tests_expect() -> None:
    block = README.partition("<!-- corpus -->\n")[2].partition("<!-- /corpus -->")[0]
    told = {}
    for line in block.splitlines()[2:]:
        name, revisions, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        verdicts = zip(("failed", "residue", "lossy"), cells, strict=True)
        told[name] = (
            int(revisions),
            {i: v for v, ids in verdicts for i in re.findall("`(.+?)`", ids)},
        )
    assert told == {p.requires[0]: (p.revisions, dict(p.verdicts)) for p in PROJECTS}


def test_guide_and_help_describe_the_same_formats() -> None:
    block = GUIDE.partition("<!-- formats -->\n")[2].partition("<!-- /formats -->")[0]
    rows = [[x.strip() for x in line.strip("|").split("|")] for line in block.splitlines()[2:]]
    for column, described in ((1, formats.LINT), (2, formats.TEST), (3, formats.PLAN)):
        told = {row[0].strip("`"): row[column] for row in rows if row[column] != "\u2013"}
        assert told == described


@pytest.mark.parametrize(
    ("formats_of", "kind"),
    [(formats.LINT, "diagnostics"), (formats.TEST, "rehearsal"), (formats.PLAN, "plan")],
)
def test_every_report_is_a_format_that_can_be_asked_for(formats_of, kind: str) -> None:
    folder = Path(formats.__file__).parent
    files = {file.stem.removeprefix(f"{kind}_") for file in folder.glob(f"{kind}_*.py")}
    assert files == set(formats_of)


def test_the_guide_has_every_pattern() -> None:
    block = GUIDE.partition("| pattern | does |\n| --- | --- |\n")[2].partition("\n\n")[0]
    assert {line.split("`")[1] for line in block.splitlines()} == set(patterns.names())
