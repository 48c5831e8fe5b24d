from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[2] / "server" / "docs" / "JSON.md").read_text(encoding="utf-8")
MERGES = "revision = 'x1'\ndown_revision = None\n\n\ndef upgrade():\n    pass\n"
Printed = Callable[..., str]


def told(command: str) -> set[str]:
    """The keys that the page has for a command."""
    block = PAGE.partition(f"<!-- {command} -->\n")[2].partition("<!-- /")[0]
    return {line.split("`")[1] for line in block.splitlines()[2:]}


def keys(value: Any, path: str = "") -> Iterator[str]:
    """The places of values in a document; a range is one."""
    if path.endswith("range"):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from keys(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, f"{path}[]")
    else:
        yield path


@pytest.mark.parametrize(
    ("command", "seldom"),
    [
        (["lint"], {"summary.problems[]"}),
        (
            ["test"],
            {
                "baseline",
                "error",
                *(f"database.{key}" for key in ("extensions[].name", "extensions[].version")),
                "database.missing_extensions[]",
            },
        ),
        (
            ["plan", "base"],
            {"to[]", *(f"revisions[].sql[].{key}" for key in ("database", "sql", "problem"))},
        ),
    ],
)
def test_the_page_has_every_key(
    command: list[str], seldom: set[str], every_verdict: Path, printed: Printed
) -> None:
    (every_verdict / "migrations" / "versions" / "other.py").write_text(MERGES)
    printed("test", "--format", "json")
    found = set(keys(json.loads(printed(*command, "--format", "json"))))
    assert found <= told(command[0])
    # What no project of the tests has all of, and what is there where there is nothing to list.
    assert told(command[0]) - found <= seldom | {"revisions[].notes[]", "revisions[].half_done"}
