"""Reading and filling tables of a MariaDB or MySQL database, values as text."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ...schema.tables import Column, ForeignKey, Snapshot, Table
from ...values.checks import Hints, hints
from ...values.source import Source
from ..session import Session
from . import domains
from .text import quote, statements

_KEYS_READ = 5000
_STRICT = (
    "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)


class MariadbAccess:
    """The statements that reading and filling tables needs."""

    def __init__(self, connection: Any) -> None:
        self.session = Session(connection)
        self._dialect = connection.dialect

    # --- reading

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self.session.rows(f"SELECT count(*) FROM {quote(table.name)}")[0][0])  # noqa: S608

    def is_empty(self, table: Table) -> bool:
        """Whether the table has no row."""
        return not self.session.rows(f"SELECT 1 FROM {quote(table.name)} LIMIT 1")  # noqa: S608

    def greatest(self, table: Table) -> List[int]:
        """The greatest value of an integer key, so that new ones follow it."""
        column = table.column(table.key[0]) if len(table.key) == 1 else None
        if column is None or not domains.is_integer(column):
            return []
        statement = f"SELECT max({quote(column.name)}) FROM {quote(table.name)}"  # noqa: S608
        value = self.session.rows(statement)[0][0]
        return [int(value)] if value is not None else []

    @staticmethod
    def behind(_tables: Sequence[Table]) -> Dict[str, str]:
        """None: numbers that are given follow those that are there."""
        return {}

    def distinct(self, table: Table, names: Sequence[str]) -> List[Tuple[Any, ...]]:
        """The different values of these columns, without NULLs, in their order."""
        columns = [column for column in (table.column(name) for name in names) if column]
        asked = ", ".join(domains.asked(column) for column in columns)
        filled = " AND ".join(f"{quote(name)} IS NOT NULL" for name in names)
        places = ", ".join(str(number + 1) for number in range(len(names)))
        found = self.session.rows(
            f"SELECT DISTINCT {asked} FROM {quote(table.name)} "  # noqa: S608 - quoted
            f"WHERE {filled} ORDER BY {places} LIMIT {_KEYS_READ}"
        )
        return [_values(columns, row) for row in found]

    def read(self, table: Table, columns: Sequence[Column]) -> List[Tuple[Any, ...]]:
        """Every row, with values as the server writes them."""
        asked = ", ".join(domains.asked(column) for column in columns)
        found = self.session.rows(f"SELECT {asked} FROM {quote(table.name)}")  # noqa: S608
        return [_values(columns, row) for row in found]

    # --- filling

    @staticmethod
    def checked(table: Table, _schema: Snapshot) -> Table:
        """There are no types that demand anything."""
        return table

    def sources(
        self, table: Table, declared: Dict[Tuple[str, str], Any], tame: bool
    ) -> Dict[str, Source]:
        """Where made-up values of each column come from."""
        said = hints(table)
        found = {}
        for column in table.writable:
            hint = said.get(column.name)
            if domains.is_unsigned(column):
                hint = hint or Hints()
                hint.low = max(hint.low or 0, 0)
            known = declared.get((table.name, column.name))
            domain = domains.domain(column, known, hint, self._dialect)
            found[column.name] = Source(
                column.name, domain, hint, tame, nullable=not column.notnull
            )
        return found

    def begin(self, postponed: Sequence[Table]) -> None:
        """Have all that is filled in one savepoint."""
        self.session.run(f"SET SESSION sql_mode = '{_STRICT}'")
        if postponed:
            self.session.run("SET SESSION foreign_key_checks = 0")
        self.session.run("SAVEPOINT made_up_tables")

    def end(self) -> bool:
        """Nothing can be left to check: what pointed nowhere has been removed."""
        self.session.run("SET SESSION foreign_key_checks = 1, sql_mode = DEFAULT")
        self.session.run("RELEASE SAVEPOINT made_up_tables")
        return True

    def insert(self, table: Table, rows: Sequence[Dict[str, Any]]) -> Optional[str]:
        """Insert all rows or none: a statement that fails undoes itself."""
        columns = table.writable
        names = ", ".join(quote(column.name) for column in columns)
        values = ", ".join(
            "({})".format(", ".join(domains.written(c, row.get(c.name)) for c in columns))
            for row in rows
        )
        return self.session.objection(f"INSERT INTO {quote(table.name)} ({names}) VALUES {values}")  # noqa: S608

    def point(self, table: Table, row: Dict[str, Any], changes: Dict[str, Any]) -> Optional[str]:
        """Change a row, found by its key."""
        new = ", ".join(_equations(table, changes))
        same = " AND ".join(_equations(table, {name: row[name] for name in table.key}))
        return self.session.objection(f"UPDATE {quote(table.name)} SET {new} WHERE {same}")  # noqa: S608

    def run_script(self, text: str) -> None:
        """Run the statements of an SQL file, all or none of them."""
        self.session.run_all(statements(text))

    def lend(self, function: Callable[[Any], None]) -> None:
        """Call with the SQLAlchemy connection; what it raises undoes what it did."""
        self.session.lend(function)

    def remove_orphans(self, table: Table, schema: Snapshot) -> int:
        """Remove rows whose parents are missing; gives how many."""
        removed = 0
        for key in table.foreign_keys:
            parent = schema.find(key.target)
            if parent is not None:
                self.session.run(_orphans(table, key, parent))
                removed += int(self.session.rows("SELECT ROW_COUNT()")[0][0])
        return removed


def _values(columns: Sequence[Column], row: Sequence[Any]) -> Tuple[Any, ...]:
    return tuple(domains.value(column, each) for column, each in zip(columns, row))


def _equations(table: Table, values: Dict[str, Any]) -> List[str]:
    columns = {column.name: column for column in table.columns}
    return [f"{quote(name)} = {domains.written(columns[name], v)}" for name, v in values.items()]


def _orphans(table: Table, key: ForeignKey, parent: Table) -> str:
    filled = " AND ".join(f"c.{quote(name)} IS NOT NULL" for name in key.columns)
    same = " AND ".join(
        f"p.{quote(target)} = c.{quote(name)}"
        for name, target in zip(key.columns, key.target_columns)
    )
    return (
        f"DELETE c FROM {quote(table.name)} c LEFT JOIN {quote(parent.name)} p ON {same} "
        f"WHERE {filled} AND p.{quote(key.target_columns[0])} IS NULL"
    )
