"""Reading and filling tables of an SQLite database."""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ...schema.tables import Column, Snapshot, Table
from ...values import domains
from ...values.candidates import Key
from ...values.checks import hints
from ...values.source import Source
from .. import RefusedStatement, short
from ..session import raw

_KEYS_READ = 5000


class SqliteAccess:
    """The statements that reading and filling tables needs, with names quoted."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def is_empty(self, table: Table) -> bool:
        """Whether the table has no row."""
        statement = f"SELECT 1 FROM {self.quote(table.name)} LIMIT 1"  # noqa: S608 - quoted
        return self.connection.exec_driver_sql(statement).fetchone() is None

    def greatest(self, table: Table) -> List[int]:
        """The greatest value of an integer key, so that new ones follow it."""
        if len(table.key) != 1:
            return []
        statement = f"SELECT max({self.quote(table.key[0])}) FROM {self.quote(table.name)}"  # noqa: S608
        value = self.connection.exec_driver_sql(statement).scalar()
        return [value] if isinstance(value, int) else []

    @staticmethod
    def behind(_tables: Sequence[Table]) -> Dict[str, str]:
        """None: numbers that are given follow those that are there."""
        return {}

    def distinct(self, table: Table, names: Sequence[str]) -> List[Key]:
        """The different values of these columns, without NULLs, in their order."""
        columns = ", ".join(self.quote(name) for name in names)
        filled = " AND ".join(f"{self.quote(name)} IS NOT NULL" for name in names)
        statement = (
            f"SELECT DISTINCT {columns} FROM {self.quote(table.name)} "  # noqa: S608 - quoted
            f"WHERE {filled} ORDER BY {columns} LIMIT {_KEYS_READ}"
        )
        return [tuple(row) for row in self.connection.exec_driver_sql(statement)]

    def read(self, table: Table, columns: Sequence[Column]) -> List[Key]:
        """Every row, with values as the database keeps them."""
        names = ", ".join(self.quote(column.name) for column in columns)
        statement = f"SELECT {names} FROM {self.quote(table.name)}"  # noqa: S608 - names are quoted
        driver = raw(self.connection)  # past SQLAlchemy, which makes an object of each row
        try:
            return list(driver.execute(statement))
        except sqlite3.OperationalError:
            # A text need not be one: a migration may have put any bytes there.
            driver.text_factory = _legible
            return list(driver.execute(statement))
        finally:
            driver.text_factory = str

    @staticmethod
    def checked(table: Table, _schema: Snapshot) -> Table:
        """There are no types that demand anything."""
        return table

    def sources(
        self, table: Table, declared: Dict[Tuple[str, str], Any], tame: bool
    ) -> Dict[str, Source]:
        """Where made-up values of each column come from."""
        said = hints(table)
        dialect = self.connection.dialect
        found = {}
        for column in table.writable:
            domain = domains.of(column, declared.get((table.name, column.name)), dialect)
            found[column.name] = Source(
                column.name, domain, said.get(column.name), tame, nullable=not column.notnull
            )
        return found

    def quote(self, name: str) -> str:
        """A name as it can stand in a statement."""
        quoted: str = self.connection.dialect.identifier_preparer.quote_identifier(name)
        return quoted

    def begin(self, postponed: Sequence[Table]) -> None:
        """Before tables are filled: a savepoint around all of it."""
        self.connection.exec_driver_sql("SAVEPOINT made_up_tables")
        if postponed:
            self.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")

    def end(self) -> bool:
        """After tables were filled; false where all was rolled back."""
        try:
            self.connection.exec_driver_sql("RELEASE SAVEPOINT made_up_tables")
        except SQLAlchemyError:
            # RAISE(ROLLBACK) and ON CONFLICT ROLLBACK end the transaction with all that is in it.
            return False
        return True

    def insert(self, table: Table, rows: Sequence[Dict[str, Any]]) -> Optional[str]:
        """Insert all rows or none; what the database objects, or None."""
        names = [c.name for c in table.writable]
        columns = ", ".join(self.quote(name) for name in names)
        marks = ", ".join("?" for _ in names)
        statement = f"INSERT INTO {self.quote(table.name)} ({columns}) VALUES ({marks})"  # noqa: S608
        values = [tuple(map(row.get, names)) for row in rows]
        return self._error(statement, values if values[1:] else values[0])

    def point(self, table: Table, row: Dict[str, Any], changes: Dict[str, Any]) -> Optional[str]:
        """Change a row, found by its key; what the database objects, or None."""
        new = ", ".join(f"{self.quote(name)} = ?" for name in changes)
        same = " AND ".join(f"{self.quote(name)} = ?" for name in table.key)
        statement = f"UPDATE {self.quote(table.name)} SET {new} WHERE {same}"  # noqa: S608 - quoted
        return self._error(statement, (*changes.values(), *(row[name] for name in table.key)))

    def _error(self, statement: str, values: Any) -> Optional[str]:
        """Execute with one row or many in a savepoint; what the database objects, or None."""
        self.connection.exec_driver_sql("SAVEPOINT made_up_rows")
        try:
            self.connection.exec_driver_sql(statement, values)
        except SQLAlchemyError as error:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT made_up_rows")
            return short(error)
        finally:
            self.connection.exec_driver_sql("RELEASE SAVEPOINT made_up_rows")
        return None

    def run_script(self, text: str) -> None:
        """Run the statements of an SQL file, all or none of them."""

        def run(connection: Any) -> None:
            for statement in _statements(text):
                try:
                    connection.exec_driver_sql(statement)
                except DBAPIError as error:
                    raise RefusedStatement(statement, short(error)) from error

        self.lend(run)

    def lend(self, function: Callable[[Any], Any]) -> None:
        """Call with the SQLAlchemy connection; what it raises undoes what it did."""
        with self.connection.begin_nested():
            function(self.connection)

    def remove_orphans(self, table: Table, _schema: Snapshot) -> int:
        """Remove rows whose parents are missing; gives how many."""
        name = self.quote(table.name)
        check = self.connection.exec_driver_sql(f"PRAGMA foreign_key_check({name})")
        vain = {row[1] for row in check if row[1] is not None}
        for rowid in sorted(vain):
            self.connection.exec_driver_sql(
                f"DELETE FROM {name} WHERE rowid = ?",  # noqa: S608 - quoted
                (rowid,),
            )
        return len(vain)


def _legible(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


def _statements(text: str) -> Iterator[str]:
    """The statements of a script, as SQLite's own shell tells where each ends."""
    begun = ""
    for piece in re.findall(r"[^;]*;|[^;]+$", text):
        begun += piece
        if sqlite3.complete_statement(begun):
            yield begun
            begun = ""
    if begun.strip():
        yield begun
