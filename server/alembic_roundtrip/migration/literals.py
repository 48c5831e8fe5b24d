"""What expressions come to that are written out: literals, strings put together, SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from textwrap import dedent

from alembic_roundtrip.migration.expression import UNKNOWN
from alembic_roundtrip.migration.sql.holes import HOLE

_QUALIFIERS = frozenset({"op.f", "f", "quoted_name", "sa.quoted_name", "sqlalchemy.quoted_name"})
_TEXTS = frozenset(
    {
        "text",
        "sa.text",
        "sqlalchemy.text",
        "sa.sql.text",
        "sql.text",
        "DDL",
        "sa.DDL",
        "sa.schema.DDL",
    }
)
"""Calls that give the SQL they are given."""
_DEDENTS = frozenset({"dedent", "textwrap.dedent", "cleandoc", "inspect.cleandoc"})
"""Calls that give the text they are given, but for white space."""
_OF_TEXT = frozenset({"bindparams", "execution_options", "columns"})
_NAMED_FIRST = frozenset({"Sequence", "Table", "column", "Column", "table"})
_NAMED = frozenset({"Enum", "ENUM"})
_PERCENT = re.compile(r"%(?:\(\w+\))?[sdr]")
_BRACES = re.compile(r"\{\w*\}")
_SEQUENCES = (ast.List, ast.Tuple, ast.Set)


def value_of(node: ast.expr) -> object:
    """The literal value of a resolved expression, `UNKNOWN` where it has none.

    Lists, tuples and sets give tuples; dictionaries are `UNKNOWN`.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, _SEQUENCES):
        items = tuple(value_of(item) for item in node.elts)
        return UNKNOWN if UNKNOWN in items else items
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = value_of(node.operand)
        return -number if isinstance(number, int | float) else UNKNOWN
    if isinstance(node, ast.JoinedStr):
        return _joined(node)
    if isinstance(node, ast.BinOp):
        return _operation(node)
    if isinstance(node, ast.Call):
        return _called(node)
    if isinstance(node, ast.Subscript):
        return _subscript(node)
    if isinstance(node, ast.Attribute):
        return _own_name(node)
    return UNKNOWN


def _own_name(node: ast.Attribute) -> object:
    """What `sa.table("users").name` or `sa.Enum(…, name="state").name` was given."""
    made = node.value
    if not isinstance(made, ast.Call) or node.attr not in {"name", "schema"}:
        return UNKNOWN
    kind = dotted(made.func).rpartition(".")[2]
    for keyword in made.keywords:
        if keyword.arg in {node.attr, None} and kind in _NAMED_FIRST | _NAMED:
            return value_of(keyword.value) if keyword.arg else UNKNOWN
    if kind in _NAMED_FIRST and node.attr == "name" and made.args:
        return value_of(made.args[0])
    return None if kind in _NAMED_FIRST and node.attr == "schema" else UNKNOWN


def _joined(node: ast.JoinedStr) -> object:
    parts: list[str] = []
    for part in node.values:
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        if isinstance(part, ast.FormattedValue) and (part.format_spec or part.conversion != -1):
            return UNKNOWN
        value = value_of(inner)
        if value is UNKNOWN or isinstance(value, tuple):
            return UNKNOWN  # a list is a tuple here, and is written otherwise
        parts.append(str(value))
    return "".join(parts)


def _operation(node: ast.BinOp) -> object:
    left, right = value_of(node.left), _filling(node.right)
    if isinstance(node.op, ast.Add):
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(left, tuple) and isinstance(right, tuple):
            return left + right
    if isinstance(node.op, ast.Mod) and isinstance(left, str) and right is not UNKNOWN:
        try:
            return left % right
        except (TypeError, ValueError, KeyError, OverflowError):
            return UNKNOWN
    return UNKNOWN


def _filling(node: ast.expr) -> object:
    """A value, or what `%` puts into a text by name."""
    if not isinstance(node, ast.Dict):
        return value_of(node)
    keys = [UNKNOWN if key is None else value_of(key) for key in node.keys]
    values = [value_of(value) for value in node.values]
    return UNKNOWN if UNKNOWN in (*keys, *values) else dict(zip(keys, values, strict=True))


