"""JUnit XML as Jenkins, GitLab and others read it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from alembic_roundtrip.cli.reports._paths import relative

# XML has no way to write them, escaped or not.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test case ended in: `failure`, `error` or `skipped`, what kind, and why."""

    element: str
    type: str
    message: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A test case; without outcomes it passed."""

    name: str
    group: str
    seconds: float = 0
    outcomes: tuple[Outcome, ...] = ()
    output: str = ""

    def ended(self, element: str) -> bool:
        """Whether it has an outcome of a kind."""
        return any(outcome.element == element for outcome in self.outcomes)


def print_suite(name: str, cases: Sequence[Case], *, seconds: float, problems: str = "") -> None:
    """Print one suite of test cases."""
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.ended("failure") for case in cases)),
        "errors": str(sum(case.ended("error") for case in cases)),
    }
    time = {"time": f"{seconds:.3f}"}
    root = ET.Element("testsuites", {"name": name, **counts, **time})
    skipped = {"skipped": str(sum(case.ended("skipped") for case in cases))}
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts, **skipped, **time})
    for case in cases:
        suite.append(_element(case))
    if problems:
        ET.SubElement(suite, "system-err").text = legal(problems)
    ET.indent(root)
    sys.stdout.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    sys.stdout.write(f"{ET.tostring(root, encoding='unicode')}\n")


def group(path: Path) -> str:
    """The folder of a migration, as the package that reports group by."""
    names = (name.strip("/\\").replace(".", "_") for name in Path(relative(path)).parent.parts)
    return ".".join(filter(None, names)) or "migrations"


def legal(text: str) -> str:
    """A text without the characters that XML does not have."""
    return _ILLEGAL.sub("", text)


def _element(case: Case) -> ET.Element:
    names = {"name": legal(case.name), "classname": legal(case.group)}
    element = ET.Element("testcase", {**names, "time": f"{case.seconds:.3f}"})
    for outcome in case.outcomes:
        told = {"type": outcome.type, "message": legal(outcome.message)}
        ET.SubElement(element, outcome.element, told).text = legal(outcome.text)
    if case.output:
        ET.SubElement(element, "system-out").text = legal(case.output)
    return element
