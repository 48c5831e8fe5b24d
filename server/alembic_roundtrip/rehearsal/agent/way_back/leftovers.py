"""Statements for what autogenerate does not see: views, triggers, types, and the like."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Optional, Tuple

from ..schema.tables import Snapshot, Table
from .autogenerate import changed
from .native import mariadb, postgresql
from .statement import Statement, sql

_FIRST = ("rule", "policy", "trigger", "event", "materialized view", "view")
"""What depends on tables, and so is dropped before them and made after them."""
_LAST = ("procedure", "aggregate", "function", "sequence", "domain", "composite type", "statistics")
_OWNED = " OWNED BY "
"""Of a sequence that comes and goes with its column."""
_SPELLED = ("function", "procedure", "aggregate")
"""Kinds whose names in the catalogue have their arguments with them."""
_MARIADB = ("mysql", "mariadb")
_OF_A_TABLE = ("trigger", "policy", "rule")


class Leftovers:
    """What a database had, and the statements that make or drop single objects of it."""

    def __init__(self, connection: Any, before: Snapshot) -> None:
        self._dialect = connection.dialect
        self._before = before
        self._native = connection.dialect.name == "postgresql"
        self._known = dict(self._definitions(connection))

    # What objects are made with

    def _definitions(self, connection: Any) -> Iterator[Tuple[Tuple[str, str], str]]:
        if self._dialect.name == "sqlite":
            for kind, name, sql in connection.exec_driver_sql(
                "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            ):
                yield (kind, name), sql
            return
        for kind, objects in self._before.objects.items():
            for name, text in objects.items():
                sql = self._created(kind, name, text)
                if sql is not None:
                    yield (kind, name), sql
        for table in self._before.tables.values():
            for index in table.indexes:
                unique = "UNIQUE " if index.unique else ""
                start = f"CREATE {unique}INDEX {self._quoted(index.name)} ON"
                yield ("index", index.name), f"{start} {index.definition}"

    def _created(self, kind: str, name: str, text: str) -> Optional[str]:
        if re.match(r"CREATE\b", text, re.IGNORECASE):
            return text.partition("\nsql_mode = ")[0]
        if kind in {"view", "materialized view"}:
            return f"CREATE {kind.upper()} {self._path(name)} AS {text}"
        if kind == "domain":
            return f"CREATE DOMAIN {self._path(name)} AS {text}"
        if kind == "composite type":
            return f"CREATE TYPE {self._path(name)} AS ({text})"
        if kind == "policy":
            return postgresql.policy(name, text, self._quoted)
        if kind == "schema":
            return f"CREATE SCHEMA {self._quoted(name)}"
        if kind == "sequence" and "(identity of" not in name:
            spelled = text.replace(" START ", " START WITH ", 1)
            return f"CREATE SEQUENCE {self._path(name)} AS {spelled}"
        return None

    # Statements, by when they are needed

    def in_the_way(self, now: Snapshot) -> List[Statement]:
        """Drops of what depends on tables and is not what it was."""
        return [
            self._dropped(kind, name)
            for kind in _FIRST
            for name, text in _objects(now, kind).items()
            if text != _objects(self._before, kind).get(name)
        ]

    def dependents(self, now: Snapshot) -> List[Statement]:
        """Drops of the views that name a table that changed: they may keep it from changing."""
        names = [name.rpartition(".")[2] for name in changed(self._before, now)]
        words = [re.compile(rf"\b{re.escape(name)}\b") for name in names]
        return [
            self._dropped(kind, name)
            for kind in ("materialized view", "view")
            for name, text in _objects(now, kind).items()
            if any(word.search(text) for word in words)
        ]

    def needed_first(self, now: Snapshot) -> List[Statement]:
        """What tables are made with, where it is gone."""
        return [
            *(self._made("schema", name) for name in self._gone("schema", now)),
            *(postgresql.first(self._before, now, self._quoted) if self._native else ()),
            *(
                self._made(kind, name)
                for kind in ("domain", "composite type", "sequence", "function")
                for name in self._gone(kind, now)
                if (kind, name) in self._known and _OWNED not in self._known[kind, name]
            ),
        ]

    def rest(self, now: Snapshot) -> List[Statement]:
        """Everything else that is not what it was."""
        if self._dialect.name in _MARIADB:
            return [*mariadb.rest(self._before, now), *self._others(now)]
        own = postgresql.rest(self._before, now, self._quoted) if self._native else ()
        return [*own, *self._indexes(now), *self._others(now)]

    def counting_on(self, upgraded: Snapshot) -> List[Statement]:
        """What has new sequences go on behind the rows that stayed; others do so by themselves."""
        if not self._native:
            return []
        return list(postgresql.counting_on(self._before, upgraded, self._quoted))

    def _gone(self, kind: str, now: Snapshot) -> List[str]:
        return [name for name in _objects(self._before, kind) if name not in _objects(now, kind)]

    def _indexes(self, now: Snapshot) -> Iterator[Statement]:
        old, new = _indexes(self._before), _indexes(now)
        for name, (table, index) in new.items():
            if old.get(name) != (table, index):
                schema = table.schema if table.name != table.bare else ""
                path = f"{self._quoted(schema)}.{self._quoted(name)}" if schema else name
                yield sql(f"DROP INDEX {path if schema else self._quoted(name)}")
        for name, pair in old.items():
            if new.get(name) != pair and ("index", name) in self._known:
                yield self._made("index", name)

    def _others(self, now: Snapshot) -> Iterator[Statement]:
        for kind in (*_FIRST, *_LAST):
            old = _objects(self._before, kind)
            for name, text in _objects(now, kind).items():
                if text != old.get(name) and "(identity of" not in name:
                    yield self._dropped(kind, name)
        if self._native:
            yield from postgresql.last(self._before, now)
        for name in _objects(now, "schema"):
            if name not in _objects(self._before, "schema"):
                yield sql(f"DROP SCHEMA {self._quoted(name)}")
        for kind in (*reversed(_LAST), *reversed(_FIRST)):
            for name, text in _objects(self._before, kind).items():
                if _objects(now, kind).get(name) != text and (kind, name) in self._known:
                    yield self._made(kind, name)

    # Single statements

    def _made(self, kind: str, name: str) -> Statement:
        return sql(self._known[kind, name])

    def _dropped(self, kind: str, name: str) -> Statement:
        if kind in _OF_A_TABLE and "." in name:
            table, _, own = name.rpartition(".")
            if self._native:
                return sql(f"DROP {kind.upper()} {self._quoted(own)} ON {self._path(table)}")
            name = own
        word = "TYPE" if kind == "composite type" else kind.upper()
        return sql(f"DROP {word} {name if kind in _SPELLED else self._path(name)}")

    def _path(self, name: str) -> str:
        return ".".join(self._quoted(part) for part in name.split("."))

    def _quoted(self, name: str) -> str:
        return str(self._dialect.identifier_preparer.quote(name))


def _objects(snapshot: Snapshot, kind: str) -> Dict[str, str]:
    own = {"view": snapshot.views, "trigger": snapshot.triggers}.get(kind, {})
    return {**own, **snapshot.objects.get(kind, {})}


def _indexes(snapshot: Snapshot) -> Dict[str, Tuple[Table, Any]]:
    return {
        index.name: (_bare(table), index)
        for table in snapshot.tables.values()
        for index in table.indexes
    }


def _bare(table: Table) -> Table:
    """Only what tells which table it is."""
    return Table(table.name, schema=table.schema, bare=table.bare)
