"""What PostgreSQL has a definition of each of: types, constraints, columns, policies."""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from ...schema.tables import Column, Snapshot, Table
from ..marks import Mark, new_column
from ..statement import Statement, sql

Quoted = Callable[[str], str]

_POSTGRESQL = "from sqlalchemy.dialects import postgresql"
_ENUM = "enum type"
_COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
_SERIAL = {"smallint": "SMALLSERIAL", "integer": "SERIAL", "bigint": "BIGSERIAL"}
_EXPRESSIONS = re.compile(r"\b(USING|WITH CHECK) (.*?)(?= WITH CHECK |$)", re.DOTALL)
_ROWS = ("ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY")


def first(before: Snapshot, now: Snapshot, quoted: Quoted) -> Iterator[Statement]:
    """Enum types that are gone or have other members by now, and columns that number rows."""
    was, there = (each.objects.get(_ENUM, {}) for each in (before, now))
    for name, members in was.items():
        if name not in there:
            yield _enum(name, json.loads(members), "create")
        elif there[name] != members:
            yield _with_members(name, json.loads(members), json.loads(there[name]), now, quoted)
    yield from _numbered(before, now, quoted)


def _numbered(before: Snapshot, now: Snapshot, quoted: Quoted) -> Iterator[Statement]:
    """SERIAL columns that are gone: rows that are there get numbers as new ones do."""
    sequences = before.objects.get("sequence", {})
    for name, was in before.tables.items():
        there = now.tables.get(name)
        for column in was.columns if there is not None else ():
            owned = f"OWNED BY {name}.{column.name}"
            mine = any(text.endswith(owned) for text in sequences.values())
            if mine and there is not None and there.column(column.name) is None:
                kind = _SERIAL.get(column.type)
                mark = {"mark": "values", "table": name, "column": column.name}
                if kind is not None and (column.default or "").startswith("nextval("):
                    added = f"ADD COLUMN {quoted(column.name)} {kind}"
                    yield sql(f"ALTER TABLE {_path(name, quoted)} {added}", mark)


def counting_on(before: Snapshot, upgraded: Snapshot, quoted: Quoted) -> Iterator[Statement]:
    """Sequences made anew for columns that stayed: they begin with 1, which rows may have."""
    had, there = (each.objects.get("sequence", {}) for each in (before, upgraded))
    for name, table in before.tables.items():
        kept = upgraded.tables.get(name)
        for column in table.columns:
            now = kept.column(column.name) if kept is not None else None
            owned = f"OWNED BY {name}.{column.name}"
            gone = any(had[each].endswith(owned) for each in had if each not in there)
            if now is not None and ((column.identity and not now.identity) or gone):
                path, own = _path(name, quoted), quoted(column.name)
                place, said = ("'" + each.replace("'", "''") + "'" for each in (path, column.name))
                going = f"setval(pg_get_serial_sequence({place}, {said}), max({own}))"
                yield sql(f"SELECT {going} FROM {path} HAVING max({own}) > 0")  # noqa: S608 - quoted


def last(before: Snapshot, now: Snapshot) -> Iterator[Statement]:
    """Enum types that were not there; whatever used them is gone."""
    for name in now.objects.get(_ENUM, {}):
        if name not in before.objects.get(_ENUM, {}):
            yield _enum(name, None, "drop")


def rest(before: Snapshot, now: Snapshot, quoted: Quoted) -> Iterator[Statement]:
    """Columns and constraints of tables that are there."""
    for name, was in before.tables.items():
        there = now.tables.get(name)
        if there is not None and there != was:
            yield from _constraints_gone(was, there, quoted)
            yield from _columns(was, there, quoted)
            yield from _constraints_back(was, there, quoted)
            yield from _security(was, there, quoted)


