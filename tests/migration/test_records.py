from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.source import read

A = Name("a")
RECORDS = """
from collections import namedtuple
from dataclasses import dataclass
from typing import NamedTuple
from alembic_utils.pg_view import PGView

class Replaceable:
    def __init__(self, name, sql="SELECT 1"):
        self.name = name
        self.sql: str = sql
        self.other = self.name.lower()

class View(Replaceable):
    pass

class Changed:
    def __init__(self, name, schema):
        self.name = name
        if schema:
            self.name = f"{schema}.{name}"

class Rebound:
    def __init__(self, name):
        name = name.lower()
        self.name = name

@dataclass(frozen=True)
class Data:
    name: str
    sql: str = "SELECT 1"

class Typed(NamedTuple):
    name: str
    sql: str = "SELECT 1"

Pair = namedtuple("Pair", "name, sql")
a = View("a", "SELECT 1")
"""


def changes(body: str) -> list[c.Change]:
    text = f"from alembic import op\n{RECORDS}\ndef upgrade():\n{indent(body, '    ')}\n"
    migration = read(text, Path("versions/a.py"), ("postgresql",))
    assert migration.upgrade is not None
    return [change for each in migration.upgrade.operations for change in each.changes]


@pytest.mark.parametrize(
    "value",
    [
        "a.name",
        "Replaceable(name='a').name",
        "View('a').name",
        "Data('a').name",
        "Typed('a').name",
        "Pair('a', 'b').name",
        "Pair(name='b', sql='a').sql",
        "PGView('public', 'a', 'SELECT 1').signature",
    ],
)
def test_objects_give_back_what_they_were_made_with(value: str) -> None:
    assert changes(f"op.drop_table({value})") == [c.DropTable(A)]
    (view,) = changes(f'op.execute(f"CREATE VIEW {{{value}}} AS SELECT 1")')
    assert isinstance(view, c.CreateObject)
    assert view.name == A


def test_defaults_of_objects_are_known_too() -> None:
    (view,) = changes('op.execute(f"CREATE VIEW {a.name} AS {a.sql}")')
    assert isinstance(view, c.CreateObject)
    assert view.definition == "CREATE VIEW a AS SELECT 1"


@pytest.mark.parametrize(
    "value",
    [
        "a.other",
        "Changed('a', '').name",
        "Rebound('a').name",
        "Data(sql='x').name",
        "Data(*row).name",
        "Data(**row).name",
        "Unheard('a').name",
        "a.missing",
    ],
)
def test_what_objects_make_of_their_arguments_is_not_known(value: str) -> None:
    assert changes(f"op.drop_table({value})") == [c.Unknown()]


def test_an_object_that_is_changed_is_not_known() -> None:
    assert changes("a.name = 'b'\nop.drop_table(a.name)") == [c.Unknown()]
