"""Reading and filling tables of a PostgreSQL database, values as text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from ...schema.tables import Check, Column, ForeignKey, Snapshot, Table
from ...values.checks import hints
from ...values.source import Source
from ..session import Session
from . import partitions
from .catalogue import Catalogue, Known
from .changes import Writes, writes
from .checks import plain
from .domains import domain
from .planned import Planned
from .script import statements
from .text import literal

_KEYS_READ = 5000
_VALUE = re.compile(r"\bVALUE\b")
_NEXT = "nextval("
_INTEGERS = ("smallint", "integer", "bigint")
_VERSION_TABLE = """
SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
         || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, ', ' ORDER BY a.attnum),
       (SELECT string_agg(pg_get_constraintdef(k.oid), ', ') FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype = 'p'),
       quote_ident(n.nspname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relname = {} AND c.relkind = 'r' AND c.oid >= 16384 GROUP BY c.oid, n.nspname
"""


class PostgresqlAccess:
    """The statements that reading and filling tables needs."""

    def __init__(self, connection: Any) -> None:
        self.session = Session(connection)
        self._dialect = connection.dialect
        self._planned = Planned(self.session)
        self._waiting: List[str] = []
        """How constraints begin to be altered that are checked late for a while."""

    # --- the whole database

    def schema(self, catalogue: Catalogue) -> Snapshot:
        """The schema as it is now."""
        return self.known(catalogue).schema

    def known(self, catalogue: Catalogue) -> Known:
        """The schema as it is now, with what a second look needs."""
        # Then the server writes every other schema's name out. Put back by hand: undoing it by a
        # savepoint takes longer than looking. Where looking fails, the transaction is over anyway.
        ((path,),) = self.session.rows("SELECT current_setting('search_path')::text")
        self.session.run("SET search_path = pg_catalog")
        found = catalogue.look(self._planned)
        self.set_path(path)
        return found

    def look(
        self, catalogue: Catalogue, base: Optional[Known], before: Optional[Writes]
    ) -> Tuple[Known, Writes]:
        """As `known`, from what was known `before` some writes; `search_path` is another then."""
        now, _ = self.writes("pg_catalog")
        if base is None or before is None:
            return catalogue.look(self._planned), now
        return catalogue.look_again(self._planned, base, before, now), now

    def writes(self, path: str) -> Tuple[Writes, bool]:
        """Set `search_path`; gives the first two of what `changes.writes` does."""
        written, temporary, self._planned.there = writes(self.session.rows, path)
        return written, temporary

    def set_path(self, path: str) -> bool:
        """Set `search_path`; gives whether the session ever had temporary tables."""
        ((_, temporary),) = self.session.rows(
            f"SELECT pg_catalog.set_config('search_path', {literal(path)}, false), "
            "pg_catalog.pg_my_temp_schema()::pg_catalog.text"
        )
        return bool(temporary != "0")

    def version_table(self, name: str) -> List[str]:
        """The statements that make Alembic's own table as env.py made it, if it did."""
        found = self.session.rows(_VERSION_TABLE.format(literal(name)))
        if not found:
            return []
        columns, key, schema = found[0]
        parts = f"{columns}, {key}" if key else columns
        return [
            f"CREATE SCHEMA IF NOT EXISTS {schema}",
            f"CREATE TABLE {schema}.{self.quote(name)} ({parts})",
        ]

    # --- names

    def quote(self, name: str) -> str:
        """A name as it can stand in a statement."""
        # Not by SQLAlchemy: it doubles `%` for drivers that format, and nothing is formatted here.
        return '"{}"'.format(name.replace('"', '""'))

    def quoted(self, table: Table) -> str:
        """A table as it can stand in a statement."""
        return f"{self.quote(table.schema)}.{self.quote(table.bare)}"

    # --- reading

    def _own(self, table: Table) -> str:
        """A table without what inherits from it, which has rows of its own; with partitions."""
        divided = any("PARTITION BY" in option for option in table.options)
        return self.quoted(table) if divided else f"ONLY {self.quoted(table)}"

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self.session.rows(f"SELECT count(*) FROM {self._own(table)}")[0][0])  # noqa: S608

    def is_empty(self, table: Table) -> bool:
        """Whether the table has no row."""
        return not self.session.rows(f"SELECT 1 FROM {self._own(table)} LIMIT 1")  # noqa: S608

    def greatest(self, table: Table) -> List[int]:
        """The greatest value of an integer key, so that new ones follow it."""
        if len(table.key) != 1:
            return []
        column = table.column(table.key[0])
        if column is None or (column.base or column.type) not in _INTEGERS:
            return []
        statement = f"SELECT max({self.quote(column.name)}) FROM {self._own(table)}"  # noqa: S608
        value = self.session.rows(statement)[0][0]
        return [int(value)] if value is not None else []

    def distinct(self, table: Table, names: Sequence[str]) -> List[Tuple[Any, ...]]:
        """The different values of these columns, without NULLs, in their order."""
        columns = ", ".join(f"{self.quote(name)}::text" for name in names)
        filled = " AND ".join(f"{self.quote(name)} IS NOT NULL" for name in names)
        places = ", ".join(str(number + 1) for number in range(len(names)))
        return self.session.rows(
            f"SELECT DISTINCT {columns} FROM {self._own(table)} "  # noqa: S608 - quoted
            f"WHERE {filled} ORDER BY {places} LIMIT {_KEYS_READ}"
        )

    def read(self, table: Table, columns: Sequence[Column]) -> List[Tuple[Any, ...]]:
        """Every row, with values as the server writes them."""
        names = ", ".join(f"{self.quote(column.name)}::text" for column in columns)
        return self.session.rows(f"SELECT {names} FROM {self._own(table)}")  # noqa: S608

    # --- filling

    def checked(self, table: Table, schema: Snapshot) -> Table:
        """The table with what its domains and partitions demand, as if it were its own."""
        columns, checks = [], [*table.checks, *partitions.checks(table, schema)]
        for column in table.columns:
            base, _, conditions = (
                schema.objects.get("domain", {}).get(column.type, "").partition(" CONSTRAINT ")
            )
            columns.append(replace(column, notnull=column.notnull or base.endswith(" NOT NULL")))
            if conditions:
                text = _VALUE.sub(lambda _: self.quote(column.name), plain(conditions))  # noqa: B023
                checks.append(Check(text, text))
        return replace(table, columns=tuple(columns), checks=tuple(checks))

    def sources(
        self, table: Table, declared: Dict[Tuple[str, str], Any], tame: bool
    ) -> Dict[str, Source]:
        """Where made-up values of each column come from."""
        said = hints(table)
        found = {}
        for column in table.writable:
            known = declared.get((table.name, column.name))
            found[column.name] = Source(
                column.name,
                domain(column, known, self._dialect),
                said.get(column.name),
                tame,
                nullable=not column.notnull,
            )
        return found

    def begin(self, postponed: Sequence[Table]) -> None:
        """Have all that is filled in one savepoint, and keys that no order suits wait for it."""
        self.session.run("SAVEPOINT made_up_tables")
        self._waiting = [
            f"ALTER TABLE {self.quoted(table)} ALTER CONSTRAINT {self.quote(key.name)} "
            for table in postponed
            for key in table.foreign_keys
            if key.name and "DEFERRABLE" not in key.deferrable
        ]
        for constraint in self._waiting:
            self.session.error(f"{constraint} DEFERRABLE")
        if postponed:
            self.session.run("SET CONSTRAINTS ALL DEFERRED")

    def end(self) -> bool:
        """Check what was postponed; where that fails nothing stays."""
        if self.session.error("SET CONSTRAINTS ALL IMMEDIATE") is not None:
            self.session.run("ROLLBACK TO SAVEPOINT made_up_tables")
            return False
        for constraint in self._waiting:
            self.session.error(f"{constraint} NOT DEFERRABLE")
        self.session.run("RELEASE SAVEPOINT made_up_tables")
        return True

    def insert(self, table: Table, rows: Sequence[Dict[str, Any]]) -> Optional[str]:
        """Insert all rows or none; sequences go on behind them."""
        columns = [column.name for column in table.writable]
        names = ", ".join(self.quote(name) for name in columns)
        values = ", ".join(
            "({})".format(", ".join(literal(row.get(name)) for name in columns)) for row in rows
        )
        error = self.session.error(
            f"INSERT INTO {self.quoted(table)} ({names}) "  # noqa: S608 - quoted
            f"OVERRIDING SYSTEM VALUE VALUES {values}"
        )
        if error is None:
            self._advance(table)
        return error

    def _advance(self, table: Table) -> None:
        for column, sequence in self._drawn(table):
            name, place = self.quote(column.name), self.quoted(table)
            # A sequence that counts down, or less far than the values, stays as it is; one that
            # other tables draw from as well may be further on.
            last = f"pg_sequence_last_value({sequence}::regclass)"
            self.session.error(
                f"SELECT setval({sequence}::regclass, greatest(max({name}), {last})) "  # noqa: S608
                f"FROM {place} HAVING max({name}) > 0"
            )

    def _drawn(self, table: Table) -> Iterator[Tuple[Column, str]]:
        """Columns that have their values from sequences, and how a query finds these."""
        for column in table.writable:
            if column.identity:
                place, name = literal(self.quoted(table)), literal(column.name)
                yield column, f"pg_get_serial_sequence({place}, {name})"
            elif (column.default or "").startswith(_NEXT):
                yield column, (column.default or "")[len(_NEXT) : -1]

    def behind(self, tables: Sequence[Table]) -> Dict[str, str]:
        """Columns whose sequence is to give values that are there already, and which."""
        found = {}
        for name, given, greatest, sequence in self._reached(tables):
            last = given
            if last is None:  # it has given none yet
                ((last,),) = self.session.rows(f"SELECT last_value - 1 FROM {sequence}")  # noqa: S608
            if int(last) < int(greatest):
                found[name] = f"it goes on with {int(last) + 1}, and {greatest} is there"
        return found

    def _reached(self, tables: Sequence[Table]) -> List[Tuple[Any, ...]]:
        """Of columns with values: what their sequences gave last, their greatest, the sequences."""
        columns = [
            f"({literal(f'{table.name}.{column.name}')}, "  # noqa: S608 - quoted
            f"pg_sequence_last_value({sequence}::regclass)::text, "
            f"(SELECT max({self.quote(column.name)}) FROM {self.quoted(table)})::text, "
            f"{sequence}::regclass::text)"
            for table in tables
            for column, sequence in self._drawn(table)
            if column.type in _INTEGERS
        ]
        # In one query: there is one for each reading of rows.
        found = self.session.rows(f"VALUES {', '.join(columns)}") if columns else []
        return [row for row in found if row[2] is not None]

    def point(self, table: Table, row: Dict[str, Any], changes: Dict[str, Any]) -> Optional[str]:
        """Change a row, found by its key."""
        new = ", ".join(f"{self.quote(n)} = {literal(v)}" for n, v in changes.items())
        same = " AND ".join(f"{self.quote(n)} = {literal(row[n])}" for n in table.key)
        return self.session.error(f"UPDATE {self.quoted(table)} SET {new} WHERE {same}")  # noqa: S608

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
                statement = self._orphans(table, key, parent)
                removed += len(self.session.rows(f"{statement} RETURNING 1"))
        return removed

    def _orphans(self, table: Table, key: ForeignKey, parent: Table) -> str:
        filled = " AND ".join(f"c.{self.quote(n)} IS NOT NULL" for n in key.columns)
        same = " AND ".join(
            f"p.{self.quote(target)} = c.{self.quote(name)}"
            for name, target in zip(key.columns, key.target_columns)
        )
        return (
            f"DELETE FROM {self.quoted(table)} c WHERE {filled} "  # noqa: S608 - quoted
            f"AND NOT EXISTS (SELECT FROM {self.quoted(parent)} p WHERE {same})"
        )
