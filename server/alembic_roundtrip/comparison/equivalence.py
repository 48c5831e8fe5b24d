"""Whether two definitions certainly mean something else; where reading is unsure they do not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from alembic_roundtrip.migration.expression import UNKNOWN, Expression, Missing
from alembic_roundtrip.migration.objects import Column, Constraint, Index, Options, option
from alembic_roundtrip.migration.sql import conditions_differ

_FAMILIES = {
    "integer": "integer",
    "int": "integer",
    "biginteger": "bigint",
    "bigint": "bigint",
    "smallinteger": "smallint",
    "smallint": "smallint",
    "string": "string",
    "varchar": "string",
    "autostring": "string",
    "unicode": "string",
    "text": "text",
    "citext": "citext",
    "unicodetext": "text",
    "boolean": "boolean",
    "float": "float",
    "numeric": "numeric",
    "decimal": "numeric",
    "datetime": "datetime",
    "timestamp": "datetime",
    "date": "date",
    "time": "time",
    "json": "json",
    "jsonb": "jsonb",
    "uuid": "uuid",
    "largebinary": "binary",
    "bytea": "binary",
    "blob": "binary",
    "interval": "interval",
}
_NUMBERS = frozenset({"integer", "bigint", "smallint", "float", "numeric"})
_MODULES = frozenset({"sa", "sqlalchemy", "postgresql", "mysql", "sqlite", "mssql", "oracle"})
_ARGUMENTS = {
    "string": ("length",),
    "numeric": ("precision", "scale"),
    "datetime": ("timezone",),
    "time": ("timezone",),
}
_ORDERED = re.compile(r"\s*([\"`]?)(\w+)[\"`]?(?:\s+asc|(\s+desc))?\s*", re.IGNORECASE)
_CALLED = re.compile(r"\s*\w+\s*\(")
_SPELLED = {
    "current_timestamp": "now",
    "current_timestamp()": "now",
    "now()": "now",
    "f": "false",
    "false": "false",
    "true": "true",
    "0": "false",
    "t": "true",
    "1": "true",
}
_CALLS = {"now": "now()", "current_timestamp": "now()", "false": "false", "true": "true"}
_CAST = re.compile(r"::[\w ]+(?:\(\d+\))?(?:\[\])?$")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?", re.IGNORECASE)
_RULES = ("ondelete", "onupdate", "deferrable", "initially", "match")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A standard type: its family, and the arguments that count, None where not given.

    An argument that is computed is `UNKNOWN`.
    """

    family: str
    arguments: dict[str, object] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def read_type(text: str, dialect: str | None = None) -> ColumnType | None:
    """A type as written, `sa.String(length=30)`; None for one that is not a standard type.

    What an `Enum` is depends on the dialect: a type of its own in PostgreSQL, text in SQLite.
    """
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    callee = node.func if isinstance(node, ast.Call) else node
    name = callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")
    if isinstance(callee, ast.Attribute) and not _is_module(callee.value):
        return None
    if name in {"Enum", "ENUM"} and isinstance(node, ast.Call):
        return _enumeration(node, dialect if name == "Enum" else "postgresql")
    if name == "ARRAY" and isinstance(node, ast.Call) and node.args:
        return _array(ast.unparse(node.args[0]), dialect)
    family = _FAMILIES.get(name.lower())
    if family is None:
        return None
    names = _ARGUMENTS.get(family, ())
    given: dict[str, object] = dict.fromkeys(names)
    if isinstance(node, ast.Call):
        given |= {key: _literal(value) for key, value in zip(names, node.args, strict=False)}
        given |= {k.arg: _literal(k.value) for k in node.keywords if k.arg in given and k.arg}
    return ColumnType(family, given)


def _enumeration(node: ast.Call, dialect: str | None) -> ColumnType | None:
    """A type with a name, or text that is as long as its longest value, or as it says."""
    given = {keyword.arg: _literal(keyword.value) for keyword in node.keywords}
    values = [_literal(value) for value in node.args]
    native = given.get("native_enum", True)
    if dialect == "postgresql" and native is True:
        name = given.get("name")
        return ColumnType("enum", {"name": name.lower() if isinstance(name, str) else UNKNOWN})
    text = native is False or dialect == "sqlite"
    if not text or not all(isinstance(v, str) for v in values):
        return None
    length = given.get("length") or max((len(str(value)) for value in values), default=0)
    return ColumnType("string", {"length": length}) if length else None


def _array(element: str, dialect: str | None) -> ColumnType:
    """PostgreSQL's list of a type."""
    of = read_type(element, dialect)
    sure = of is not None and known(*of.arguments.values())
    return ColumnType("array", {"of": of if sure else UNKNOWN})


def is_foreign(expression: Expression | None) -> bool:
    """Whether a type is neither SQLAlchemy's nor a dialect's, as far as its name tells."""
    if expression is None or read_type(expression.text) is not None:
        return False
    return expression.text.partition(".")[0] not in _MODULES


