from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, DropConstraint

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.naming import named
from alembic_roundtrip.migration.source import read

CONVENTIONS = {
    "none": {},
    "recommended": {
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
    "all columns": {
        "ix": "%(column_0_N_label)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_%(column_1_name)s_key",
        "ck": "%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0N_name)s_%(referred_table_name)s_fkey",
    },
}
OPERATIONS = [
    (
        'op.create_table("t", sa.Column("a", sa.Integer, sa.ForeignKey("o.id"), primary_key=True),'
        ' sa.Column("b", sa.Integer, index=True), sa.Column("c", sa.Integer, unique=True),'
        ' sa.UniqueConstraint("b", "c"), sa.CheckConstraint("b > 0", name="positive"),'
        ' sa.CheckConstraint("b > 1", name=op.f("plain")), sa.UniqueConstraint("c", name="given"),'
        ' sa.CheckConstraint("b > 2", "second"), sa.ForeignKeyConstraint(["b"], ["o.id"], "third"))'
    ),
    'op.create_foreign_key(None, "t", "o", ["a", "b"], ["x", "y"])',
    'op.create_unique_constraint(None, "t", ["a", "b"])',
    'op.create_unique_constraint("given", "t", ["a"])',
    'op.create_check_constraint("positive", "t", "a > 0")',
    'op.create_check_constraint(op.f("positive"), "t", "a > 0")',
    'op.create_primary_key(None, "t", ["a"])',
    'op.create_index(None, "t", ["a", "b"])',
    'op.drop_constraint("positive", "t", type_="check")',
    'op.drop_constraint("positive", "t")',
    'op.drop_constraint(op.f("positive"), "t", type_="check")',
]
TOO_LONG = [
    f'op.create_unique_constraint(op.f("{"long_" * 13}"), "t", ["a"])',
    f'op.create_index(op.f("{"long_" * 13}"), "t", ["a"])',
    f'op.create_unique_constraint(None, "t{"_long" * 12}", ["a", "b"])',
    f'op.drop_constraint(op.f("{"long_" * 13}"), "t", type_="unique")',
]


def by_sqlalchemy(operation: str, convention: dict[str, str]) -> set[object]:
    """The names that Alembic and SQLAlchemy give."""
    found: list[object] = []

    def take(statement: object, *_: object, **__: object) -> None:
        element = getattr(statement, "element", None)
        if isinstance(statement, CreateTable):
            found.extend(part.name for part in element.constraints)
        elif isinstance(statement, CreateIndex | AddConstraint | DropConstraint):
            found.append(element.name)

    engine = sa.create_mock_engine("postgresql+psycopg2://", take)
    metadata = sa.MetaData(naming_convention=convention or None)
    options = {"as_sql": True, "target_metadata": metadata, "output_buffer": None}
    context = MigrationContext.configure(
        dialect=engine.dialect, opts={**options, "transactional_ddl": False}
    )
    context.impl._exec = take  # type: ignore[method-assign]
    exec(operation, {"op": Operations(context), "sa": sa})  # noqa: S102 - our own text
    cut = engine.dialect.identifier_preparer.truncate_and_render_constraint_name
    return {name and cut(name, _alembic_quote=False) for name in found}


def by_reading(operation: str, convention: dict[str, str]) -> set[object]:
    text = f"import sqlalchemy as sa\nfrom alembic import op\ndef upgrade():\n    {operation}\n"
    migration = named(read(text, Path("a.py")), convention, ("postgresql",))
    assert migration.upgrade is not None
    found: set[object] = set()
    for change in migration.upgrade.operations[0].changes:
        if isinstance(change, c.CreateTable):
            found |= {part.name for part in change.table.constraints}
            found |= {index.name for index in change.table.indexes}
        elif isinstance(change, c.AddConstraint):
            found.add(change.constraint.name)
        elif isinstance(change, c.CreateIndex):
            found.add(change.index.name)
        elif isinstance(change, c.DropConstraint):
            found.add(change.name)
    return found


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS)
@pytest.mark.parametrize("operation", [*OPERATIONS, *TOO_LONG])
def test_names_are_those_that_alembic_gives(operation: str, convention: dict[str, str]) -> None:
    assert by_reading(operation, convention) == by_sqlalchemy(operation, convention)


def test_where_the_convention_is_not_known_names_are_not_sure() -> None:
    text = "def upgrade():\n" + "".join(f"    {operation}\n" for operation in OPERATIONS)
    migration = named(read(text, Path("a.py")), None)
    assert migration.upgrade is not None
    sure: dict[object, bool] = {}
    for operation in migration.upgrade.operations[1:]:
        for change in operation.changes:
            if isinstance(change, c.AddConstraint):
                sure[change.constraint.name, change.constraint.final] = change.constraint.sure
    assert sure == {
        (None, False): False,
        ("given", False): True,
        ("positive", False): False,
        ("positive", True): True,
    }
