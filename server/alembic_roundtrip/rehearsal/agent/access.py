"""Reading keys from tables and inserting into them, in savepoints."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from sqlalchemy.exc import SQLAlchemyError

from .candidates import Key
from .schema import Table

_KEYS_READ = 5000


class Access:
    """The statements that filling tables needs, with names quoted."""

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

    def distinct(self, table: Table, names: Sequence[str]) -> List[Key]:
        """The different values of these columns, without NULLs, in their order."""
        columns = ", ".join(self.quote(name) for name in names)
        filled = " AND ".join(f"{self.quote(name)} IS NOT NULL" for name in names)
        statement = (
            f"SELECT DISTINCT {columns} FROM {self.quote(table.name)} "  # noqa: S608 - quoted
            f"WHERE {filled} ORDER BY {columns} LIMIT {_KEYS_READ}"
        )
        return [tuple(row) for row in self.connection.exec_driver_sql(statement)]

    def quote(self, name: str) -> str:
        """A name as it can stand in a statement."""
        quoted: str = self.connection.dialect.identifier_preparer.quote_identifier(name)
        return quoted

    def insert(self, table: Table) -> str:
        """The INSERT for a row of the table, with a mark for every column."""
        columns = [self.quote(c.name) for c in table.writable]
        marks = ", ".join("?" for _ in columns)
        return f"INSERT INTO {self.quote(table.name)} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608

    def error(self, statement: str, values: Sequence[Any]) -> Optional[str]:
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


def short(error: Exception) -> str:
    """What the database objects, in one short line."""
    said = str(getattr(error, "orig", None) or error)
    return said.splitlines()[0][:160] if said else type(error).__name__
