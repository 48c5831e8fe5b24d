"""Conditions around operations."""

from __future__ import annotations

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Guard, GuardKind
from alembic_roundtrip.migration.objects import Name
from migration.reading import upgrade


@pytest.mark.parametrize(
    ("condition", "tables"),
    [
        ("if t == 'b':\n        continue", ["a", "c"]),
        ("if t != 'b':\n        continue", ["b"]),
        ("if t in ('b', 'c'):\n        break", ["a"]),
        ("if t in OTHERS or t == 'a':\n        continue", ["b"]),
        ("if not (t in 'ab' and t != 'a'):\n        continue", ["b"]),
    ],
)
def test_conditions_on_known_values_are_decided(condition: str, tables: list[str]) -> None:
    found = upgrade(
        f"OTHERS = ['c']\nfor t in ['a', 'b', 'c']:\n    {condition}\n    op.drop_table(t)"
    )
    assert [o.changes for o in found] == [(c.DropTable(Name(t)),) for t in tables]
    assert not any(o.doubtful for o in found)


@pytest.mark.parametrize(
    ("dialect", "tables"),
    [("postgresql", ["a", "d"]), ("mysql", ["b", "d"]), ("sqlite", ["c", "d"])],
)
def test_a_match_is_read_as_its_conditions(dialect: str, tables: list[str]) -> None:
    operations = upgrade(
        """
        match op.get_bind().dialect.name:
            case "postgresql":
                op.drop_table("a")
            case "mysql" | "mariadb":
                op.drop_table("b")
            case _:
                op.drop_table("c")
        op.drop_table("d")
        """
    )
    found = [o.changes for o in operations if o.runs_on(dialect)]
    assert found == [(c.DropTable(Name(table)),) for table in tables]


def test_a_case_that_is_no_value_may_or_may_not_run() -> None:
    body = """
    match anything():
        case {"key": value} if value:
            op.drop_table("a")
    """
    (operation,) = upgrade(body)
    assert operation.changes == (c.DropTable(Name("a")),)
    assert operation.doubtful


@pytest.mark.parametrize(
    ("test", "dialect", "runs"),
    [
        ("op.get_bind().dialect.name == 'postgresql'", "postgresql", True),
        ("op.get_bind().dialect.name == 'postgresql'", "sqlite", False),
        ("op.get_context().dialect.name != 'sqlite'", "sqlite", False),
        ("bind.dialect.name in ('mysql', 'mariadb')", "mysql", True),
        ("bind.dialect.name in ('mysql', 'mariadb')", "sqlite", False),
        ("not context.dialect.name.startswith('postgres')", "postgresql", False),
        ("not helpers.is_postgres(bind)", "postgresql", False),
        ("_is_sqlite()", "postgresql", False),
    ],
)
def test_a_dialect_guard_decides_where_an_operation_runs(
    test: str, dialect: str, runs: bool
) -> None:
    for written in ("if {}:\n    op.drop_table('a')", "op.drop_table('a') if {} else None"):
        (operation,) = upgrade(written.format(test))
        assert operation.runs_on(dialect) is runs
        assert not operation.conditional


@pytest.mark.parametrize(
    ("written", "tables"),
    [
        ("op.drop_table('a') if False else op.drop_table('b')", [("b", False)]),
        ("asked() and op.drop_table('a')", [("a", True)]),
        ("True and asked() and op.drop_table('a')", [("a", True)]),
        ("op.get_bind().dialect.name == 'sqlite' or op.drop_table('a')", [("a", False)]),
        ("True or op.drop_table('a')", []),
    ],
)
def test_an_expression_that_chooses_is_read_as_its_condition(
    written: str, tables: list[tuple[str, bool]]
) -> None:
    found = [(o.changes[0], o.doubtful) for o in upgrade(written)]
    assert found == [(c.DropTable(Name(table)), doubtful) for table, doubtful in tables]


def test_an_early_return_guards_what_follows() -> None:
    (operation,) = upgrade(
        """
        if op.get_bind().dialect.name != "postgresql":
            return
        op.drop_table("a")
        """
    )
    assert operation.guards == (Guard(GuardKind.DIALECT, frozenset({"postgresql"})),)


def test_an_early_return_before_anything_happens_leaves_no_doubt() -> None:
    (operation,) = upgrade("if already_done(op):\n    return\nop.drop_table('a')")
    assert not operation.doubtful
    _, later = upgrade("op.drop_table('a')\nif already_done(op):\n    return\nop.drop_table('b')")
    assert later.doubtful
    asks = "op.get_bind().scalar(sa.text('SELECT 1 FROM a'))"
    *_, by_rows = upgrade(f"if {asks}:\n    return\nop.drop_table('a')")
    assert by_rows.doubtful


@pytest.mark.parametrize("asked", ["context.is_offline_mode()", "op.get_context().as_sql"])
def test_what_is_only_written_as_sql_is_not_what_a_database_gets(asked: str) -> None:
    (operation,) = upgrade(f"if {asked}:\n    op.drop_table('a')\n    return\nop.drop_table('b')")
    assert operation.changes == (c.DropTable(Name("b")),)
    assert operation.guards == ()


def test_an_existence_guard_is_a_condition() -> None:
    (operation,) = upgrade("if sa.inspect(bind).has_table('a'):\n    op.drop_table('a')")
    assert [guard.kind for guard in operation.guards] == [GuardKind.EXISTENCE]
    assert operation.conditional
