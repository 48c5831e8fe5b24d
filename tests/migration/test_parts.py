"""What a migration does to each of several databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.source import read
from migration.reading import HEADER

ENGINES = {"one": ("postgresql",), "two": ("sqlite",)}
FUNCTIONS = "".join(
    f"\n\ndef {way}grade_{engine}():\n    op.drop_table('{way}_{engine}')"
    for engine in ("one", "two")
    for way in ("up", "down")
)


def tables(migration: Migration) -> dict[str, list[str]]:
    """The tables that each engine's directions drop, the upgrade's first."""
    return {
        part.engine: [
            str(change.table)  # type: ignore[union-attr]
            for direction in (part.upgrade, part.downgrade)
            for operation in (direction.operations if direction else ())
            for change in operation.changes
        ]
        for part in migration.parts
    }


def dispatching(call: str, parameter: str = "engine_name") -> str:
    return "".join(
        f"\n\ndef {way}({parameter}):\n    {call.replace('WAY', way)}"
        for way in ("upgrade", "downgrade")
    )


BOTH = {"one": ["up_one", "down_one"], "two": ["up_two", "down_two"]}


@pytest.mark.parametrize(
    "call",
    [
        'globals()["WAY_%s" % engine_name]()',
        '"""Doc."""\n    globals()[f"WAY_{engine_name}"]()',
        'eval("WAY_%s" % engine_name)()',
        'globals().get("WAY_" + engine_name, lambda: None)()',
        'getattr(sys.modules[__name__], f"WAY_{engine_name}")()',
        'print(engine_name)\n    globals()["WAY_%s" % engine_name]()',
        "_WAY(engine_name)",
    ],
)
@pytest.mark.parametrize("known", [ENGINES, {}, {"elsewhere": ("mysql",)}], ids=len)
def test_each_engine_has_its_own_functions(call: str, known: dict[str, tuple[str, ...]]) -> None:
    text = HEADER + dispatching(call) + FUNCTIONS + "\n\ndef upgrade_rows(connection):\n    pass"
    text += "".join(
        f"\n\ndef _{way}(name):\n    globals()['{way}_%s' % name]()"
        for way in ("upgrade", "downgrade")
    )
    migration = read(text, Path("a.py"), ("mysql",), known)
    assert tables(migration) == BOTH
    own = set() if "print" in call else {"upgrade", "downgrade"}
    assert [part.own for part in migration.parts] == [own, own]


def test_engines_that_the_configuration_does_not_name_have_both_functions() -> None:
    text = HEADER + dispatching('globals()["WAY_%s" % engine_name]()') + FUNCTIONS
    text += "\n\ndef upgrade_rows():\n    pass"
    assert list(tables(read(text, Path("a.py"), (), {"two": ()}))) == ["one", "two"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("op.drop_table('t')", {"one": ["t", "t"], "two": ["t", "t"]}),
        ("if engine_name == 'one': op.drop_table('t')", {"one": ["t", "t"], "two": []}),
        (
            "if engine_name != 'one': return\n    op.drop_table('t')",
            {"one": ["t", "t"], "two": []},
        ),
        ("op.drop_table(engine_name + '_t')", {"one": ["one_t"] * 2, "two": ["two_t"] * 2}),
        ("if engine_name == 'two': WAY_two()", {"one": [], "two": ["up_two", "down_two"]}),
    ],
)
def test_directions_that_all_engines_share_are_read_for_each(
    call: str, expected: dict[str, list[str]]
) -> None:
    text = HEADER + dispatching(call) + FUNCTIONS
    assert tables(read(text, Path("a.py"), (), ENGINES)) == expected
    assert read(text, Path("a.py")).parts == ()


def test_sql_is_read_as_that_of_the_engine() -> None:
    sql = "INSERT INTO t VALUES (E'a\\\\'b'); DROP TABLE u"
    text = HEADER + dispatching('globals()["WAY_%s" % engine_name]()')
    text += f'\n\ndef upgrade_one():\n    op.execute("{sql}")\n\ndef upgrade_two():\n    pass'
    (one, _) = read(text, Path("a.py"), ("mysql",), ENGINES).parts
    assert one.upgrade is not None
    assert "DropTable" in repr(one.upgrade.operations)


@pytest.mark.parametrize("parameter", ["", "engine_name"])
def test_a_migration_of_one_database_has_no_parts(parameter: str) -> None:
    text = HEADER + dispatching("op.drop_table('t')", parameter)
    engines = {} if parameter else ENGINES
    assert read(text, Path("a.py"), (), engines).parts == ()
