"""Statements whose verbs and names say all: objects, types, drops; and what is left of others.

A reader gives None for a statement that only a parser can take apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from alembic_roundtrip.migration.changes import (
    AddConstraint,
    AddEnumValue,
    AlterColumn,
    Change,
    CreateEnum,
    CreateObject,
    CreateTable,
    DropEnum,
    DropIndex,
    DropObject,
    DropTable,
    RenameConstraint,
    RenameEnum,
    RenameEnumValue,
    RenameIndex,
    RenameTable,
    ReplaceObject,
    Row,
    SetComment,
    Unknown,
    WriteRows,
    tables_of,
)
from alembic_roundtrip.migration.expression import UNKNOWN, Expression, literal
from alembic_roundtrip.migration.objects import Constraint, ConstraintKind, EnumType, Name, Table
from alembic_roundtrip.migration.sql.words import Statement, Words, has_words, statements

Read = tuple[Change, ...] | None
ANYTHING = (Unknown(),)

_HARMLESS = frozenset(
    "SET SHOW GRANT REVOKE VACUUM ANALYZE PRAGMA BEGIN COMMIT ROLLBACK EXPLAIN LOCK UNLOCK END "
    "SAVEPOINT RELEASE RESET START REINDEX CLUSTER NOTIFY LISTEN VALUES USE DESCRIBE CHECKPOINT "
    "REFRESH REASSIGN OPTIMIZE FLUSH DISCARD ABORT".split()
)
_OBJECTS = frozenset(
    "VIEW FUNCTION PROCEDURE TRIGGER SEQUENCE SCHEMA EXTENSION DOMAIN POLICY RULE AGGREGATE "
    "COLLATION EVENT STATISTICS ROLE USER PUBLICATION SUBSCRIPTION OPERATOR CAST SERVER".split()
)
_PARSED = frozenset({"UPDATE", "DELETE", "MERGE", "WITH"})
# What they set is no part of a definition, or of one that is not compared.
_SETTINGS = frozenset(
    "VALIDATE OWNER ENABLE DISABLE CLUSTER REPLICA FORCE NO SET RESET ENGINE AUTO_INCREMENT "
    "DETACH ATTACH LOGGED UNLOGGED COMMENT ROW_FORMAT PARTITION REMOVE".split()
)
_OF_PARTITIONS = frozenset(
    "ADD ANALYZE CHECK COALESCE DISCARD DROP EXCHANGE IMPORT OPTIMIZE REBUILD REORGANIZE REPAIR "
    "TRUNCATE".split()
)
"""What MySQL does with partitions; `REMOVE PARTITIONING` and `PARTITION BY` begin otherwise."""
_WRITTEN = 5_000
_EMBEDDED = frozenset("CREATE ALTER DROP INSERT UPDATE DELETE TRUNCATE COMMENT MERGE".split())
_BRANCHES = frozenset({"THEN", "ELSE"})
_BEFORE_EMBEDDED = _BRANCHES | {"BEGIN", "LOOP"}


def read(statement: Statement, words: Words) -> Read:
    """The changes of a statement; None where a parser has to read it."""
    verb = words.peek()
    words.at = 1
    if verb in _HARMLESS or verb in _PARSED:
        return () if verb in _HARMLESS else None
    reader = _READERS.get(verb)
    if verb == "DO":
        return _do_block(statement)
    found = reader(words) if reader else ANYTHING
    return None if found is None else tuple(_defined(change, statement) for change in found)


def _defined(change: Change, statement: Statement) -> Change:
    """A change with the statement that defines what it makes."""
    if not isinstance(change, CreateObject | ReplaceObject):
        return change
    definition = statement.text[statement.places[0] :].rstrip()
    if isinstance(change, ReplaceObject) or change.kind not in {"trigger", "policy"}:
        return replace(change, definition=definition)
    words = Words(statement.tokens)
    words.at = next((n + 1 for n, t in enumerate(statement.tokens) if t.upper() == "ON"), 0)
    return replace(change, definition=definition, owner=words.name() if words.at else None)


def mentioned(words: Words) -> tuple[Change, ...]:
    """What is left of a statement that no parser took: `Unknown` on the table that it names."""
    verb = words.peek()
    words.at = 1
    if verb == "UPDATE":
        words.skip("ONLY", "IGNORE", "LOW_PRIORITY")
        if words.take("OR"):
            words.at += 1
        return (WriteRows("update", words.name(), computed=True),)
    if verb == "DELETE":
        words.skip("FROM", "ONLY")
        return (WriteRows("delete", words.name(), "WHERE" in map(str.upper, words.rest())),)
    if verb in {"WITH", "MERGE"}:
        return tuple(_rows_in(words))
    if verb == "CREATE":
        return _mentioned_create(words)
    words.at += 1
    words.take("IF", "EXISTS")
    words.skip("ONLY")
    table = words.name()
    return ANYTHING if table is None else (altered(words, table),)


def altered(words: Words, table: Name) -> Change:
    """One action of ALTER TABLE that no parser took."""
    if words.take("RENAME", "CONSTRAINT"):
        old = words.identifier()
        new = words.identifier() if words.take("TO") else None
        if old and new:
            return RenameConstraint(table, old, new)
    elif words.take("RENAME"):
        words.skip("COLUMN")
        old = words.identifier()
        new = words.identifier() if words.take("TO") else None
        if old and new:
            return AlterColumn(table, old, (("new_column_name", literal(new)),))
    elif words.take("SET", "SCHEMA"):
        schema = words.identifier()
        return RenameTable(table, table.name, schema) if schema else Unknown(frozenset({table}))
    elif words.peek() in _OF_PARTITIONS and words.peek(1) == "PARTITION":
        # The rows of a partition go with it.
        emptied = words.peek() in {"DROP", "TRUNCATE"}
        return WriteRows("delete", table) if emptied else Unknown(frozenset())
    elif words.take("ADD"):
        return _added(words, table)
    elif words.peek() in _SETTINGS:
        return Unknown(frozenset())
    return Unknown(frozenset({table}))


def _added(words: Words, table: Name) -> Change:
    """PostgreSQL's ADD CONSTRAINT … USING INDEX; without a name of its own it has the index's."""
    name = words.identifier() if words.take("CONSTRAINT") else None
    kind: ConstraintKind = "primary" if words.take("PRIMARY", "KEY") else "unique"
    if (kind == "primary" or words.take("UNIQUE")) and words.take("USING", "INDEX"):
        index = words.identifier()
        if index:
            return AddConstraint(table, Constraint(kind, name or index, final=True), index=index)
    return Unknown(frozenset({table}))


def _rows_in(words: Words) -> Iterator[Change]:
    found = False
    for at, token in enumerate(words.tokens):
        verb = token.upper()
        if verb in {"INSERT", "UPDATE", "DELETE", "MERGE"}:
            found = True
            known = {"MERGE": "update"}.get(verb, verb.lower())
            yield WriteRows(known, None, computed=known == "update")
        words.at = at
    if not found and words.tokens[0].upper() == "MERGE":
        yield WriteRows("update", None, computed=True)


def _mentioned_create(words: Words) -> tuple[Change, ...]:
    words.skip("UNIQUE", "FULLTEXT", "SPATIAL", "GLOBAL", "LOCAL", "UNLOGGED", "FOREIGN", "VIRTUAL")
    if words.take("INDEX"):
        while words.peek() not in {"ON", ""}:  # a computed word may stand before its name
            words.at += 1
        words.take("ON")
        words.skip("ONLY")
        table = words.name()
        return ANYTHING if table is None else (Unknown(frozenset({table})),)
    words.at += 1
    asks = words.take("IF", "NOT", "EXISTS")
    name = words.name()
    if name is None:
        return ANYTHING
    return (CreateTable(Table(name, complete=False), if_not_exists=asks),)


def _insert(words: Words) -> Read:
    # Rows that a person wrote; a data dump is not taken apart.
    short = words.take("INTO") and len(words.tokens) <= _WRITTEN
    words.skip("OR", "IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK", "LOW_PRIORITY", "INTO")
    table = words.name()
    listed = (words.part([token]).identifier() for token in words.group() or ())
    columns = tuple(filter(None, listed))
    rows = tuple(_rows(words, columns)) if short and words.take("VALUES") else ()
    # ON CONFLICT and its like leave what was there.
    plain = words.ended or words.peek() == "RETURNING"
    return (WriteRows("insert", table, columns=columns, rows=rows if plain else ()),)


def _rows(words: Words, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of VALUES."""
    while (values := words.group()) is not None:
        parts = [_literal(tokens) for tokens in _split(values)]
        yield tuple(zip(columns, parts, strict=True)) if len(parts) == len(columns) else ()
        words.take(",")


