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
from alembic_utils.pg_policy import PGPolicy
from alembic_utils.pg_trigger import PGTrigger
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


def changes(body: str, records: str = RECORDS) -> list[c.Change]:
    text = f"from alembic import op\n{records}\ndef upgrade():\n{indent(body, '    ')}\n"
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
        "PGTrigger('public', 'x', 'a', 'public.t').definition",
        "PGPolicy('public', 'x', 'a', 'public.t').definition",
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


KEPT = "class V:\n    def __init__(self, name):\n        self.name = name\n"
DATA = "from dataclasses import *\nfrom typing import *\n@dataclass\nclass V:\n    name: str\n"
TUPLE = "from typing import NamedTuple\nclass B(NamedTuple):\n    name: str\n"


@pytest.mark.parametrize(
    "records",
    [
        KEPT,
        DATA,
        f"{DATA}    more: list = field(default_factory=list)\n",
        KEPT.replace("V", "V(object)"),
        KEPT.replace("V", "W") + "class V(W):\n    def said(self):\n        return self.name\n",
        TUPLE.replace("B", "V"),
    ],
)
def test_classes_that_do_nothing_else_are_known(records: str) -> None:
    assert changes("op.drop_table(V('a').name)", records) == [c.DropTable(A)]


@pytest.mark.parametrize(
    "records",
    [
        DATA.replace("name:", "kind: ClassVar[str] = 'view'\n    name:"),
        DATA.replace("name:", "kind: 'ClassVar[str]' = 'view'\n    name:"),
        DATA.replace("name: str", "name: InitVar[str]"),
        DATA.replace("name:", "_: KW_ONLY\n    name:"),
        DATA.replace("name:", "kind: str = field(default='view', init=False)\n    name:"),
        DATA.replace("@dataclass", "@dataclass(init=False)"),
        DATA.replace("@dataclass", "@other\n@dataclass"),
        f"{DATA}    def __post_init__(self):\n        self.name = 'pre_' + self.name\n",
        f"{DATA}    def rename(self):\n        self.name = 'b'\n",
        f"{TUPLE}class V(B):\n    def __new__(cls, name):\n        return B('b')\n",
        f"{TUPLE}class V(B):\n    @property\n    def name(self):\n        return 'b'\n",
        f"{TUPLE}class V(B):\n    name = property(lambda self: 'b')\n",
        f"{KEPT}    def __setattr__(self, key, value):\n        pass\n",
        f"{KEPT}    @property\n    def name(self):\n        return 'b'\n",
        f"{KEPT}        setattr(self, 'name', 'b')\n",
        f"{KEPT}        self.__dict__['name'] = 'b'\n",
        f"{KEPT}        self._fix()\n",
        f"{KEPT}        fix(self)\n",
        f"{KEPT.replace('V', 'V(B)')}        super().__init__('b')\n",
        f"{KEPT}class V:\n    pass\n",
        f"{KEPT}from other import V\n",
        f"{KEPT}def V(name):\n    pass\n",
        f"{KEPT}V = other\n",
        f"{KEPT}V.name = 'b'\n",
        f"{KEPT}class M(type):\n    pass\nclass W(V, metaclass=M):\n    pass\nV = W\n",
    ],
)
def test_a_class_that_may_do_more_is_not_known(records: str) -> None:
    assert changes("op.drop_table(V('a').name)", records) == [c.Unknown()]


@pytest.mark.parametrize(
    "change", ["v.name = 'b'", "setattr(v, 'name', 'b')", "w = v; w.name = 'b'"]
)
def test_an_object_that_is_changed_where_it_was_made_is_not_known(change: str) -> None:
    records = f"{KEPT}v = V('a')\n"
    assert changes("op.drop_table(v.name)", records) == [c.DropTable(A)]
    assert changes("op.drop_table(v.name)", f"{records}{change}\n") == [c.Unknown()]
