"""Diagnostics as JSON, version 1 of the format."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from alembic_roundtrip.cli.reports._fixes import written
from alembic_roundtrip.cli.reports._linting import Linting
from alembic_roundtrip.cli.reports._paths import relative
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.project import Environment
from alembic_roundtrip.text import Position, Range


def report(linting: Linting) -> None:
    """Print diagnostics with their edits, paths relative to the working directory.

    Hints too: programs choose by severity themselves.
    """
    summary: dict[str, Any] = {
        "files": len(linting.files),
        "environments": [_environment(*item) for item in linting.environments.items()],
        "problems": list(linting.problems),
        "error": 0,
        "warning": 0,
        "information": 0,
        "hint": 0,
        **Counter(d.severity for d in linting.found),
    }
    # One line each: tools that look at lines can, and large histories are written at once.
    print('{"version": 1, "diagnostics": [', end="")
    for number, diagnostic in enumerate(linting.found):
        print("," if number else "")
        print(_json(_diagnostic(diagnostic)), end="")
    print(f'\n], "summary": {_json(summary)}}}')


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _environment(environment: Environment, migrations: int) -> dict[str, Any]:
    signs = zip(environment.dialects, environment.dialect_sources, strict=True)
    return {
        "config": relative(environment.config) if environment.config else None,
        "section": environment.section,
        "script_location": relative(environment.script_location),
        "migrations": migrations,
        "dialects": [{"name": dialect, "source": source} for dialect, source in signs],
    }


def _diagnostic(d: Diagnostic) -> dict[str, Any]:
    return {
        "rule": d.rule,
        "severity": d.severity,
        "message": d.message,
        "path": relative(d.path),
        "revision": d.revision,
        "range": _range(d.range),
        "fixes": [
            {
                "title": fix.title,
                "safety": fix.safety,
                "edits": [{"range": _range(edit.range), "text": edit.text} for edit in edits],
                "creates": [{"path": relative(new.path), "text": new.text} for new in fix.creates],
            }
            for fix, edits in written(d)
        ],
    }


def _range(place: Range) -> dict[str, dict[str, int]]:
    return {"start": _position(place.start), "end": _position(place.end)}


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}
