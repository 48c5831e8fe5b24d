"""Workflow commands: lines that GitHub shows as annotations in a pull request."""

from __future__ import annotations

import os
from pathlib import Path

from alembic_roundtrip.cli.reports._paths import relative
from alembic_roundtrip.severity import Severity
from alembic_roundtrip.text import Range

_COMMANDS: dict[Severity, str] = {
    "error": "error",
    "warning": "warning",
    "information": "notice",
    "hint": "notice",
}


def annotation(
    severity: Severity, message: str, *, title: str, path: Path | None = None, place: Range | None
) -> str:
    """A command; GitHub wants paths from the root of the checkout, wherever the command runs."""
    properties: dict[str, str | int] = {}
    if path is not None:
        root = os.environ.get("GITHUB_WORKSPACE")
        properties["file"] = relative(path, Path(root).resolve() if root else None)
    if place is not None:
        properties |= {"line": place.start.line, "endLine": place.end.line}
        if place.start.line == place.end.line:
            # Columns of a range of several lines make GitHub drop the annotation.
            properties |= {"col": place.start.column, "endColumn": place.end.column}
    properties["title"] = title
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[severity]} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
