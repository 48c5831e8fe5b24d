"""Diagnostics as annotations of a GitHub workflow run."""

from __future__ import annotations

from alembic_roundtrip.cli.reports._github import annotation
from alembic_roundtrip.cli.reports._linting import Linting, placed


def report(linting: Linting) -> None:
    """Print a command for each diagnostic, then the line on the whole for the log."""
    for problem in linting.problems:
        print(annotation("warning", problem, title="alembic-roundtrip", place=None))
    for d in linting.shown:
        # The log of the run shows the message alone.
        message = f"{placed(d)}: {d.message}"
        print(annotation(d.severity, message, title=d.rule, path=d.path, place=d.range))
    print(linting.summary())
