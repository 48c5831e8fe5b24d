from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from alembic_roundtrip.cli.reports._junit import legal
from cli.conftest import NAMES

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit-10.xsd"))


def junit(text: str) -> ET.Element:
    """The one suite of a report that is valid."""
    SCHEMA.validate(text)
    (suite,) = ET.fromstring(text)  # noqa: S314 - our own
    return suite


@pytest.mark.usefixtures("project")
def test_every_migration_is_a_test_case_with_its_diagnostics(printed):
    suite = junit(printed("lint", "--format", "junit"))
    assert {n: suite.get(n) for n in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "2",
        "errors": "0",
        "skipped": "0",
    }
    cases = {case.get("name"): case for case in suite}
    assert list(cases) == list(NAMES)
    assert {case.get("classname") for case in suite} == {"migrations.versions"}
    assert list(cases["aaaa_first.py"]) == []
    (failure,) = cases["bbbb_second.py"].findall("failure")
    assert (failure.text or "").startswith("migrations/versions/bbbb_second.py:12:5: error ")
    failures = cases["c,c%:c third.py"].findall("failure")
    assert [x.get("type") for x in failures] == ["column-not-dropped", "undocumented-data-loss"]


@pytest.mark.usefixtures("project")
def test_what_is_below_the_threshold_fails_no_test_case(printed):
    suite = junit(printed("lint", "--format", "junit", "--fail-on", "error"))
    (case,) = [case for case in suite if case.get("name") == "c,c%:c third.py"]
    assert [x.get("type") for x in case.findall("failure")] == ["column-not-dropped"]
    assert "undocumented-data-loss" in (case.findtext("system-out") or "")


@pytest.mark.usefixtures("every_verdict")
def test_every_revision_is_a_test_case_with_its_verdict(printed):
    suite = junit(printed("test", "--rows", "2", "--format", "junit"))
    outcomes = {
        case.get("name"): [(x.tag, x.get("type")) for x in case if x.tag != "system-out"]
        for case in suite
    }
    assert outcomes == {
        "1a2f0c3d4e5b": [],
        "2b7d91e06fa3": [],
        "3c58e2b7a914": [("failure", "residue")],
        "4d09f6c2b8e7": [("failure", "failed")],
        "5e61a8d3c9f0": [("skipped", "irreversible")],
        "6f72b9e4d0a1": [("failure", "failed")],
        "70b3caf5e1b2": [("skipped", "skipped")],
    }
    lossy = next(case for case in suite if case.get("name") == "2b7d91e06fa3")
    assert "rolling back loses `users.email`" in (lossy.findtext("system-out") or "")
    assert float(lossy.get("time", "0")) > 0


@pytest.mark.usefixtures("every_verdict")
def test_a_loss_fails_its_test_case_where_it_fails_the_run(printed):
    arguments = ["test", "--rows", "2", "--format", "junit", "--fail-on", "lossy", "2b7d"]
    (case,) = junit(printed(*arguments))
    assert [x.get("type") for x in case.findall("failure")] == ["lossy"]


def test_characters_that_xml_does_not_have_are_left_out():
    assert legal("a\x00\x1b[31m\x0b\ud800\ufffe\tb\n😋") == "a[31m\tb\n😋"


def test_an_exception_with_control_characters_is_valid_xml(every_verdict, printed):
    file = every_verdict / "migrations/versions/6f72b9e4d0a1_broken.py"
    text = file.read_text(encoding="utf-8")
    before, _, after = text.partition("def upgrade():\n")
    body = '    raise ValueError("\\x1b[31m\\x00<]]>&")\n'
    file.write_text(f"{before}def upgrade():\n{body}{after}", encoding="utf-8")
    suite = junit(printed("test", "--rows", "2", "--format", "junit", "6f72"))
    assert r"ValueError: \x1b[31m\x00<]]>&" in (suite[0].find("failure").get("message") or "")


def test_what_ended_a_rehearsal_is_an_error_beside_what_was_tested(stopped):
    suite = junit(stopped("junit"))
    *cases, last = suite
    assert len(cases) > 1
    assert suite.get("errors") == "1"
    assert suite.get("tests") == str(len(cases) + 1)
    (error,) = last.findall("error")
    assert "ENOUGH" in (error.get("message") or "")
