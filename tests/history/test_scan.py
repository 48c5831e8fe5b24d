from __future__ import annotations

import random

import pytest

from alembic_roundtrip.history import scan as scanner
from alembic_roundtrip.history.scan import Identifiers, scan

HEADERS = [
    '"""A title\n\nRevision ID: x\nRevises: y\n"""\n',
    "'''One line'''\n",
    '"""It\'s\n\nrevision = "not this"\ndown_revision = None\ndef nothing\n"""\n',
    "# a comment\n# revision = 'no'\n",
    "",
    '\ufeff"""Marked"""\n',
    'r"""Raw \\d"""\n',
    '"""Escaped \\""" inside"""\n',
    '"""Text""" """goes on\nrevision = "no"\n"""\n',
]
IMPORTS = [
    "from alembic import op\nimport sqlalchemy as sa\n",
    "from typing import Sequence, Union\n\nfrom alembic import op\n",
    "",
    'SQL = """\nrevision = "inside"\n"""\n',
    "VALUES = dict(\nrevision='argument'\n)\n",
]
VALUES = [
    "None",
    "'abc1'",
    '"abc1"',
    "('abc1', 'def2')",
    '("abc1", "def2",)',
    "('abc1',)",
    "('abc1')",
    "(None)",
    "()",
    "['abc1', \"def2\"]",
    "[]",
    "(\n    'abc1',  # the left one's\n    'def2',\n)",
    "(\n    # why: 'x'\n    'abc1',\n    'def2'\n)",
    "('abc1'\n 'def2')",
    "'abc' '1'",
    "'a\\x62c1'",
    "r'abc1'",
    "u'abc1'",
    "b'abc1'",
    "f'abc{1}'",
    "'''abc1'''",
    "{'abc1'}",
    "''",
    "make()",
    "OTHER",
    "'a' + 'b'",
    "'abc1' if True else None",
    "('abc1', OTHER)",
    "5",
    "'abc1'  # revises 'zzz'",
    "'abc1';",
    "'abc1'; other = 1",
    "(('abc1',))",
    "\\\n    'abc1'",
]
FORMS = [
    "{name} = {value}\n",
    "{name}: str = {value}\n",
    "{name}: Union[str, Sequence[str], None] = {value}\n",
    "{name}: 'str | None' = {value}\n",
    "{name}={value}\n",
    "{name}   =   {value}\n",
    "{name} = alias = {value}\n",
    "alias = {name} = {value}\n",
    "{name} = 'old'\n{name} = {value}\n",
    "{name} = 'old'\n{name} += {value}\n",
    "if True:\n    {name} = {value}\n",
    "x = 1; {name} = {value}\n",
    "({name}) = {value}\n",
    "{name}, other = {value}, 1\n",
    "{name}_old = {value}\n",
    "{name}: str\n",
]
TAILS = [
    "\n\ndef upgrade():\n    revision = 'local'\n\n\ndef downgrade() -> None:\n    pass\n",
    "\n\nclass Helper:\n    revision = 'attribute'\n\n\ndef upgrade():\n    pass\n",
    "\n\ndef upgrade():\n    pass\n\n\nrevision = 'late'\n",
    "\n\n@decorated\ndef upgrade():\n    pass\n",
    "\n\nasync def upgrade():\n    pass\n",
    "",
]


def by_full_parse(text: str) -> Identifiers | None:
    tree = scanner._tree(text)
    assert tree is not None, text
    return scanner._identifiers(scanner._assigned(tree.body))


def made_up(rng: random.Random) -> str:
    """A script whose identifiers are mostly written plainly, and sometimes in any way at all."""
    lines = []
    for name in scanner.NAMES:
        if rng.random() < 0.1:
            continue
        plain = rng.random() < 0.6
        form = rng.choice(FORMS[:3] if plain else FORMS)
        value = rng.choice(VALUES[:7] if plain else VALUES)
        lines.append(form.format(name=name, value=value))
    if rng.random() < 0.2:
        rng.shuffle(lines)
    text = rng.choice(HEADERS) + rng.choice(IMPORTS) + "".join(lines) + rng.choice(TAILS)
    return text.replace("\n", "\r\n") if rng.random() < 0.2 else text


@pytest.mark.parametrize("seed", range(40))
def test_every_shape_is_read_as_a_full_parse_reads_it(seed: int) -> None:
    rng = random.Random(seed)
    compared = 0
    while compared < 100:
        text = made_up(rng)
        if scanner._tree(text) is None:
            continue
        compared += 1
        assert scan(text) == by_full_parse(text), text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", VALUES)
def test_each_value_in_each_form_is_read_as_a_full_parse_reads_it(form: str, value: str) -> None:
    for name in scanner.NAMES:
        others = "".join(f"{n} = 'id{n[0]}'\n" for n in scanner.NAMES[:2] if n != name)
        text = f'"""Title"""\n{others}{form.format(name=name, value=value)}{TAILS[0]}'
        if scanner._tree(text) is not None:
            assert scan(text) == by_full_parse(text), text


def test_the_plain_template_is_read_without_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "_tree", None)
    text = (
        '"""Add a column\n\nRevision ID: abc1\nRevises: def2\n"""\n'
        "from typing import Sequence, Union\n\nfrom alembic import op\n\n"
        "# revision identifiers, used by Alembic.\n"
        "revision: str = 'abc1'\n"
        "down_revision: Union[str, Sequence[str], None] = ('def2', 'eee3')\n"
        "branch_labels: Union[str, Sequence[str], None] = 'line'\n"
        "depends_on: Union[str, Sequence[str], None] = None\n\n\n"
        "def upgrade() -> None:\n    pass\n"
    )
    assert scan(text) == Identifiers("abc1", ("def2", "eee3"), (), ("line",))


def test_what_is_no_literal_is_said() -> None:
    text = "revision = 'abc1'\ndown_revision = latest()\ndef upgrade(): ...\n"
    assert scan(text) == Identifiers("abc1", computed=("down_revision",))


@pytest.mark.parametrize("text", ["", "import os\n", "def revision():\n    pass\n", "x = 1\n"])
def test_a_text_without_identifiers_is_no_migration(text: str) -> None:
    assert scan(text) is None


def test_a_half_typed_script_keeps_its_identifiers() -> None:
    text = "revision = 'abc1'\ndown_revision = 'def2'\n\ndef upgrade():\n    op.add_column(\n"
    assert scan(text) == Identifiers("abc1", ("def2",))


def test_a_half_typed_identifier_is_not_known_and_the_others_are() -> None:
    text = "revision = 'abc1'\ndown_revision = \n\ndef upgrade():\n    pass\n"
    assert scan(text) == Identifiers("abc1", computed=("down_revision",))


@pytest.mark.parametrize("length", range(0, 140, 7))
def test_no_beginning_of_a_script_raises(length: int) -> None:
    text = (
        '"""Title\n\nRevises: x\n"""\nrevision = "a"\ndown_revision = ("b",\n  "c")\ndef up(): 1\n'
    )
    found = scan(text[:length])
    assert found is None or isinstance(found, Identifiers)
