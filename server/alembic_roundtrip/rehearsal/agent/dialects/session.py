"""Statements over whatever driver the project uses: text in, text out, nothing bound.

Values are asked for as text and given as literals, so that no driver, and nothing a project
registered with one, comes between what is in the database and what is compared.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Callable, List, Optional, Sequence, Tuple

import sqlalchemy

from . import RefusedStatement

_DOUBLES_PERCENT = sqlalchemy.__version__.startswith("1.")
_CLASS = re.compile(r"^<class '[^']+'>: ")


class Session:
    """The DBAPI connection behind one of SQLAlchemy's."""

    def __init__(self, connection: Any) -> None:
        dialect = connection.dialect
        self.connection = connection
        self.dbapi = raw(connection)
        self.error_type: Any = dialect.dbapi.Error
        # SQLAlchemy 1.4 formats what it gives to asyncpg, even where there is nothing to put in.
        self._doubled = dialect.driver == "asyncpg" and _DOUBLES_PERCENT

    def rows(self, statement: str) -> List[Tuple[Any, ...]]:
        """What a query gives."""
        cursor = self.dbapi.cursor()
        try:
            cursor.execute(self._spelled(statement))
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def run(self, statement: str) -> None:
        """Run a statement that gives nothing."""
        cursor = self.dbapi.cursor()
        try:
            cursor.execute(self._spelled(statement))
        finally:
            cursor.close()

    def attempt(self, statement: str) -> None:
        """Run a statement whose failure means that there was nothing to do."""
        with suppress(self.error_type):
            self.run(statement)

    def objection(self, statement: str) -> Optional[str]:
        """Run; what the database objects, or None."""
        try:
            self.run(statement)
        except self.error_type as error:
            return said(error)
        return None

    def error(self, statement: str, savepoint: str = "made_up_rows") -> Optional[str]:
        """Run in a savepoint, where a failure would end the transaction; as `objection`."""
        self.run(f"SAVEPOINT {savepoint}")
        objection = self.objection(statement)
        if objection is not None:
            self.run(f"ROLLBACK TO SAVEPOINT {savepoint}")
        self.run(f"RELEASE SAVEPOINT {savepoint}")
        return objection

    def run_all(self, statements: Sequence[str]) -> None:
        """Run all of the statements or none."""

        def run(_: Any) -> None:
            for statement in statements:
                try:
                    self.run(statement)
                except self.error_type as error:
                    raise RefusedStatement(statement, said(error)) from error

        self.lend(run)

    def lend(self, function: Callable[[Any], Any], savepoint: str = "own_rows") -> None:
        """Call with SQLAlchemy's connection; what it raises undoes what it has not committed."""
        self.run(f"SAVEPOINT {savepoint}")
        try:
            function(self.connection)
        except BaseException:
            self.attempt(f"ROLLBACK TO SAVEPOINT {savepoint}")
            raise
        finally:
            self.attempt(f"RELEASE SAVEPOINT {savepoint}")

    def _spelled(self, statement: str) -> str:
        return statement.replace("%", "%%") if self._doubled else statement


def said(error: BaseException) -> str:
    """What the database objects, in one line, whatever the driver."""
    first = error.args[0] if error.args else ""
    if isinstance(first, dict):  # pg8000
        first = first.get("M", first)
    elif isinstance(first, int) and error.args[1:]:  # most of MySQL's: its number, its message
        first = error.args[1]
    text = _CLASS.sub("", str(first).strip())
    return text.splitlines()[0][:160] if text else type(error).__name__


def raw(connection: Any) -> Any:
    """The DBAPI connection behind a connection of SQLAlchemy's, or behind a pool's."""
    found = getattr(connection, "connection", connection)
    return getattr(found, "dbapi_connection", found)
