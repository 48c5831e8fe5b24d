"""What values the types of PostgreSQL can hold, as the text that the server reads."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from decimal import Decimal
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

from ...schema.tables import Column
from ...values import domains
from ...values.domains import Domain

_ARGUMENTS = re.compile(r"\((\d+)(?:,\s*(\d+))?\)")

_KINDS: Dict[str, str] = {
    "smallint": "smallint", "integer": "integer", "bigint": "bigint", "oid": "integer",
    "numeric": "numeric", "real": "float", "double precision": "float", "boolean": "boolean",
    "text": "text", "character varying": "text", "character": "text", "citext": "text",
    "name": "text", "uuid": "uuid", "date": "date", "timestamp without time zone": "datetime",
    "timestamp with time zone": "datetime", "time without time zone": "time",
    "interval": "interval", "json": "json", "jsonb": "json",
    "bytea": "blob",
}  # fmt: skip


def _day(number: int) -> dt.date:
    return dt.date(2001, 1, 1) + dt.timedelta(days=2 * number)


def _second(number: int) -> str:
    return f"{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"


def _octets(number: int) -> str:
    return f"{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


# Types that only PostgreSQL has: (unkind values, the value of a number).
_OWN: Dict[str, Tuple[Sequence[str], Callable[[int], str]]] = {
    "time with time zone": (("23:59:59.999999-08", "00:00+05:30"), lambda n: f"{_second(n)}+00"),
    "inet": (("2001:db8::ff00:42:8329/64", "0.0.0.0/0"), lambda n: f"10.{_octets(n)}"),
    "cidr": (("2001:db8::/32", "192.0.2.0/24"), lambda n: f"10.{_octets(n)}/32"),
    "macaddr": ((), lambda n: f"08:00:2b:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"),
    "macaddr8": (
        (),
        lambda n: f"08:00:2b:01:02:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}",
    ),
    "money": (("-92233720368547758.08",), lambda n: f"{n}.50"),
    "int4range": (("empty", "(,)"), lambda n: f"[{2 * n},{2 * n + 1})"),
    "int8range": (("empty", "(,)"), lambda n: f"[{2 * n},{2 * n + 1})"),
    "numrange": (("empty", "(,)"), lambda n: f"[{2 * n}.5,{2 * n + 1}.5)"),
    "daterange": (("empty", "(,)"), lambda n: f"[{_day(n)},{_day(n) + dt.timedelta(days=1)})"),
    "tsrange": (("empty", "(,)"), lambda n: f"[{_day(n)} 08:00,{_day(n)} 09:00)"),
    "tstzrange": (("empty", "(,)"), lambda n: f"[{_day(n)} 08:00+00,{_day(n)} 09:00+00)"),
    "int4multirange": (("{}",), lambda n: f"{{[{2 * n},{2 * n + 1})}}"),
    "int8multirange": (("{}",), lambda n: f"{{[{2 * n},{2 * n + 1})}}"),
    "nummultirange": (("{}",), lambda n: f"{{[{2 * n},{2 * n + 1})}}"),
    "datemultirange": (("{}",), lambda n: f"{{[{_day(n)},{_day(n) + dt.timedelta(days=1)})}}"),
    "tsmultirange": (("{}",), lambda n: f"{{[{_day(n)} 08:00,{_day(n)} 09:00)}}"),
    "tstzmultirange": (("{}",), lambda n: f"{{[{_day(n)} 08:00+00,{_day(n)} 09:00+00)}}"),
    "tsvector": (("'größe':1A 'naïve':2",), lambda n: f"'word{n}':1"),
    "tsquery": ((), lambda n: f"'word{n}'"),
    "hstore": (('"é"=>NULL, "a b"=>"1"',), lambda n: f'"n"=>"{n}"'),
    "ltree": ((), lambda n: f"top.n{n}"),
    "lquery": ((), lambda n: f"top.n{n}.*"),
    "xml": (('<a b="1">ü</a>',), lambda n: f"<n>{n}</n>"),
    "jsonpath": ((), lambda n: f"$.n{n}"),
    "point": (("(-1e10,0.125)",), lambda n: f"({n},{n})"),
    "line": ((), lambda n: f"{{1,-1,{n}}}"),
    "lseg": ((), lambda n: f"[({n},0),({n},1)]"),
    "box": ((), lambda n: f"({n + 1},1),({n},0)"),
    "path": ((), lambda n: f"[({n},0),({n},1)]"),
    "polygon": ((), lambda n: f"(({n},0),({n},1),({n + 1},1))"),
    "circle": ((), lambda n: f"<({n},0),1>"),
    "pg_lsn": ((), lambda n: f"0/{n:X}"),
}  # fmt: skip
_BITS = ("bit", "bit varying")
_ENDLESS = ("infinity", "-infinity")
_WORDS = {
    "date": _ENDLESS,
    "datetime": _ENDLESS,
    "numeric": ("nan",),
    "float": ("nan", *_ENDLESS),
}


def domain(column: Column, declared: Any, dialect: Any) -> Domain:
    """The domain of a column: by its type in the catalogue; a text also by its declared type."""
    name = column.base or column.type
    if name.endswith("[]"):
        return _array(name, column.members)
    if column.members:
        return Domain("enum", members=column.members)
    found = _named(name)
    if found.kind == "text" and declared is not None:
        said = domains.of_text(declared, dialect)
        if said is not None:
            return Domain(said.kind, found.length, bind=_texts_of(said))
    return found


def _named(name: str) -> Domain:
    match = _ARGUMENTS.search(name)
    bare = _ARGUMENTS.sub("", name).strip()
    length = int(match.group(1)) if match else None
    scale = int(match.group(2)) if match and match.group(2) else None
    kind = _KINDS.get(bare)
    if kind is not None:
        if bare == "character" and length is None:
            length = 1
        return Domain(kind, length, scale, bind=text_of, words=_WORDS.get(kind, ()))
    bare = bare.rpartition(".")[2]
    if bare == "vector":
        return _made("vector", (), lambda n: "[" + ",".join([str(n)] * (length or 3)) + "]")
    if bare in _BITS:
        wide = length or 1
        return _made(bare, ("1" * wide,), lambda n: format(n % 2**wide, f"0{wide}b"))
    unkind, plain = _OWN.get(bare, ((), str))
    return _made(bare, unkind, plain)


def _made(kind: str, unkind: Sequence[str], plain: Callable[[int], str]) -> Domain:
    return Domain(kind, unkind=unkind, plain=plain)


def _array(name: str, labels: Tuple[str, ...]) -> Domain:
    """Arrays: empty, with NULL, with odd elements, and one element for each number."""
    inner = name[:-2]
    if labels:
        return _made("array", ("{}", _braced(labels)), lambda n: _braced([labels[n % len(labels)]]))
    element = _named(inner)
    from ...values.source import Source

    source = Source("", element, None, tame=False)
    some = [value for value in source.pool[:4] if value is not None]
    return _made("array", ("{}", _braced([*some, None])), lambda n: _braced([source.distinct(n)]))


def _braced(values: Sequence[Any]) -> str:
    return "{{{}}}".format(",".join(_element(value) for value in values))


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    return '"{}"'.format(str(value).replace("\\", "\\\\").replace('"', '\\"'))


def text_of(value: Any) -> Any:
    """A value as text that the server reads; numbers and texts stay what they are."""
    if isinstance(value, (bytes, bytearray)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, dt.timedelta):
        return f"{value.days} days {value.seconds}.{value.microseconds:06d} seconds"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, (dt.date, dt.time, uuid.UUID, Decimal)):
        return str(value)
    return value


def _texts_of(said: Domain) -> Callable[[Any], Optional[Any]]:
    def bind(value: Any) -> Any:
        return text_of(said.stored(value))

    return bind
