"""Diagnostics as JUnit XML: a test case a file, a failure a diagnostic."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from alembic_roundtrip.cli.reports._junit import Case, Outcome, group, print_suite
from alembic_roundtrip.cli.reports._linting import Linting, headline
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.severity import SEVERITIES


def report(linting: Linting) -> None:
    """Print a suite; what is below the threshold fails nothing and is in `system-out`."""
    found: defaultdict[Path, list[Diagnostic]] = defaultdict(list)
    for d in linting.shown:
        found[d.path].append(d)
    files = dict.fromkeys((*linting.files, *found))
    cases = [_case(linting, file, found[file]) for file in files]
    print_suite("alembic-roundtrip lint", cases, seconds=0, problems="\n".join(linting.problems))


def _case(linting: Linting, file: Path, found: list[Diagnostic]) -> Case:
    # Readers that take one failure of a case take the first.
    worst_first = sorted(found, key=lambda d: SEVERITIES.index(d.severity))
    return Case(
        name=file.name,
        group=group(file),
        outcomes=tuple(
            Outcome("failure", d.rule, d.message, headline(d))
            for d in worst_first
            if linting.fails(d)
        ),
        output="\n".join(headline(d) for d in found),
    )
