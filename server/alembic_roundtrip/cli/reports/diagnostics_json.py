"""Diagnostics as JSON, version 1 of the format."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.rewrite import edits
from alembic_roundtrip.rule import Diagnostic, Fix
from alembic_roundtrip.text import Position, Range


def diagnostics_json(
    found: Sequence[Diagnostic],
    migrations: Mapping[Path, Migration | None],
    files: int,
    problems: Sequence[str],
    *,
    hints: bool,  # noqa: ARG001 - programs choose by severity themselves
) -> None:
    """Print diagnostics with their edits, paths relative to the working directory."""
    document: dict[str, Any] = {
        "version": 1,
        "diagnostics": [_diagnostic(d, migrations.get(d.path)) for d in found],
        "summary": {
            "files": files,
            "problems": list(problems),
            "error": 0,
            "warning": 0,
            "information": 0,
            "hint": 0,
            **Counter(d.severity for d in found),
        },
    }
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    print()


def _diagnostic(d: Diagnostic, migration: Migration | None) -> dict[str, Any]:
    return {
        "rule": d.rule,
        "severity": d.severity,
        "message": d.message,
        "path": relative(d.path),
        "revision": d.revision,
        "range": _range(d.range),
        "fixes": [_fix(fix, migration) for fix in d.fixes] if migration else [],
    }


def _fix(fix: Fix, migration: Migration) -> dict[str, Any]:
    changes = edits(migration, fix.rewrites)
    return {
        "title": fix.title,
        "safety": fix.safety,
        "edits": [{"range": _range(edit.range), "text": edit.text} for edit in changes],
    }


def _range(place: Range) -> dict[str, dict[str, int]]:
    return {"start": _position(place.start), "end": _position(place.end)}


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}


def relative(path: Path) -> str:
    """A path as seen from the working directory."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
