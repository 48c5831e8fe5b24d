from __future__ import annotations

from typing import Any

from corpus.agreement import Agreement, section
from corpus.conftest import HERE, Place, Rehearsal
from corpus.reasons import REASONS
from corpus.runs import Run, command_line

# Reading warns, and the rehearsal finds nothing, for a reason that only running shows.
ONLY_RUNNING_SHOWS = {
    # Its UPDATE has `WHERE login_count is None`, Python's comparison: always false.
    ("meltano", "990c0665f3ce", "empty-downgrade"),
}


def found_by(lint: Run, *severities: str) -> set[tuple[str, str]]:
    diagnostics: list[dict[str, Any]] = lint.document["diagnostics"]
    return {(d["revision"], d["rule"]) for d in diagnostics if d["severity"] in severities}


def test_linting_ends_without_a_word_on_stderr(place: Place, lint: Run):
    assert lint.errors == ""
    assert lint.status == 1
    assert lint.document["summary"]["files"] == place.project.revisions
    assert lint.document["summary"]["problems"] == []


def test_nothing_is_warned_of_where_a_rehearsal_finds_nothing(
    place: Place, rehearsal: Rehearsal, lint: Run
):
    clean = {r for r, found in rehearsal.revisions.items() if found["verdict"] == "lossless"}
    wrong = {
        (revision, rule)
        for revision, rule in found_by(lint, "error", "warning")
        if revision in clean
    }
    name = place.project.name
    expected = {(r, rule) for project, r, rule in ONLY_RUNNING_SHOWS if project == name}
    assert wrong == expected


def test_every_downgrade_that_does_nothing_is_found_by_reading(place: Place, lint: Run):
    found = found_by(lint, "error", "warning", "information")
    empty = {revision for revision, rule in found if rule == "empty-downgrade"}
    assert empty >= place.project.in_the_way


def test_the_kept_report_says_how_reading_and_rehearsing_agree(
    place: Place, rehearsal: Rehearsal
) -> None:
    agreement = Agreement()
    home = place.home / "lint"
    hints = command_line("lint", "--hints", "--format", "json", cwd=place.workspace, home=home)
    agreement.add(place.project.name, hints, rehearsal.run)
    kept = (HERE / "REPORT.md").read_text(encoding="utf-8")
    assert section(place.project.requires[0], agreement) in kept, "run `make corpus`"
    unlike = {(one.project, one.revision) for one in agreement.disagreements()}
    assert unlike == {key for key in REASONS if key[0] == place.project.name}
