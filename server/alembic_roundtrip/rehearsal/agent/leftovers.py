"""Statements for what autogenerate does not see: views, triggers, types, and the like."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterator, List, Optional, Tuple

from .autogenerate import Statement, changed
from .schema import Snapshot, Table

_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")
_POSTGRESQL = "from sqlalchemy.dialects import postgresql"
_ENUM = "enum type"
_FIRST = ("rule", "policy", "trigger", "event", "materialized view", "view")
"""What depends on tables, and so is dropped before them and made after them."""
_LAST = ("procedure", "aggregate", "function", "sequence", "domain", "composite type", "statistics")
_OWNED = " OWNED BY "
"""Of a sequence that comes and goes with its column."""
_SPELLED = ("function", "procedure", "aggregate")
"""Kinds whose names in the catalogue have their arguments with them."""
_OF_A_TABLE = ("trigger", "policy", "rule")


class Leftovers:
    """What a database had, and the statements that make or drop single objects of it."""

    def __init__(self, connection: Any, before: Snapshot) -> None:
        self._dialect = connection.dialect
        self._before = before
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
            *(
                _enum(name, json.loads(_objects(self._before, _ENUM)[name]), "create")
                for name in self._gone(_ENUM, now)
            ),
            *(
                self._made(kind, name)
                for kind in ("domain", "composite type", "sequence", "function")
                for name in self._gone(kind, now)
                if (kind, name) in self._known and _OWNED not in self._known[kind, name]
            ),
        ]

    def rest(self, now: Snapshot) -> List[Statement]:
        """Everything else that is not what it was."""
        return [*self._constraints(now), *self._indexes(now), *self._others(now)]

    def _gone(self, kind: str, now: Snapshot) -> List[str]:
        return [name for name in _objects(self._before, kind) if name not in _objects(now, kind)]

    def _constraints(self, now: Snapshot) -> Iterator[Statement]:
        """Constraints of PostgreSQL, which has a definition and a name for each."""
        if self._dialect.name != "postgresql":
            return
        for name, was in self._before.tables.items():
            there = now.tables.get(name)
            if there is None or there == was:
                continue
            old, new = _constraints(was), _constraints(there)
            table = self._path(name)
            for key in new:
                if old.get(key) != new[key]:
                    yield _sql(f"ALTER TABLE {table} DROP CONSTRAINT {self._quoted(key)}")
            for key, definition in old.items():
                if new.get(key) != definition:
                    added = f"ADD CONSTRAINT {self._quoted(key)} {definition}"
                    yield _sql(f"ALTER TABLE {table} {added}")

    def _indexes(self, now: Snapshot) -> Iterator[Statement]:
        old, new = _indexes(self._before), _indexes(now)
        for name, (table, index) in new.items():
            if old.get(name) != (table, index):
                schema = table.schema if table.name != table.bare else ""
                path = f"{self._quoted(schema)}.{self._quoted(name)}" if schema else name
                yield _sql(f"DROP INDEX {path if schema else self._quoted(name)}")
        for name, pair in old.items():
            if new.get(name) != pair and ("index", name) in self._known:
                yield self._made("index", name)

    def _others(self, now: Snapshot) -> Iterator[Statement]:
        for kind in (*_FIRST, *_LAST):
            old = _objects(self._before, kind)
            for name, text in _objects(now, kind).items():
                if text != old.get(name) and "(identity of" not in name:
                    yield self._dropped(kind, name)
        for name in _objects(now, _ENUM):
            if name not in _objects(self._before, _ENUM):
                yield _enum(name, None, "drop")
        for name in _objects(now, "schema"):
            if name not in _objects(self._before, "schema"):
                yield _sql(f"DROP SCHEMA {self._quoted(name)}")
        for kind in (*reversed(_LAST), *reversed(_FIRST)):
            for name, text in _objects(self._before, kind).items():
                if _objects(now, kind).get(name) != text and (kind, name) in self._known:
                    yield self._made(kind, name)

    # Single statements

    def _made(self, kind: str, name: str) -> Statement:
        return _sql(self._known[kind, name])

    def _dropped(self, kind: str, name: str) -> Statement:
        if kind in _OF_A_TABLE and "." in name:
            table, _, own = name.rpartition(".")
            if self._dialect.name == "postgresql":
                return _sql(f"DROP {kind.upper()} {self._quoted(own)} ON {self._path(table)}")
            name = own
        word = "TYPE" if kind == "composite type" else kind.upper()
        return _sql(f"DROP {word} {name if kind in _SPELLED else self._path(name)}")

    def _path(self, name: str) -> str:
        return ".".join(self._quoted(part) for part in name.split("."))

    def _quoted(self, name: str) -> str:
        return str(self._dialect.identifier_preparer.quote(name))


def _objects(snapshot: Snapshot, kind: str) -> Dict[str, str]:
    own = {"view": snapshot.views, "trigger": snapshot.triggers}.get(kind, {})
    return {**own, **snapshot.objects.get(kind, {})}


def _constraints(table: Table) -> Dict[str, str]:
    """Names and definitions, as PostgreSQL writes them."""
    found = [(key.name, key.definition) for key in table.foreign_keys]
    found += [(key.name, key.definition) for key in table.uniques if key.index is None]
    found += [(check.name, check.normal) for check in table.checks]
    found += table.exclusions
    return {name: definition for name, definition in found if name and definition}


def _indexes(snapshot: Snapshot) -> Dict[str, Tuple[Table, Any]]:
    return {
        index.name: (_bare(table), index)
        for table in snapshot.tables.values()
        for index in table.indexes
    }


def _bare(table: Table) -> Table:
    """Only what tells which table it is."""
    return Table(table.name, schema=table.schema, bare=table.bare)


def _enum(name: str, members: Optional[List[str]], verb: str) -> Statement:
    schema, _, own = name.rpartition(".")
    parts = [*map(repr, members or ()), f"name={own!r}"]
    if schema:
        parts.append(f"schema={schema!r}")
    text = f"postgresql.ENUM({', '.join(parts)}).{verb}(op.get_bind(), checkfirst=False)"
    return Statement(text, [_POSTGRESQL])


def _sql(text: str) -> Statement:
    # A name after a colon would be a parameter.
    text = _PARAMETER.sub(r"\\:", text.strip().rstrip(";"))
    if "\n" not in text:
        return Statement(f"op.execute({text!r})")
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return Statement(f'op.execute("""\n{escaped}\n""")')
