"""What values a column can hold, and how SQLAlchemy's type would write them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any, Callable, Optional, Sequence, Tuple

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from ..schema import sql
from ..schema.tables import Column

_ARGUMENTS = re.compile(r"\((\d+)(?:,(\d+))?\)")
_UUID: Any = getattr(sa, "Uuid", None)


@dataclass(frozen=True)
class Domain:
    """A kind of values: what is made up, and `bind`, which makes the driver's value of it."""

    kind: str
    length: Optional[int] = None
    scale: Optional[int] = None
    members: Tuple[Any, ...] = ()
    bind: Optional[Callable[[Any], Any]] = None
    unkind: Sequence[Any] = ()
    plain: Optional[Callable[[int], Any]] = None
    """The value of a number, for kinds that only one database has."""
    words: Tuple[str, ...] = ()
    """Values that have a name: only where somebody looks for them, they are likely to be there."""

    def stored(self, value: Any) -> Any:
        """The value as it is written to the database."""
        return value if self.bind is None or value is None else self.bind(value)


def of(column: Column, declared: Any, dialect: Any) -> Domain:
    """The domain of a column: by its recorded SQLAlchemy type if it still has it, else by name."""
    try:
        fits = declared is not None and _still(declared, column, dialect)
        found = _typed(declared, dialect) if fits else None
    except Exception:  # noqa: BLE001 - a project's own type may raise anything
        found = None
    return found or _named(column.type, dialect)


def of_text(declared: Any, dialect: Any) -> Optional[Domain]:
    """What a project's own type keeps in a text column; None where it is plain text."""
    try:
        inner = declared.dialect_impl(dialect)
        if not isinstance(inner, TypeDecorator):
            return None
        found = _typed(declared, dialect)
    except Exception:  # noqa: BLE001 - a project's own type may raise anything
        return None
    return found if found is not None and found.kind in {"json", "uuid", "text"} else None


def _still(declared: Any, column: Column, dialect: Any) -> bool:
    """Whether the column still is of the recorded type: raw SQL and batch mode may change it."""
    compiled = declared.compile(dialect=dialect)
    return sql.type_name(compiled.split(" COLLATE ")[0]) == column.type


_KINDS: Tuple[Tuple[Any, str], ...] = (
    (sa.Boolean, "boolean"),
    (sa.DateTime, "datetime"),
    (sa.Date, "date"),
    (sa.Time, "time"),
    (sa.Interval, "interval"),
    (sa.JSON, "json"),
    (sa.LargeBinary, "blob"),
    (sa.types.BINARY, "blob"),
    (sa.types.VARBINARY, "blob"),
    (sa.BigInteger, "bigint"),
    (sa.SmallInteger, "smallint"),
    (sa.Integer, "integer"),
    (sa.Float, "float"),
    (sa.Numeric, "numeric"),
    (sa.String, "text"),
)


def _typed(declared: Any, dialect: Any) -> Optional[Domain]:
    declared = declared.dialect_impl(dialect)
    if isinstance(declared, sa.Enum):
        return Domain("enum", members=tuple(declared.enums))
    if isinstance(declared, TypeDecorator) and not isinstance(declared, sa.Interval):
        inner = _typed(declared.load_dialect_impl(dialect), dialect)
        if inner is None or inner.kind == "enum":
            return inner
        kind = _wanted(declared, dialect) if inner.kind == "text" else inner.kind
        return Domain(kind, inner.length, inner.scale, (), _patient(declared, inner, dialect))
    if _UUID is not None and isinstance(declared, _UUID):
        text = _processor(declared, dialect)
        as_uuid = getattr(declared, "as_uuid", True)
        return Domain("uuid", bind=text if as_uuid else lambda value: _bound(text, str(value)))
    for base, kind in _KINDS:
        if isinstance(declared, base):
            length = getattr(declared, "length", None) or getattr(declared, "precision", None)
            scale = getattr(declared, "scale", None)
            return Domain(kind, length, scale, (), _processor(declared, dialect))
    return None


def _wanted(declared: Any, dialect: Any) -> str:
    """What a project's own type really keeps in a text: found by giving it some."""
    processor = _processor(declared, dialect)
    as_json = _tried(processor, {"n": 1})
    if isinstance(as_json, str) and as_json.replace(" ", "") == '{"n":1}':
        return "json"
    if _tried(processor, "text") is None and isinstance(_tried(processor, uuid.UUID(int=1)), str):
        return "uuid"
    return "text"


def _tried(processor: Optional[Callable[[Any], Any]], value: Any) -> Any:
    try:
        return _bound(processor, value)
    except Exception:  # noqa: BLE001 - the project's code may raise anything
        return None


def _processor(declared: Any, dialect: Any) -> Optional[Callable[[Any], Any]]:
    processor: Optional[Callable[[Any], Any]] = declared.dialect_impl(dialect).bind_processor(
        dialect
    )
    return processor


def _bound(processor: Optional[Callable[[Any], Any]], value: Any) -> Any:
    return value if processor is None else processor(value)


def _patient(declared: Any, inner: Domain, dialect: Any) -> Callable[[Any], Any]:
    """A project's own type first; where it takes nothing of ours, the type it is stored as."""
    processor = _processor(declared, dialect)

    def bind(value: Any) -> Any:
        try:
            found = _bound(processor, value)
        except Exception:  # noqa: BLE001 - the project's code may raise anything
            return inner.stored(value)
        plain = found is None or isinstance(found, _PLAIN_VALUES)
        return found if plain else inner.stored(value)

    return bind


_PLAIN_VALUES = (str, int, float, bytes, bytearray, memoryview)


def _named(name: str, dialect: Any) -> Domain:
    """By the declared type's name, with what SQLAlchemy's own type of that name writes."""
    match = _ARGUMENTS.search(name)
    length = int(match.group(1)) if match else None
    scale = int(match.group(2)) if match and match.group(2) else None
    kind = _kind(name)
    plain = _PLAIN.get(kind)
    if kind == "uuid":
        digits = 32
        return Domain(kind, bind=(lambda v: v.hex) if length == digits else str)
    return Domain(kind, length, scale, (), _processor(plain, dialect) if plain else None)


# What SQLAlchemy and others keep a UUID as, where there is no type for it.
_UUID_TEXTS = ("CHAR(32)", "CHAR(36)")
_PLAIN = {
    "datetime": sa.DateTime(),
    "date": sa.Date(),
    "time": sa.Time(),
    "json": sa.JSON(),
    "numeric": sa.Numeric(),
}


def _kind(name: str) -> str:
    if name in _UUID_TEXTS:
        return "uuid"
    for word, kind in (
        ("JSON", "json"), ("UUID", "uuid"), ("GUID", "uuid"), ("BOOL", "boolean"),
        ("INTERVAL", "text"), ("BIGINT", "bigint"), ("INT8", "bigint"), ("SMALLINT", "smallint"),
        ("TINYINT", "tinyint"), ("INT", "integer"), ("CHAR", "text"), ("CLOB", "text"),
        ("TEXT", "text"), ("STRING", "text"), ("ENUM", "text"), ("BLOB", "blob"),
        ("BINARY", "blob"), ("BYTEA", "blob"), ("REAL", "float"), ("FLOA", "float"),
        ("DOUB", "float"), ("DATETIME", "datetime"), ("TIMESTAMP", "datetime"), ("DATE", "date"),
        ("TIME", "time"), ("NUMERIC", "numeric"), ("DEC", "numeric"), ("NUMBER", "numeric"),
    ):  # fmt: skip
        if word in name:
            return kind
    return "text"
