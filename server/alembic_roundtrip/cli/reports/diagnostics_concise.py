"""Diagnostics on a line each: what `grep`, `quickfix` lists and problem matchers read."""

from __future__ import annotations

from alembic_roundtrip.cli.reports._linting import Linting, headline


def report(linting: Linting) -> None:
    """Print diagnostics, then the line on the whole."""
    for problem in linting.problems:
        print(problem)
    for diagnostic in linting.shown:
        print(headline(diagnostic))
    print(linting.summary())
