"""What values the types of MariaDB and MySQL can hold, and how they are asked for and given."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from decimal import Decimal
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

import sqlalchemy as sa

from ...schema.tables import Column
from ...values import domains
from ...values.checks import Hints
from ...values.domains import Domain
from .text import literal, quote

_NAME = re.compile(r"\w+(?: precision)?")
_ARGUMENTS = re.compile(r"\((\d+)(?:,\s*(\d+))?\)")
_KINDS = {
    "tinyint": "tinyint", "smallint": "smallint", "mediumint": "mediumint", "int": "integer",
    "integer": "integer", "bigint": "bigint", "decimal": "numeric", "float": "float",
    "double": "float", "double precision": "float", "char": "text", "varchar": "text",
    "text": "text", "mediumtext": "text", "longtext": "text", "date": "date",
    "datetime": "datetime", "json": "json", "uuid": "uuid", "binary": "blob", "varbinary": "blob",
    "blob": "blob", "mediumblob": "blob", "longblob": "blob",
}  # fmt: skip
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "integer", "bigint")
_BINARY = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
_FRACTIONS = ("float", "double", "double precision")
_SPATIAL: Dict[str, Callable[[int], str]] = {
    "point": lambda n: f"POINT({n} {n + 1})",
    "linestring": lambda n: f"LINESTRING({n} 0,{n} 1)",
    "polygon": lambda n: f"POLYGON(({n} 0,{n} 1,{n + 1} 1,{n} 0))",
    "multipoint": lambda n: f"MULTIPOINT({n} 0,{n} 1)",
    "multilinestring": lambda n: f"MULTILINESTRING(({n} 0,{n} 1))",
    "multipolygon": lambda n: f"MULTIPOLYGON((({n} 0,{n} 1,{n + 1} 1,{n} 0)))",
    "geometrycollection": lambda n: f"GEOMETRYCOLLECTION(POINT({n} {n}))",
    "geomcollection": lambda n: f"GEOMETRYCOLLECTION(POINT({n} {n}))",
    "geometry": lambda n: f"POINT({n} {n})",
}
_SHORTEST = {"tinytext": 63, "tinyblob": 255}
_YEARS = 155  # 1901 to 2155, and some before them for NULL's neighbours
_NUMBERED_BYTES = 24
_UUID_LENGTHS = (32, 36)


def _second(number: int) -> str:
    return f"{number // 3600 % 800:02d}:{number // 60 % 60:02d}:{number % 60:02d}"


# Types that only these have: (unkind values, the value of a number).
_OWN: Dict[str, Tuple[Sequence[Any], Callable[[int], Any]]] = {
    "year": (("2155", "1901"), lambda n: str(1901 + n % _YEARS)),
    "timestamp": (
        ("2038-01-19 03:14:07", "1970-01-01 00:00:01", "2000-02-29 12:34:56"),
        lambda n: str(dt.datetime(2001, 2, 3, 4, 5, 6) + dt.timedelta(days=n % 9000, seconds=n)),  # noqa: DTZ001
    ),
    "time": (("838:59:59", "-838:59:59", "00:00:00", "23:59:59"), _second),
    "inet6": (("2001:db8::ff00:42:8329", "::"), lambda n: f"2001:db8::{n:x}"),
    "inet4": (
        ("255.255.255.255", "0.0.0.0"),  # noqa: S104 - a value in a table
        lambda n: f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",
    ),
}


def domain(column: Column, declared: Any, hint: Optional[Hints], dialect: Any) -> Domain:
    """The domain of a column: by its type in the catalogue; a text also by its declared type."""
    name, length, scale = _parts(column)
    if name == "enum":
        return Domain("enum", members=column.members)
    if name == "set":
        return _set(column.members)
    if name == "bit":
        top = 1 << (length or 1)
        return _made("bit", (top - 1, 0), lambda n: n % top)
    if name in _SPATIAL:
        return _made(name, (), _SPATIAL[name])
    if name in _OWN:
        return _made(name, *_OWN[name])
    return _common(name, length, scale, column, declared, hint, dialect)


def _common(
    name: str,
    length: Optional[int],
    scale: Optional[int],
    column: Column,
    declared: Any,
    hint: Optional[Hints],
    dialect: Any,
) -> Domain:
    kind = _KINDS.get(name, "blob" if name == "tinyblob" else "text")
    if name == "tinyint" and length == 1:
        kind = "boolean"
    elif name in _INTEGERS and is_unsigned(column):
        kind = f"unsigned {kind}"
    if kind == "text":
        return _text(name, length, declared, hint, dialect)
    if kind == "blob" and length is not None and length < _NUMBERED_BYTES:
        return _bytes(length)
    if kind not in {"numeric", "blob"}:
        length = None
    return Domain(kind, _SHORTEST.get(name, length), scale, bind=text_of)


def _text(
    name: str, length: Optional[int], declared: Any, hint: Optional[Hints], dialect: Any
) -> Domain:
    if isinstance(declared, sa.Enum):
        return Domain("enum", members=tuple(declared.enums))
    if hint is not None and hint.json and name == "longtext":
        return Domain("json", bind=text_of)
    if name == "char" and length in _UUID_LENGTHS:
        return Domain("uuid", bind=(lambda v: v.hex) if length == _UUID_LENGTHS[0] else str)
    length = _SHORTEST.get(name, length)
    said = domains.of_text(declared, dialect) if declared is not None else None
    if said is None:
        return Domain("text", length, bind=text_of)
    return Domain(said.kind, length, bind=lambda value: text_of(said.stored(value)))


def _set(members: Tuple[str, ...]) -> Domain:
    every = ",".join(members)
    return _made("set", (every, ""), lambda n: members[n % len(members)])


def _bytes(length: int) -> Domain:
    wide = min(length, 8)
    every = bytes(range(256))[:length]
    return _made(
        "blob",
        (every, b"", b"\0", b"text"[:length]),
        lambda n: (n % 256**wide).to_bytes(wide, "big"),
    )


def _made(kind: str, unkind: Sequence[Any], plain: Callable[[int], Any]) -> Domain:
    return Domain(kind, unkind=unkind, plain=plain)


def _parts(column: Column) -> Tuple[str, Optional[int], Optional[int]]:
    name = _name(column)
    match = _ARGUMENTS.search(column.type)
    if match is None:
        return name, 1 if name in {"char", "binary"} else None, None
    return name, int(match.group(1)), int(match.group(2)) if match.group(2) else None


def _name(column: Column) -> str:
    match = _NAME.match(column.type.lower())
    return match.group() if match else ""


def is_integer(column: Column) -> bool:
    """Whether the column holds whole numbers."""
    return _name(column) in _INTEGERS


def is_unsigned(column: Column) -> bool:
    """Whether the column holds nothing below zero."""
    return "unsigned" in column.type


def asked(column: Column) -> str:
    """The expression that has a value of the column written as text."""
    name, place = _name(column), quote(column.name)
    if name in _BINARY:
        return f"HEX({place})"
    if name == "bit":
        return f"CAST({place} AS UNSIGNED)"
    if name in _FRACTIONS:
        return f"CAST({place} + 0e0 AS CHAR)"  # with all its digits
    return f"ST_AsText({place})" if name in _SPATIAL else f"CAST({place} AS CHAR)"


def value(column: Column, found: Any) -> Any:
    """What `asked` gave, for comparing and for giving it again."""
    if found is None:
        return None
    if isinstance(found, (bytes, bytearray)):
        found = bytes(found).decode("utf-8", "replace")
    return bytes.fromhex(found) if _name(column) in _BINARY else str(found)


def written(column: Column, given: Any) -> str:
    """A value as it can stand in a statement for this column."""
    name = _name(column)
    if given is not None and name == "bit":
        return str(int(given))
    if given is not None and name in _SPATIAL:
        return f"ST_GeomFromText({literal(given)})"
    return literal(given)


def text_of(given: Any) -> Any:
    """A value as text that the server reads; bytes stay what they are."""
    if isinstance(given, bool):
        return int(given)
    if isinstance(given, dt.datetime):
        return given.isoformat(" ")
    if isinstance(given, (dict, list)):
        return json.dumps(given, ensure_ascii=False)
    if isinstance(given, (dt.date, dt.time, uuid.UUID, Decimal)):
        return str(given)
    return given