def policy(name: str, text: str, quoted: Quoted) -> Optional[str]:
    """CREATE POLICY, from what the catalogue has of it."""
    found = re.match(r"(\w+) FOR (.) (TO .*)", text, re.DOTALL)
    if found is None:
        return None
    kind, command, body = found.groups()
    body = _EXPRESSIONS.sub(r"\1 (\2)", body)
    table, _, own = name.rpartition(".")
    where = f"{quoted(own)} ON {_path(table, quoted)}"
    return f"CREATE POLICY {where} AS {kind} FOR {_COMMANDS[command]} {body}"


# Enum types


def _enum(name: str, members: Optional[List[str]], verb: str) -> Statement:
    schema, _, own = name.rpartition(".")
    parts = [*map(repr, members or ()), f"name={own!r}"]
    if schema:
        parts.append(f"schema={schema!r}")
    text = f"postgresql.ENUM({', '.join(parts)}).{verb}(op.get_bind(), checkfirst=False)"
    return Statement(text, [_POSTGRESQL])


def _with_members(
    name: str, members: List[str], there: List[str], now: Snapshot, quoted: Quoted
) -> Statement:
    """No member can be taken away: a new type takes the place of the one there is."""
    renamed = [pair for pair in zip(there, members) if pair[0] != pair[1]]
    if len(there) == len(members) and not {new for new, _ in renamed} & {*members}:
        return _members_renamed(name, renamed, quoted)
    own = name.rpartition(".")[2]
    aside = f"{own}_old"
    path, parked = _path(name, quoted), _path(name[: len(name) - len(own)] + aside, quoted)
    labels = ", ".join("'" + member.replace("'", "''") + "'" for member in members)
    parts = [
        sql(f"ALTER TYPE {path} RENAME TO {quoted(aside)}"),
        sql(f"CREATE TYPE {path} AS ENUM ({labels})"),
    ]
    marks: List[Mark] = []
    for table in now.tables.values():
        for column in table.columns:
            if column.type in (name, f"{name}[]"):
                marks.append({"mark": "type", "table": table.name, "column": column.name})
                parts += _converted(table, column, path, quoted)
    parts.append(sql(f"DROP TYPE {parked}"))
    return Statement("\n".join(part.text for part in parts), [], marks)


def _members_renamed(name: str, renamed: List[Tuple[str, str]], quoted: Quoted) -> Statement:
    """Each in the place of one there was: rows keep what they mean."""
    lines = []
    for new, old in renamed:
        labels = " TO ".join("'" + label.replace("'", "''") + "'" for label in (new, old))
        lines.append(sql(f"ALTER TYPE {_path(name, quoted)} RENAME VALUE {labels}").text)
    return Statement("\n".join(lines))


def _converted(table: Table, column: Column, path: str, quoted: Quoted) -> Iterator[Statement]:
    """A column of the parked type gets the new one, and its default back."""
    array = "[]" * column.type.endswith("[]")
    altered = f"ALTER TABLE {_path(table.name, quoted)} ALTER COLUMN {quoted(column.name)}"
    if column.default is not None:
        yield sql(f"{altered} DROP DEFAULT")
    cast = f"{quoted(column.name)}::text{array}::{path}{array}"
    yield sql(f"{altered} TYPE {path}{array} USING {cast}")
    if column.default is not None:
        yield sql(f"{altered} SET DEFAULT {column.default}")


# Constraints


def _constraints(table: Table) -> Dict[str, Tuple[str, Mark]]:
    """Definitions by name, as the server writes them, and which rows would stop each."""
    where = table.name
    found: List[Tuple[Any, str, Mark]] = [
        (
            key.name,
            key.definition,
            {"mark": "orphans", "table": where, "columns": key.columns, "referent": key.target},
        )
        for key in table.foreign_keys
    ]
    found += [
        (key.name, key.definition, {"mark": "duplicates", "table": where, "columns": key.columns})
        for key in table.uniques
        if key.index is None
    ]
    others = [(check.name, check.normal) for check in table.checks]
    for name, definition in [*others, *table.exclusions]:
        found.append((name, definition, {"mark": "against", "table": where, "column": name}))
    return {name: (definition, mark) for name, definition, mark in found if name and definition}


