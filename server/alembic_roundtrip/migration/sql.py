"""What SQL in a migration does, as far as its verbs and names tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from alembic_roundtrip.migration.changes import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    Change,
    CreateEnum,
    CreateIndex,
    CreateObject,
    CreateTable,
    DropColumn,
    DropConstraint,
    DropEnum,
    DropIndex,
    DropObject,
    DropTable,
    RenameEnum,
    RenameTable,
    Row,
    Unknown,
    WriteRows,
)
from alembic_roundtrip.migration.expression import UNKNOWN, Expression, literal
from alembic_roundtrip.migration.objects import Column, Constraint, EnumType, Index, Name, Table

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<body>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<string>[eE]?'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`|\[\w+\])
    | (?P<word>\w+)
    | (?P<space>\s+)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CONSTANTS = frozenset(
    "NULL TRUE FALSE DEFAULT CURRENT_TIMESTAMP CURRENT_DATE CAST AS INTERVAL DATE TIMESTAMP".split()
)
_HARMLESS = frozenset(
    "SELECT SET SHOW COMMENT GRANT REVOKE VACUUM ANALYZE PRAGMA BEGIN COMMIT ROLLBACK EXPLAIN LOCK "
    "SAVEPOINT RELEASE RESET START REINDEX CLUSTER NOTIFY VALUES USE DESCRIBE".split()
)
_OBJECTS = frozenset(
    "VIEW FUNCTION PROCEDURE TRIGGER SEQUENCE SCHEMA EXTENSION DOMAIN POLICY RULE AGGREGATE "
    "COLLATION EVENT STATISTICS ROLE USER PUBLICATION".split()
)
_CONSTRAINTS = {
    "PRIMARY": "primary",
    "UNIQUE": "unique",
    "CHECK": "check",
    "FOREIGN": "foreignkey",
    "EXCLUDE": "exclude",
}


class _Words:
    """The tokens of one statement, read from the front."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place].upper() if place < len(self.tokens) else ""

    def take(self, *words: str) -> bool:
        """Go past these words where they come next."""
        if all(self.peek(number) == word for number, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def skip(self, *words: str) -> None:
        while self.peek() in words:
            self.at += 1

    def identifier(self) -> str | None:
        if self.at >= len(self.tokens):
            return None
        token = self.tokens[self.at]
        if token[0] in '"`[':
            self.at += 1
            return token[1:-1].replace('""', '"')
        if token[0].isalpha() or token[0] == "_":
            self.at += 1
            return token
        return None

    def name(self) -> Name | None:
        first = self.identifier()
        if first is None:
            return None
        parts = [first]
        while self.take("."):
            parts.append(self.identifier() or "")
        return Name(parts[-1], parts[-2] if len(parts) > 1 else "")

    def group(self) -> list[str] | None:
        """The tokens between the parentheses that come next."""
        if self.peek() != "(":
            return None
        depth, start = 0, self.at + 1
        while self.at < len(self.tokens):
            depth += {"(": 1, ")": -1}.get(self.tokens[self.at], 0)
            self.at += 1
            if depth == 0:
                return self.tokens[start : self.at - 1]
        return self.tokens[start:]

    def rest(self) -> list[str]:
        return self.tokens[self.at :]


def changes_of(sql: str) -> tuple[Change, ...]:
    """The changes of all statements in a text; `Unknown` stands for what was not understood."""
    return tuple(change for tokens in statements(sql) for change in _statement(_Words(tokens)))


def statements(sql: str) -> Iterator[list[str]]:
    """The tokens of each statement, without comments and white space."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(sql):
        if match.lastgroup in {"comment", "space"}:
            continue
        if match.group() == ";":
            if tokens:
                yield tokens
            tokens = []
        else:
            tokens.append(match.group())
    if tokens:
        yield tokens


def _statement(words: _Words) -> tuple[Change, ...]:
    verb = words.peek()
    words.at = 1
    if verb in _HARMLESS:
        return ()
    reader = {
        "INSERT": _insert,
        "REPLACE": _insert,
        "UPDATE": _update,
        "DELETE": _delete,
        "TRUNCATE": _truncate,
        "CREATE": _create,
        "DROP": _drop,
        "ALTER": _alter,
        "WITH": _with,
    }.get(verb)
    return reader(words) if reader else (Unknown(),)


def _insert(words: _Words) -> tuple[Change, ...]:
    always = words.take("INTO")
    words.skip("OR", "IGNORE", "REPLACE", "INTO")
    table = words.name()
    columns = [token.strip('"`') for token in words.group() or [] if token != ","]
    rows = tuple(_rows(words, columns)) if always and words.take("VALUES") else ()
    # ON CONFLICT and its like leave what was there.
    plain = not words.rest() or words.peek() == "RETURNING"
    return (WriteRows("insert", table, rows=rows if plain else ()),)


def _rows(words: _Words, columns: list[str]) -> Iterator[Row]:
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


def _update(words: _Words) -> tuple[Change, ...]:
    words.skip("ONLY")
    table = words.name()
    clauses = _clauses(words.rest(), {"SET", "FROM", "WHERE", "RETURNING"})
    given = [part for part in _split(clauses.get("SET", [])) if "=" in part]
    columns = tuple(part[part.index("=") - 1].strip('"`') for part in given)
    computed = any(_reads_columns(part[part.index("=") + 1 :]) for part in given)
    return (WriteRows("update", table, "WHERE" in clauses, columns, computed=computed),)


def _clauses(tokens: list[str], names: set[str]) -> dict[str, list[str]]:
    """What follows each of the keywords, outside parentheses."""
    found: dict[str, list[str]] = {}
    depth, current = 0, ""
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token.upper() in names:
            current = token.upper()
            found[current] = []
        elif current:
            found[current].append(token)
    return found


def _reads_columns(tokens: list[str]) -> bool:
    """Whether a value is made from columns or rows, and not from constants alone."""
    for place, token in enumerate(tokens):
        word = token[0].isalpha() or token[0] in '_"`['
        if not word or token[:2].upper() == "E'" or token.upper() in _CONSTANTS:
            continue
        cast = tokens[max(0, place - 2) : place] == [":", ":"] or tokens[place - 1].upper() == "AS"
        called = place + 1 < len(tokens) and tokens[place + 1] == "("
        if not (cast or called):
            return True
    return False


def _delete(words: _Words) -> tuple[Change, ...]:
    words.skip("FROM", "ONLY")
    table = words.name()
    return (WriteRows("delete", table, "WHERE" in map(str.upper, words.rest())),)


def _truncate(words: _Words) -> tuple[Change, ...]:
    words.skip("TABLE", "ONLY")
    found: list[Change] = [WriteRows("truncate", words.name(), bounded=False)]
    while words.take(","):
        found.append(WriteRows("truncate", words.name(), bounded=False))
    return tuple(found)


def _with(words: _Words) -> tuple[Change, ...]:
    verbs = [token.upper() for token in words.rest()]
    for verb in ("UPDATE", "DELETE", "INSERT"):
        if verb in verbs:
            return (WriteRows(verb.lower(), None, "WHERE" in verbs),)
    return ()


def _create(words: _Words) -> tuple[Change, ...]:
    replaced = words.take("OR", "REPLACE")
    words.skip("GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "CONSTRAINT", "RECURSIVE")
    unique = words.take("UNIQUE")
    words.skip("MATERIALIZED", "FULLTEXT", "SPATIAL", "VIRTUAL")
    kind = words.peek()
    words.at += 1
    if kind == "INDEX":
        return _create_index(words, unique)
    words.take("IF", "NOT", "EXISTS")
    name = words.name()
    if name is None:
        return (Unknown(),)
    if kind == "TABLE":
        # A partition goes away with the table it is part of.
        partition = words.take("PARTITION", "OF")
        return () if partition else (CreateTable(Table(name, complete=False)),)
    if kind == "TYPE":
        return _create_type(words, name)
    if kind in _OBJECTS:
        return () if replaced else (CreateObject(kind.lower(), name),)
    return (Unknown(),)


def _create_type(words: _Words, name: Name) -> tuple[Change, ...]:
    if not words.take("AS", "ENUM"):
        return (CreateObject("type", name),)
    group = words.group() or []
    members = tuple(token[1:-1].replace("''", "'") for token in group if token[0] == "'")
    text = ", ".join([*(literal(member).text for member in members), f"name={name.name!r}"])
    return (CreateEnum(EnumType(name, members, Expression(f"sa.Enum({text})"))),)


def _create_index(words: _Words, unique: bool) -> tuple[Change, ...]:
    words.skip("CONCURRENTLY")
    words.take("IF", "NOT", "EXISTS")
    name = None if words.peek() == "ON" else words.name()
    if not words.take("ON"):
        return (Unknown(),)
    words.skip("ONLY")
    table = words.name()
    if words.take("USING"):
        words.identifier()
    group = words.group()
    if table is None or group is None:
        return (Unknown(),)
    plain = all(token == "," or re.fullmatch(r'"?\w+"?', token) for token in group)
    columns = (
        tuple(literal(token.strip('"')) for token in group if token != ",")
        if plain
        else (Expression(f"sa.text({' '.join(group)!r})", imports=("import sqlalchemy as sa",)),)
    )
    options = (("unique", Expression("True", value=True)),) if unique else ()
    return (CreateIndex(Index(name.name if name else None, table, columns, options)),)


def _drop(words: _Words) -> tuple[Change, ...]:
    words.skip("MATERIALIZED", "TEMPORARY")
    kind = words.peek()
    words.at += 1
    words.skip("CONCURRENTLY")
    words.take("IF", "EXISTS")
    names = [words.name()]
    while words.take(","):
        names.append(words.name())
    found: list[Change] = []
    for name in names:
        if name is None:
            return (Unknown(),)
        if kind == "TABLE":
            found.append(DropTable(name))
        elif kind == "INDEX":
            table = words.name() if words.take("ON") else None
            found.append(DropIndex(name.name, table))
        elif kind == "TYPE":
            found.append(DropEnum(name))
        elif kind in _OBJECTS:
            found.append(DropObject(kind.lower(), name))
        else:
            return (Unknown(),)
    return tuple(found)


def _renamed_type(words: _Words) -> tuple[Change, ...]:
    start = words.at
    name = words.name()
    new = words.identifier() if words.take("RENAME", "TO") else None
    words.at = start
    return (RenameEnum(name, new),) if name is not None and new is not None else ()


def _alter(words: _Words) -> tuple[Change, ...]:
    kind = words.peek()
    words.at += 1
    if kind == "TYPE" and (renamed := _renamed_type(words)):
        return renamed
    if kind != "TABLE":
        # A type, sequence or view: what changes is not part of any table.
        return (Unknown(frozenset()),) if kind in _OBJECTS | {"TYPE", "INDEX"} else (Unknown(),)
    words.take("IF", "EXISTS")
    words.skip("ONLY")
    table = words.name()
    if table is None:
        return (Unknown(),)
    actions = [_alter_table(_Words(tokens), table) for tokens in _split(words.rest())]
    return tuple(actions)


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


def _alter_table(words: _Words, table: Name) -> Change:
    if words.take("ADD"):
        return _add(words, table)
    if words.take("DROP"):
        return _drop_part(words, table)
    if words.take("RENAME", "TO"):
        new = words.identifier()
        return RenameTable(table, new) if new else Unknown(frozenset({table}))
    if words.take("RENAME"):
        words.skip("COLUMN")
        old = words.identifier()
        if old and words.take("TO"):
            new_name = literal(words.identifier() or "")
            return AlterColumn(table, old, (("new_column_name", new_name),))
    return Unknown(frozenset({table}))


def _add(words: _Words, table: Name) -> Change:
    if words.take("CONSTRAINT"):
        name = words.identifier()
        kind = _CONSTRAINTS.get(words.peek())
        if name is None or kind is None:
            return Unknown(frozenset({table}))
        return AddConstraint(table, Constraint(kind, name))  # type: ignore[arg-type]
    if words.peek() in {*_CONSTRAINTS, "INDEX", "KEY"}:
        return Unknown(frozenset({table}))
    words.skip("COLUMN")
    words.take("IF", "NOT", "EXISTS")
    name = words.identifier()
    if name is None:
        return Unknown(frozenset({table}))
    rest = [token.upper() for token in words.rest()]
    required = any(pair == ("NOT", "NULL") for pair in pairwise(rest))
    options = (("server_default", Expression("")),) if "DEFAULT" in rest else ()
    return AddColumn(table, Column(name, None, options=options, nullable=not required))


def _drop_part(words: _Words, table: Name) -> Change:
    if words.take("CONSTRAINT") or words.take("FOREIGN", "KEY"):
        words.take("IF", "EXISTS")
        return DropConstraint(table, words.identifier(), None)
    if words.take("INDEX") or words.take("KEY"):
        return DropIndex(words.identifier(), table)
    if words.peek() == "PRIMARY":
        return Unknown(frozenset({table}))
    words.skip("COLUMN")
    words.take("IF", "EXISTS")
    column = words.identifier()
    return DropColumn(table, column) if column else Unknown(frozenset({table}))
