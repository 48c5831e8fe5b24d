from __future__ import annotations

import random
from typing import Any

from alembic_roundtrip.config import tomllib
from alembic_roundtrip.text import Source
from alembic_roundtrip.tomlplaces import places

DOCUMENT = '''# [not.a.table]
top = 1.5 # comment with "quotes" and [brackets]
"quoted 😋".'and.dotted' . bare = """
[not.a.table] \\"""
key = 1"""
date = 1979-05-27 07:32:00

[ a . "b c" ]
list = [ # comment ]
  "x, ]", 'y',
  { in = "line", and.dotted = [1, [2, 3]] },
]
empty = []
none = {}
raw = '''

DOCUMENT += (
    "'''it's [a] \"string\"'''\n\n[[many]]\nx = 1\n[[many]]\nx = 2\n[many.inner]\ny = \"é\"\n"
)


def flat(value: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    if not isinstance(value, dict | list):
        return {path: value}
    found: dict[tuple[Any, ...], Any] = {}
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        found |= flat(inner, (*path, key))
    return found


def test_each_value_stands_where_it_is_said_to() -> None:
    source, known = Source(DOCUMENT), places(DOCUMENT)
    values = flat(tomllib.loads(DOCUMENT))
    assert len(values) == 13
    for path, value in values.items():
        if path[:2] == ("many", 1) and "inner" in path:
            continue  # a table of an array's item is placed at the name it is written with
        written = source.slice(known[path].value)
        assert tomllib.loads(f"x = {written}")["x"] == value


def test_a_key_stands_where_its_last_name_is_written() -> None:
    source, known = Source(DOCUMENT), places(DOCUMENT)
    for path, written in {
        ("top",): "top",
        ("quoted 😋",): '"quoted 😋"',
        ("quoted 😋", "and.dotted"): "'and.dotted'",
        ("quoted 😋", "and.dotted", "bare"): "bare",
        ("a", "b c"): '"b c"',
        ("a", "b c", "list", 2, "and", "dotted"): "dotted",
    }.items():
        assert source.slice(known[path].key) == written
    assert source.slice(known["a", "b c"].value) == '[ a . "b c" ]'


def test_whatever_parses_can_be_placed() -> None:
    lines = DOCUMENT.split("\n")
    chance = random.Random(7)
    for _ in range(300):
        text = "\n".join(chance.sample(lines, chance.randrange(len(lines))))
        try:
            tomllib.loads(text)
        except ValueError:
            continue
        places(text)
