"""What logs in SARIF 2.1.0 have in common: one run of one tool."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic_roundtrip import __version__
from alembic_roundtrip.cli.reports._paths import relative
from alembic_roundtrip.links import REPOSITORY
from alembic_roundtrip.severity import Severity
from alembic_roundtrip.text import Range

LEVELS: dict[Severity, str] = {
    "error": "error",
    "warning": "warning",
    "information": "note",
    "hint": "note",
}
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "SRCROOT"
_TAGS = ["alembic", "database", "rollback"]

Json = dict[str, Any]


def print_log(
    rules: Sequence[Json],
    results: Sequence[Json],
    problems: Iterable[str] = (),
    failure: str | None = None,
    notes: Iterable[str] = (),
) -> None:
    """Print a log; `problems` are what the tool could not make use of, a `failure` ended it.

    `notes` are what there is to know of the run as a whole.
    """
    invocation: Json = {
        "executionSuccessful": failure is None,
        "toolConfigurationNotifications": [_told("warning", problem) for problem in problems],
    }
    told = [_told("note", note) for note in notes]
    if failure is not None:
        told.append(_told("error", failure))
    if told:
        invocation["toolExecutionNotifications"] = told
    run: Json = {
        "tool": {
            "driver": {
                "name": "alembic-roundtrip",
                "semanticVersion": __version__,
                "informationUri": REPOSITORY,
                "rules": list(rules),
            }
        },
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": f"{Path.cwd().as_uri().rstrip('/')}/"}},
        "results": list(results),
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    print()


def _told(level: str, text: str) -> Json:
    return {"level": level, "message": {"text": text}}


def descriptor(
    name: str, summary: str, page: str, severity: Severity, link: str, tags: Sequence[str] = ()
) -> Json:
    """A rule: `page` is Markdown that begins with the summary."""
    why = page.removeprefix(summary).strip().partition("\n## ")[0].strip()
    why = why.partition("\n")[2].strip() if why.startswith("#") else why
    return {
        "id": name,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": f"{summary} {' '.join(why.split())}".strip()},
        "help": {"text": page, "markdown": page},
        "helpUri": link,
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {"tags": [*_TAGS, *tags]},
    }


def artifact(path: Path) -> Json:
    """A file: below the working directory relative to it, else by its whole address."""
    name = relative(path)
    if Path(name).is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(os.fsencode(name)), "uriBaseId": _ROOT}


def region(place: Range) -> Json:
    """A range, in code points."""
    return {
        "startLine": place.start.line,
        "startColumn": place.start.column,
        "endLine": place.end.line,
        "endColumn": place.end.column,
    }


def location(path: Path, place: Range, message: str | None = None) -> Json:
    """A place in a file, with what is to be said of it."""
    found: Json = {
        "physicalLocation": {"artifactLocation": artifact(path), "region": region(place)}
    }
    return found if message is None else found | {"message": {"text": message}}


def fingerprint(*parts: str) -> str:
    """What stays the same when lines move."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
