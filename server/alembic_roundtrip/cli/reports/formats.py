"""The formats there are, and where the report of each is; one is imported when it is asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from alembic_roundtrip.linting.records import Detail

if TYPE_CHECKING:
    from alembic_roundtrip.cli.reports._judged import Report
    from alembic_roundtrip.cli.reports._linting import Linting
    from alembic_roundtrip.planning.plan import RollbackPlan

LINT: Mapping[str, str] = MappingProxyType(
    {
        "text": "for people: the code in question, marked, and what can be done",
        "concise": "a line each: `path:line:column: severity rule message`",
        "json": "everything, with the edits of each fix",
        "sarif": "SARIF 2.1.0, for code scanning",
        "github": "annotations of a GitHub workflow run",
        "junit": "JUnit XML, a test case for each migration",
    }
)
TEST: Mapping[str, str] = MappingProxyType(
    {
        "text": "for people: a verdict each as it comes, and what led to it",
        "json": "everything that was measured",
        "sarif": "SARIF 2.1.0, for code scanning",
        "github": "annotations of a GitHub workflow run",
        "junit": "JUnit XML, a test case for each revision",
    }
)
PLAN: Mapping[str, str] = MappingProxyType(
    {
        "text": "for people: a table of the revisions, then what each loses and sends",
        "markdown": "the same as a document, for a ticket",
        "json": "everything that is known",
    }
)
_DETAIL: Mapping[str, Detail] = MappingProxyType(
    {"text": Detail.TITLES, "json": Detail.EDITS, "sarif": Detail.EDITS}
)
_FOR_PEOPLE = frozenset({"text", "concise"})


def described(formats: Mapping[str, str]) -> str:
    """The formats as `--help` lists them."""
    return "; ".join(f"{name}: {says}" for name, says in formats.items())


def detail(name: str, *, hints: bool) -> Detail:
    """How much of the fixes a format shows."""
    wanted = _DETAIL.get(name, Detail.NOTHING)
    return Detail.ALL_TITLES if hints and wanted is Detail.TITLES else wanted


def diagnostics_report(name: str) -> Callable[[Linting], None]:
    """What prints diagnostics in a format."""
    _encode(name)
    module = importlib.import_module(f"{__package__}.diagnostics_{name}")
    return cast("Callable[[Linting], None]", module.report)


def rehearsal_report(name: str) -> Report:
    """What prints a rehearsal in a format."""
    _encode(name)
    module = importlib.import_module(f"{__package__}.rehearsal_{name}")
    return cast("Report", module.RehearsalReport())


def plan_report(name: str) -> Callable[[RollbackPlan], None]:
    """What prints a rollback's plan in a format."""
    _encode(name)
    module = importlib.import_module(f"{__package__}.plan_{name}")
    return cast("Callable[[RollbackPlan], None]", module.report)


def _encode(name: str) -> None:
    """Print what a terminal or a program can take: no character ends the run."""
    if isinstance(sys.stdout, TextIOWrapper):
        if name in _FOR_PEOPLE:
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors="replace")
