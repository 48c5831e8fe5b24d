"""Statements for what autogenerate does not see: views, triggers, types, and the like."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from .autogenerate import Statement

Definitions = Dict[Tuple[str, str], str]
"""What makes an object again: SQL by kind and name."""

_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")
_POSTGRESQL = "from sqlalchemy.dialects import postgresql"
_FIRST = ("rule", "policy", "trigger", "materialized view", "view")
"""What depends on tables, and so is dropped before them and made after them."""
_LAST = ("procedure", "aggregate", "function", "sequence", "domain", "composite type")
_MADE_FIRST = ("schema", "extension", "sequence", "domain", "function")


def definitions(connection: Any, before: Any) -> Definitions:
    """What a database says of the objects it has now."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        )
        return {(kind, name): sql for kind, name, sql in rows}
    found: Definitions = {}
    for kind, objects in before.objects.items():
        for name, text in objects.items():
            sql = _created(kind, name, text)
            if sql:
                found[kind, name] = sql
    for table in before.tables.values():
        for index in table.indexes:
            unique = "UNIQUE " if index.unique else ""
            text = f"CREATE {unique}INDEX {_quoted(index.name)} ON {index.definition}"
            found["index", index.name] = text
    return found


def _created(kind: str, name: str, text: str) -> Optional[str]:
    if kind in {"function", "procedure", "trigger", "rule", "statistics"}:
        return text
    if kind in {"view", "materialized view"}:
        return f"CREATE {kind.upper()} {_path(name)} AS {text}"
    if kind == "domain":
        return f"CREATE DOMAIN {_path(name)} AS {text}"
    if kind == "composite type":
        return f"CREATE TYPE {_path(name)} AS ({text})"
    if kind == "schema":
        return f"CREATE SCHEMA {_quoted(name)}"
    if kind == "sequence" and "(identity of" not in name:
        head, _, rest = text.partition(" START ")
        start, _, rest = rest.partition(" ")
        return f"CREATE SEQUENCE {_path(name)} AS {head} START WITH {start} {rest}"
    return None


def in_the_way(before: Any, now: Any) -> List[Statement]:
    """Drops of what depends on tables and is not what it was."""
    found = []
    for kind in _FIRST:
        was, there = _objects(before, kind), _objects(now, kind)
        found += [_dropped(kind, name) for name in there if there[name] != was.get(name)]
    return found


def dependents(now: Any, tables: Iterable[str]) -> List[Statement]:
    """Drops of the views that name one of these tables, and so may keep it from changing."""
    words = [re.compile(rf"\b{re.escape(name.rpartition('.')[2])}\b") for name in tables]
    return [
        _dropped(kind, name)
        for kind in ("materialized view", "view")
        for name, text in _objects(now, kind).items()
        if any(word.search(text) for word in words)
    ]


def needed_first(before: Any, now: Any) -> List[Statement]:
    """What tables are made with, where it is gone."""
    found = []
    was, there = _objects(before, "enum type"), _objects(now, "enum type")
    for name, members in was.items():
        if name not in there:
            found.append(_enum(name, json.loads(members), "create"))
    return found


def rest(before: Any, now: Any, known: Definitions) -> List[Statement]:
    """Everything else that is not what it was."""
    return [*_indexes(before, now, known), *_others(before, now, known)]


def _indexes(before: Any, now: Any, known: Definitions) -> Iterator[Statement]:
    was = {i.name: (t.name, i) for t in before.tables.values() for i in t.indexes}
    there = {i.name: (t.name, i) for t in now.tables.values() for i in t.indexes}
    for name, (table, index) in there.items():
        if was.get(name) != (table, index):
            schema = table.rpartition(".")[0]
            path = f"{_quoted(schema)}.{_quoted(name)}" if schema else _quoted(name)
            yield _sql(f"DROP INDEX {path}")
    for name, pair in was.items():
        if there.get(name) != pair and ("index", name) in known:
            yield _sql(known["index", name])


def _others(before: Any, now: Any, known: Definitions) -> Iterator[Statement]:
    kinds = {"view", "trigger", *before.objects, *now.objects}
    for kind in [*_FIRST, *_LAST]:
        was, there = _objects(before, kind), _objects(now, kind)
        for name in there:
            if kind in kinds and there[name] != was.get(name):
                yield _dropped(kind, name)
    was, there = _objects(before, "enum type"), _objects(now, "enum type")
    for name in there:
        if name not in was:
            yield _enum(name, None, "drop")
    for kind in [*_MADE_FIRST, *reversed(_LAST), *reversed(_FIRST)]:
        was, there = _objects(before, kind), _objects(now, kind)
        for name in was:
            if there.get(name) != was[name] and (kind, name) in known:
                yield _sql(known[kind, name])


def _objects(snapshot: Any, kind: str) -> Dict[str, str]:
    own = {"view": snapshot.views, "trigger": snapshot.triggers}.get(kind, {})
    return {**own, **snapshot.objects.get(kind, {})}


def _dropped(kind: str, name: str) -> Statement:
    if kind in {"trigger", "policy", "rule"} and "." in name:
        table, _, own = name.rpartition(".")
        return _sql(f"DROP {kind.upper()} {_quoted(own)} ON {_path(table)}")
    word = "TYPE" if kind == "composite type" else kind.upper()
    path = name if kind in {"function", "procedure", "aggregate"} else _path(name)
    return _sql(f"DROP {word} {path}")


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
    if "\n" in text:
        escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
        return Statement(f'op.execute(\n    """\n{escaped}\n"""\n)')
    return Statement(f"op.execute({text!r})")


def _path(name: str) -> str:
    return ".".join(_quoted(part) for part in name.split("."))


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return name if name.isidentifier() and name.islower() else f'"{doubled}"'