def _is_module(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return UNKNOWN


def types_differ(
    before: Expression | None, after: Expression | None, dialect: str | None = None
) -> bool:
    """Whether two column types are certainly different."""
    if before is None or after is None or before.text == after.text:
        return False
    one, other = read_type(before.text, dialect), read_type(after.text, dialect)
    if one is None or other is None:
        return False
    if one.family != other.family:
        return True
    pairs = ((one.arguments[name], other.arguments[name]) for name in one.arguments)
    return any(known(a, b) and (a or None) != (b or None) for a, b in pairs)


def types_agree(before: Expression, after: Expression, dialect: str | None) -> bool:
    """Whether two column types are certainly the same in the database."""
    one, other = read_type(before.text, dialect), read_type(after.text, dialect)
    return one is not None and one == other and known(*one.arguments.values())


def known(*values: object) -> bool:
    """Whether none of these values is computed."""
    return not any(isinstance(value, Missing) for value in values)


def nullability_differs(before: Column, after: Column) -> bool:
    """Whether one certainly takes NULL and the other does not."""
    known = before.nullable is not None and after.nullable is not None
    return known and before.nullable != after.nullable


def defaults_differ(before: Column, after: Column) -> bool:
    """Whether the server defaults certainly give other values."""
    one, other = default_of(before), default_of(after)
    if not known(one, other) or one == other:
        return False
    numbers = _number(before, one), _number(after, other)
    return None in numbers or numbers[0] != numbers[1]


def _number(column: Column, default: object) -> Decimal | None:
    """The default of a column of numbers: `0.00` is 0 there, which it is not in one of text."""
    column_type = read_type(column.type.text) if column.type else None
    if column_type is None or column_type.family not in _NUMBERS or not isinstance(default, str):
        return None
    text = {"false": "0", "true": "1"}.get(default, default)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def default_of(column: Column) -> str | Missing | None:
    """A server default in a spelling of its own; None where there is none."""
    if column.server_default is None:
        return UNKNOWN if column.fills_itself else None
    text = _default_text(column.server_default)
    if text is None or text.lstrip().lower().startswith("nextval("):
        return UNKNOWN  # a serial column has it without saying so
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    text = _CAST.sub("", text)
    if text[:1] == text[-1:] == "'" and text[1:]:
        text = text[1:-1]
    return _SPELLED.get(text.lower(), text)


def _default_text(expression: Expression) -> str | None:
    if expression.known:
        return str(expression.value)
    if expression.sql is not None:
        return expression.sql
    try:
        node = ast.parse(expression.text, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    return _CALLS.get(name) if not node.args else None


def options_differ(before: Options, after: Options, name: str) -> bool:
    """Whether a keyword argument is certainly another; not given and None are the same."""
    one, other = option(before, name), option(after, name)
    a = None if one is None else one.value
    b = None if other is None else other.value
    return known(a, b) and _rule(a) != _rule(b)


def _rule(value: object) -> object:
    if isinstance(value, str):
        value = value.upper()
    return None if value in {False, "", "NO ACTION"} else value


def foreign_keys_differ(before: Constraint, after: Constraint) -> str | None:
    """What differs certainly between two foreign keys on the same columns, in a few words."""
    targets = (before.referent, after.referent)
    if None not in targets and targets[0] != targets[1]:
        return f"refers to `{after.referent}` instead of `{before.referent}`"
    for name in _RULES:
        if options_differ(before.options, after.options, name):
            was, now = option(before.options, name), option(after.options, name)
            shown = "nothing" if now is None else now.text
            return f"has {name} {shown} instead of {'nothing' if was is None else was.text}"
    return None


def indexes_differ(before: Index, after: Index) -> str | None:
    """What differs certainly between two indexes of one name, in a few words."""
    if options_differ(before.options, after.options, "unique"):
        return "is unique" if after.unique else "is not unique any more"
    was, now = (tuple(map(_ordered, index.columns)) for index in (before, after))
    if was != now and None not in (*was, *now):
        return f"is on {_listed(now)} instead of {_listed(was)}"
    if len(was) != len(now) or any(
        _calls(one, other) or _calls(other, one)
        for one, other in zip(before.columns, after.columns, strict=True)
    ):
        return "is on something else"
    for name, _ in (*before.options, *after.options):
        if name.endswith("_where") and _predicates_differ(before, after, name):
            return "has another predicate"
    return None


def _ordered(part: Expression) -> str | None:
    """A column of an index, `DESC` where it is; None for other expressions."""
    if part.known:
        return str(part.value)
    match = _ORDERED.fullmatch(part.sql or "")
    if match is None:
        return None
    name = match[2] if match[1] else match[2].lower()
    return name + (" DESC" if match[3] else "")


def _calls(column: Expression, expression: Expression) -> bool:
    """Whether one is a column and the other what a function makes of something."""
    called = None if expression.known else _CALLED.match(expression.sql or "")
    return column.string is not None and called is not None


def _listed(names: Iterable[str | None]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _predicates_differ(before: Index, after: Index, name: str) -> bool:
    texts = []
    for options in (before.options, after.options):
        given = option(options, name)
        text = "" if given is None else _default_text(given)
        if text is None:
            return False
        texts.append(text)
    one, other = texts
    if not (one and other):
        return one != other
    return _conditions_differ(one, other, name.removesuffix("_where"))


def _conditions_differ(one: str, other: str, dialect: str | None) -> bool:
    return conditions_differ(one, other, (dialect,) if dialect else ()) is True


def checks_differ(before: Constraint, after: Constraint, dialect: str | None = None) -> bool:
    """Whether two CHECKs of one name certainly have other conditions."""
    texts = [part.arguments[0].string if part.arguments else None for part in (before, after)]
    one, other = texts
    return one is not None and other is not None and _conditions_differ(one, other, dialect)


def implies(check: Constraint, other: Constraint, dialect: str | None = None) -> bool:
    """Whether rows that keep to one CHECK certainly keep to another."""
    parts = (check, other)
    texts = [part.arguments[0].string if part.arguments else None for part in parts]
    one, weaker = texts
    if one is None or weaker is None or {part.kind for part in parts} != {"check"}:
        return False
    both = f"({one}) AND ({weaker})"
    return conditions_differ(one, both, (dialect,) if dialect else ()) is False