def _called(node: ast.Call) -> object:
    name = dotted(node.func)
    if (name in _QUALIFIERS or name.endswith(".f")) and node.args:
        return value_of(node.args[0])
    if name in _DEDENTS and len(node.args) == 1:
        value = value_of(node.args[0])
        return dedent(value) if isinstance(value, str) else UNKNOWN
    if name in {"list", "tuple", "sorted"} and len(node.args) == 1 and not node.keywords:
        return value_of(node.args[0])
    if isinstance(node.func, ast.Attribute):
        return _string_method(node, node.func)
    return UNKNOWN


def _string_method(node: ast.Call, function: ast.Attribute) -> object:
    text = value_of(function.value)
    arguments = [value_of(argument) for argument in node.args]
    named = {keyword.arg: value_of(keyword.value) for keyword in node.keywords if keyword.arg}
    if not isinstance(text, str) or UNKNOWN in arguments or UNKNOWN in named.values():
        return UNKNOWN
    try:
        if function.attr == "format":
            return text.format(*arguments, **named)
        if function.attr == "join" and len(arguments) == 1:
            return text.join(arguments[0])  # type: ignore[arg-type]
        if function.attr in {"strip", "lower", "upper", "replace"}:
            return getattr(text, function.attr)(*arguments)
        if function.attr in {"split", "splitlines"}:
            return tuple(getattr(text, function.attr)(*arguments))
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        return UNKNOWN
    return UNKNOWN


def _subscript(node: ast.Subscript) -> object:
    if isinstance(node.value, ast.Dict):
        wanted = value_of(node.slice)
        for key, value in zip(node.value.keys, node.value.values, strict=True):
            if key is not None and wanted is not UNKNOWN and value_of(key) == wanted:
                return value_of(value)
        return UNKNOWN
    sequence, index = value_of(node.value), value_of(node.slice)
    if (
        isinstance(sequence, tuple)
        and isinstance(index, int)
        and -len(sequence) <= index < len(sequence)
    ):
        return sequence[index]
    return UNKNOWN


def sql_text(node: ast.expr) -> str | None:
    """The SQL of an argument to `execute`: a string or `text(…)` of one."""
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if name in _TEXTS | _DEDENTS and node.args:
            return sql_text(node.args[0])
        if isinstance(node.func, ast.Attribute) and node.func.attr in _OF_TEXT:
            return sql_text(node.func.value)
    value = value_of(node)
    return value if isinstance(value, str) else None


def text_argument(node: ast.expr) -> ast.expr:
    """What `text(…)` is given; the node itself where it is no such call."""
    if isinstance(node, ast.Call) and dotted(node.func) in _TEXTS | _DEDENTS and node.args:
        return node.args[0]
    return node


def sql_template(node: ast.expr) -> str | None:
    """The SQL of an argument to `execute`, a `HOLE` for each part that is computed.

    None where not even its beginning is known.
    """
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if name in _TEXTS | _DEDENTS and node.args:
            return sql_template(node.args[0])
        if isinstance(node.func, ast.Attribute) and node.func.attr in _OF_TEXT:
            return sql_template(node.func.value)
    template = _template(node)
    return None if template.lstrip().startswith(HOLE) else template


def _template(node: ast.expr) -> str:
    value = value_of(node)
    if value is not UNKNOWN:
        return str(value)
    if isinstance(node, ast.JoinedStr):
        parts = (p.value if isinstance(p, ast.FormattedValue) else p for p in node.values)
        return "".join(map(_template, parts))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _template(node.left) + _template(node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _PERCENT.sub(HOLE, _template(node.left))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "format":
            return _BRACES.sub(HOLE, _template(node.func.value))
        if node.func.attr in {"strip", "rstrip", "lstrip"}:
            return _template(node.func.value)
    return HOLE


def nulls_asked_of(conditions: Sequence[ast.expr]) -> str | None:
    """The column that SQLAlchemy's conditions ask for NULL, where they ask for nothing else."""
    match conditions:
        case [ast.Call(ast.Attribute(column, "is_"), [ast.Constant(None)], [])]:
            pass
        case [ast.Compare(column, [ast.Eq()], [ast.Constant(None)])]:
            pass
        case _:
            return None
    return column.attr if isinstance(column, ast.Attribute) else None


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of attributes on a name; empty for anything else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])
