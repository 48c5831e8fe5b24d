"""Rows that a session of SQLAlchemy's ORM writes, of models that the migration defines itself."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from alembic_roundtrip.migration.changes import Change, Row, Unknown, WriteRows
from alembic_roundtrip.migration.definitions import Definitions, computed, last
from alembic_roundtrip.migration.expression import UNKNOWN
from alembic_roundtrip.migration.iteration import items_of
from alembic_roundtrip.migration.literals import value_of
from alembic_roundtrip.migration.objects import Name

WRITERS = frozenset(
    {"add", "add_all", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings", "merge"}
)
"""What sessions are handed rows with; the tables are those of the rows."""
_ASKING = frozenset({"query", "select", "get"})
_GIVING = frozenset({"execute", "scalar", "scalars"})
_EVERY = _GIVING | {"all", "options", "order_by", "query", "select", "unique", "yield_per"}
"""Calls that leave no row out."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Reads what sessions do with the names of a scope."""

    definitions: Definitions

    def handed(self, node: ast.Call) -> tuple[Change, ...]:
        """What `session.add(Model(name="x"))` and its like write."""
        name = last(node.func)
        if name in {"bulk_insert_mappings", "bulk_update_mappings"}:
            return self._mapped(name, node)
        given = self.definitions.scope.resolve(node.args[0]) if node.args else None
        objects = [given] if name in {"add", "merge"} else items_of(given) if given else None
        found: dict[Name, list[Row]] = {}
        for each in objects or [None]:
            table, row = self._object(each)
            if table is None:
                return (Unknown(frozenset()),)
            found.setdefault(table, []).append(row)
        certain = name != "merge"
        return tuple(
            WriteRows("insert", table, rows=tuple(rows) if certain and all(rows) else ())
            for table, rows in found.items()
        )

    def _mapped(self, name: str, node: ast.Call) -> tuple[Change, ...]:
        table = self.definitions.table_name(node.args[0]) if node.args else None
        if table is None:
            return (Unknown(frozenset()),)
        rows = self.definitions.rows(node.args[1]) if len(node.args) > 1 else ()
        if name == "bulk_insert_mappings":
            return (WriteRows("insert", table, rows=rows),)
        columns = tuple(dict.fromkeys(column for row in rows for column, _ in row))
        return (WriteRows("update", table, columns=columns, computed=True),)

    def _object(self, node: ast.expr | None) -> tuple[Name | None, Row]:
        """The table and values of `Model(name="x")`; no values where some are not known."""
        node = node if node is None else self.definitions.scope.resolve(node)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return None, ()
        if node.args or any(keyword.arg is None for keyword in node.keywords):
            return self.definitions.table_name(node.func), ()
        values = [(self._column(node.func, str(k.arg)), value_of(k.value)) for k in node.keywords]
        return self.definitions.table_name(node.func), tuple(values)

    def _column(self, model: ast.expr, attribute: str) -> str:
        """The column that an attribute of a model stands for."""
        given = self.definitions.scope.classes.get(last(model), {}).get(attribute)
        first = value_of(given.args[0]) if isinstance(given, ast.Call) and given.args else None
        return first if isinstance(first, str) else attribute

    def queried(self, node: ast.Call) -> tuple[Change, ...]:
        """What `session.query(Model).filter(…).delete()` and `session.delete(row)` write."""
        verb, definitions = last(node.func), self.definitions
        row = self.rows(definitions.scope.resolve(node.args[0])) if node.args else None
        if row is not None and verb == "delete":
            return (WriteRows(verb, row.table, row.bounded),)
        asked = node.func.value if isinstance(node.func, ast.Attribute) else node
        bounded = False
        while isinstance(asked, ast.Call) and isinstance(asked.func, ast.Attribute):
            if asked.func.attr == "query" and len(asked.args) == 1:
                table = definitions.table_name(asked.args[0])
                rows = definitions.rows(node.args[0]) if verb == "update" and node.args else ()
                columns = tuple(column for row in rows for column, _ in row)
                return (WriteRows(verb, table, bounded, columns, computed=computed(verb, rows)),)
            asked, bounded = asked.func.value, True
        return ()

    def assigned(self, target: ast.expr, value: ast.expr | None) -> tuple[Change, ...]:
        """What `row.name = value` writes, once the session is flushed."""
        if not isinstance(target, ast.Attribute):
            return ()
        row = self.rows(self.definitions.scope.resolve(target.value))
        if row is None:
            return ()
        column = self._column(row.model, target.attr)
        constant = value is not None and value_of(value) is not UNKNOWN
        read = frozenset[str]() if constant else None
        written = WriteRows("update", row.table, row.bounded, (column,), (), not constant, read)
        return (written,)

    def rows(self, node: ast.expr | None) -> Rows | None:
        """The rows that `session.query(Model).filter(…)` or `session.get(Model, 1)` gives."""
        calls: set[str] = set()
        while True:
            if isinstance(node, ast.Attribute | ast.Subscript):
                node = node.value
                continue
            if not isinstance(node, ast.Call):
                return None
            name = last(node.func)
            calls.add(name)
            first = node.args[0] if node.args else None
            alone = len(node.args) == 1 or name == "get"
            if name in _ASKING and alone and first is not None and self._is_model(first):
                return Rows(first, self.definitions.table_name(first), not calls <= _EVERY)
            node = first if name in _GIVING and first is not None else node.func

    @staticmethod
    def _is_model(node: ast.expr) -> bool:
        """Whether it is a model, as far as names tell: `User`, `models.User`, `classes.users`."""
        if isinstance(node, ast.Attribute):
            return node.attr[:1].isupper() or last(node.value) == "classes"
        return isinstance(node, ast.Name) and node.id[:1].isupper()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a model, whose table is None where the migration does not define it.

    `bounded` says that they need not be all of them.
    """

    model: ast.expr
    table: Name | None
    bounded: bool
