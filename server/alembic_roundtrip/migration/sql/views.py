"""Which tables and columns a view is made of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql.syntax import parse

_LOWER = frozenset({"postgresql", "sqlite"})


@dataclass(frozen=True, slots=True)
class View:
    """A view's tables by what it calls them, and the columns that it names.

    `columns` are pairs of what stands before the dot, empty where nothing does, and the name.
    """

    tables: dict[str, Name]
    columns: frozenset[tuple[str, str]]

    def names(self, table: Name, column: str, *, alone: bool) -> bool:
        """Whether it has a column of a table; `alone` says that no other table has one like it."""
        called = {alias for alias, name in self.tables.items() if name == table}
        return any(
            name == column and (before in called or (alone and not before))
            for before, name in self.columns
        )


def view(definition: str, dialect: str) -> View | None:
    """A view by the statement that makes it; None where it is not certain what it reads."""
    tree = parse(definition, dialect) if dialect in _LOWER else None
    if not isinstance(tree, exp.Create) or tree.expression is None:
        return None
    query = tree.expression
    if query.find(exp.CTE, exp.Lateral, exp.Values) or _has_derived(query):
        return None  # names that are no table's
    tables: dict[str, Name] = {}
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or table.catalog:
            return None
        name = Name.of(_name(table.this), table.db.lower())
        alias = table.args.get("alias")
        called = _name(alias.this) if alias is not None else name.name
        if tables.setdefault(called, name) != name:
            return None
    made = {each.alias.lower() for each in query.find_all(exp.Alias)}
    columns = {(column.table.lower(), _name(column.this)) for column in _columns(query)}
    return View(tables, frozenset(each for each in columns if each[0] or each[1] not in made))


def _columns(query: exp.Expression) -> list[exp.Column]:
    found = query.find_all(exp.Column)
    return [column for column in found if isinstance(column.this, exp.Identifier)]


def _has_derived(query: exp.Expression) -> bool:
    """Whether a query stands in the place of a table."""
    inner = query.find_all(exp.Subquery)
    return any(isinstance(each.parent, exp.From | exp.Join) for each in inner)


def _name(identifier: exp.Identifier) -> str:
    text = identifier.name
    return text if identifier.args.get("quoted") else text.lower()