def _constraints_gone(was: Table, there: Table, quoted: Quoted) -> Iterator[Statement]:
    old, new = _constraints(was), _constraints(there)
    for name in new:
        if old.get(name) != new[name]:
            yield sql(f"ALTER TABLE {_path(was.name, quoted)} DROP CONSTRAINT {quoted(name)}")


def _constraints_back(was: Table, there: Table, quoted: Quoted) -> Iterator[Statement]:
    old, new = _constraints(was), _constraints(there)
    for name, (definition, mark) in old.items():
        if new.get(name) != (definition, mark):
            added = f"ADD CONSTRAINT {quoted(name)} {definition}"
            yield sql(f"ALTER TABLE {_path(was.name, quoted)} {added}", mark)


# Columns


def _columns(was: Table, there: Table, quoted: Quoted) -> Iterator[Statement]:
    """What autogenerate does not know of types, defaults, identities and generated columns."""
    table = f"ALTER TABLE {_path(was.name, quoted)}"
    for column in was.columns:
        found = there.column(column.name)
        if found is None:
            mark = new_column(was.name, column.name, computed=bool(column.generated))
            yield sql(f"{table} ADD COLUMN {quoted(column.name)} {_definition(column)}", mark)
        elif found != column:
            altered = f"{table} ALTER COLUMN {quoted(column.name)}"
            yield from _altered(was.name, altered, column, found, quoted)
    for column in there.columns:
        if was.column(column.name) is None:
            yield sql(f"{table} DROP COLUMN {quoted(column.name)}")


def _definition(column: Column) -> str:
    words = [column.type]
    if column.collation:
        words.append(f"COLLATE {column.collation}")
    if column.generated:
        words.append(f"GENERATED ALWAYS AS ({column.expression}) {column.generated}")
    if column.identity:
        words.append(f"GENERATED {column.identity} AS IDENTITY")
    if column.default is not None:
        words.append(f"DEFAULT {column.default}")
    if column.notnull and (column.default is not None or column.generated or column.identity):
        words.append("NOT NULL")
    return " ".join(words)


def _altered(
    table: str, altered: str, column: Column, found: Column, quoted: Quoted
) -> Iterator[Statement]:
    if (column.type, column.collation) != (found.type, found.collation):
        collation = f" COLLATE {column.collation}" if column.collation else ""
        using = f"USING {quoted(column.name)}::{column.type}"
        mark = {"mark": "type", "table": table, "column": column.name}
        yield sql(f"{altered} TYPE {column.type}{collation} {using}", mark)
    if column.identity != found.identity:
        if found.identity:
            yield sql(f"{altered} DROP IDENTITY")
        if column.identity:
            yield sql(f"{altered} ADD GENERATED {column.identity} AS IDENTITY")
    if found.generated and not column.generated:
        yield sql(f"{altered} DROP EXPRESSION")
    if column.default != found.default:
        default = "DROP DEFAULT" if column.default is None else f"SET DEFAULT {column.default}"
        yield sql(f"{altered} {default}")
    if column.notnull and not found.notnull:
        mark = {"mark": "nulls", "table": table, "column": column.name}
        yield sql(f"{altered} SET NOT NULL", mark)
    elif found.notnull and not column.notnull:
        yield sql(f"{altered} DROP NOT NULL")


def _security(was: Table, there: Table, quoted: Quoted) -> Iterator[Statement]:
    """Whether policies are in force: ENABLE and FORCE."""
    for words in _ROWS:
        before, now = (_says(table, words) for table in (was, there))
        if before is not now:
            verb = {True: "ENABLE", False: "DISABLE"}[before]
            if words.startswith("FORCE"):
                verb = "" if before else "NO "
            yield sql(f"ALTER TABLE {_path(was.name, quoted)} {verb} {words}".replace("  ", " "))


def _says(table: Table, words: str) -> bool:
    said = [part for option in table.options for part in option.split(", ")]
    return words in said


def _path(name: str, quoted: Quoted) -> str:
    return ".".join(quoted(part) for part in name.split("."))