def _literal(tokens: list[str]) -> object:
    """A value that is one string, number or NULL."""
    token = tokens[0] if len(tokens) == 1 else ""
    if token[:1] == "'":
        return token[1:-1].replace("''", "'")
    if token.upper() == "NULL":
        return None
    return int(token) if token.isdecimal() else UNKNOWN


def _split(tokens: list[str]) -> Iterator[list[str]]:
    """The parts between commas that stand outside parentheses."""
    depth, part = 0, list[str]()
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _truncate(words: Words) -> Read:
    words.skip("TABLE", "ONLY")
    found: list[Change] = [WriteRows("truncate", words.name(), bounded=False)]
    while words.take(","):
        words.skip("ONLY")
        found.append(WriteRows("truncate", words.name(), bounded=False))
    return tuple(found)


def _select(words: Words) -> Read:
    """SELECT … INTO makes a table; what a function that is called does is not read."""
    depth = 0
    for at, token in enumerate(words.tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token.upper() == "INTO":
            words.at = at + 1
            words.skip("TABLE", "UNLOGGED")
            name = words.name()
            return () if name is None else (CreateTable(Table(name, complete=False)),)
    return ()


def _comment(words: Words) -> Read:
    if words.take("ON", "TABLE") and (table := words.name()) and words.take("IS"):
        return (SetComment(table, _said(words)),)
    words.at = 1
    if words.take("ON", "COLUMN"):
        parts = [words.identifier()]
        while words.take("."):
            parts.append(words.identifier())
        *owner, column = [part or "" for part in parts]
        if owner and words.take("IS"):
            table = Name.of(owner[-1], owner[-2] if len(owner) > 1 else None)
            return (AlterColumn(table, column, (("comment", _said(words)),)),)
    return ()


def _said(words: Words) -> Expression:
    text = words.string()
    return literal(text) if text is not None or words.peek() == "NULL" else Expression("")


def _create(words: Words) -> Read:
    replaced = words.take("OR", "REPLACE")
    if words.peek() in {"TEMP", "TEMPORARY"} or words.peek(1) in {"TEMP", "TEMPORARY"}:
        return _temporary(words)
    words.skip("GLOBAL", "LOCAL", "UNLOGGED", "CONSTRAINT", "RECURSIVE", "FOREIGN", "EVENT")
    while words.take("DEFINER", "=") or words.take("@"):
        words.at += 1
    if words.peek() in {"UNIQUE", "FULLTEXT", "SPATIAL", "INDEX"}:
        return None
    words.skip("MATERIALIZED", "VIRTUAL", "PROCEDURAL", "TRUSTED")
    kind = words.peek()
    words.at += 1
    words.take("IF", "NOT", "EXISTS")
    words.take("AUTHORIZATION")
    name = words.name()
    if name is None:
        return ANYTHING
    if kind == "TABLE" and replaced:  # another one of that name is gone
        return (Unknown(frozenset({name})),)
    if kind == "TABLE":
        # A partition goes away with the table it is part of.
        return () if words.take("PARTITION", "OF") else None
    if kind == "TYPE":
        return _create_type(words, name)
    if kind in _OBJECTS:
        made = ReplaceObject if replaced else CreateObject
        return (made(kind.lower(), name),)
    return ANYTHING


def _temporary(words: Words) -> Read:
    """It goes away with the connection, and is not a part of the schema."""
    words.skip("GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "RECURSIVE")
    words.at += 1
    words.take("IF", "NOT", "EXISTS")
    name = words.name()
    return ANYTHING if name is None else (Unknown(frozenset({name})),)


def _create_type(words: Words, name: Name) -> Read:
    if not words.take("AS", "ENUM"):
        return (CreateObject("type", name),)
    group = words.group() or []
    members = tuple(token[1:-1].replace("''", "'") for token in group if token[0] == "'")
    parts = [*(literal(member).text for member in members), f"name={literal(name.name).text}"]
    parts += [f"schema={literal(name.schema).text}"] if name.schema else []
    text = Expression(f"sa.Enum({', '.join(parts)})", imports=("import sqlalchemy as sa",))
    known = len(members) == sum(token != "," for token in group)
    return (CreateEnum(EnumType(name, members if known else None, text)),)


def _drop(words: Words) -> Read:
    if words.peek() == "OWNED":
        return ANYTHING
    words.skip("MATERIALIZED", "TEMPORARY", "FOREIGN")
    kind = words.peek()
    words.at += 1
    words.skip("CONCURRENTLY")
    words.take("IF", "EXISTS")
    names = [_dropped_name(words)]
    while words.take(","):
        names.append(_dropped_name(words))
    owner = words.name() if kind == "INDEX" and words.take("ON") else None
    cascade = words.take("CASCADE")
    found: list[Change] = []
    for name in names:
        if name is None:
            return ANYTHING
        if kind == "TABLE":
            found.append(DropTable(name, cascade))
        elif kind == "INDEX":
            found.append(DropIndex(name.name, owner))
        elif kind == "TYPE":
            found.append(DropEnum(name))
        elif kind in _OBJECTS:
            found.append(DropObject(kind.lower(), name))
        else:
            return ANYTHING
    return tuple(found)


def _dropped_name(words: Words) -> Name | None:
    """A name, past the arguments of a function."""
    name = words.name()
    words.group()
    return name


def _alter(words: Words) -> Read:
    words.skip("MATERIALIZED", "FOREIGN")
    kind = words.peek()
    words.at += 1
    if kind == "TABLE":
        return None
    words.take("IF", "EXISTS")
    if kind == "TYPE":
        return _alter_type(words)
    if kind == "INDEX":
        name = words.name()
        new = words.identifier() if words.take("RENAME", "TO") else None
        if name and new:
            return (RenameIndex(name.name, None, new),)
        return (Unknown(frozenset()),)
    # A sequence, view or role: what changes is not part of any table.
    known = kind in _OBJECTS | {"DATABASE", "DEFAULT", "SYSTEM"}
    return (Unknown(frozenset()),) if known else ANYTHING


def _alter_type(words: Words) -> Read:
    name = words.name()
    if name is None:
        return ANYTHING
    if words.take("RENAME", "TO"):
        new = words.identifier()
        return (RenameEnum(name, new),) if new else (Unknown(frozenset()),)
    if words.take("RENAME", "VALUE"):
        old = words.string()
        renamed = words.string() if words.take("TO") else None
        if old is not None and renamed is not None:
            return (RenameEnumValue(name, old, renamed),)
    if words.take("ADD", "VALUE"):
        asks = words.take("IF", "NOT", "EXISTS")
        value = words.string()
        before = words.string() if words.take("BEFORE") else None
        after = words.string() if words.take("AFTER") else None
        if value is not None:
            return (AddEnumValue(name, value, before, after, asks),)
    return (Unknown(frozenset()),)


def _rename(words: Words) -> Read:
    """MySQL's RENAME TABLE a TO b, c TO d."""
    return None if words.peek() == "TABLE" else ANYTHING


def _do_block(statement: Statement) -> Read:
    """DO $$ … $$: it may do what the statements in it do, but for what it puts together itself.

    Types and objects that it makes are there afterwards, made by it or before.
    """
    bodies = [token for token in statement.tokens if token[0] == "$" and token.endswith("$")]
    if len(bodies) != 1:
        return ANYTHING
    body = bodies[0]
    tag = body[: body.index("$", 1) + 1]
    inner = body.removeprefix(tag).removesuffix(tag)
    found: list[Change] = []
    parts = list(statements(inner))
    handles = any(has_words(_capitals(part), "EXCEPTION", "WHEN") for part in parts)
    asks = handles
    for part in parts:
        words = list(part.tokens)
        asks = handles or (asks and words[0].upper() != "END")
        if any(_runs_text(words[at : at + 2]) for at in range(len(words))):
            return ANYTHING
        for at, token in enumerate(words):
            first = at == 0 or words[at - 1].upper() in _BEFORE_EMBEDDED
            if first and token.upper() in _EMBEDDED:
                asks = asks or (at > 0 and words[at - 1].upper() in _BRANCHES)
                found += _possibly(Words(tuple(words[at:])), part, asks=asks)
                break
        asks = asks or not _BRANCHES.isdisjoint(_capitals(part))
    return tuple(found)


def _runs_text(words: list[str]) -> bool:
    """Whether it is EXECUTE of a string, not a trigger's EXECUTE FUNCTION, or a procedure."""
    first, *rest = map(str.upper, words)
    return first == "CALL" or (first == "EXECUTE" and rest[:1] not in (["FUNCTION"], ["PROCEDURE"]))


def _capitals(statement: Statement) -> tuple[str, ...]:
    return tuple(map(str.upper, statement.tokens))


def _possibly(words: Words, statement: Statement, *, asks: bool) -> Iterator[Change]:
    """What a statement in a block may do; `asks` says that the block bears what is there."""
    changes = read(statement, words)
    if changes is None:
        words.at = 0
        changes = mentioned(words)
    for change in changes:
        tables = frozenset(tables_of(change))
        if tables:
            yield Unknown(tables)
        elif isinstance(change, CreateEnum):
            yield replace(change, if_not_exists=asks)
        else:
            yield change


_READERS: dict[str, Callable[[Words], Read]] = {
    "ALTER": _alter,
    "COMMENT": _comment,
    "CREATE": _create,
    "DROP": _drop,
    "INSERT": _insert,
    "RENAME": _rename,
    "REPLACE": _insert,
    "SELECT": _select,
    "TRUNCATE": _truncate,
}
