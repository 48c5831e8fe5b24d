"""When two values are the same value, written otherwise."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from json import dumps, loads  # by name: a project may put another in its place
from typing import Any

from ..schema.sql import affinity

_MOMENT = re.compile(
    r"^(\d{4}-\d\d-\d\d)?[ T]?"
    r"(?:(\d\d:\d\d)(:\d\d)?(\.\d+)?(?:Z|[+-]00(?::?00)?)?)?$"
)
_NUMBER = re.compile(r"^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$")


def kind_of(declared: str) -> str:
    """How values of a declared type compare: `number`, `moment`, `boolean`, `json` or `text`."""
    name = declared.upper()
    if "JSON" in name:
        return "json"
    if "BOOL" in name:
        return "boolean"
    if "DATE" in name or "TIME" in name:
        return "moment"
    return "text" if affinity(name) in {"TEXT", "BLOB"} else "number"


def same(one: Any, other: Any, kind: str) -> bool:
    """Whether two stored values mean the same in a column of this kind."""
    if one == other and isinstance(one, type(other)):
        return True
    if one is None or other is None:
        return False
    return bool(canonical(one, kind) == canonical(other, kind))


def canonical(value: Any, kind: str) -> Any:
    """A value that is equal for equal values, and hashable: None, or a pair of kind and value."""
    if value is None:
        return None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return ("blob", bytes(value))
    if isinstance(value, (bool, int, float, Decimal)):
        return ("number", _number(value))
    text = str(value)
    if kind == "boolean" and text.lower() in _BOOLEANS:
        return ("number", _BOOLEANS[text.lower()])
    if kind == "moment":
        return ("moment", _moment(text))
    # In a column of text only the very spelling of a number is that number: that "1.50" was cut to
    # "1.5", or "007" turned to 7, must show.
    if kind == "number" or _NUMBER.match(text):
        return _text_number(text)
    if text.startswith(("{", "[")):
        return _json(text)
    return ("text", text)


_BOOLEANS = {"true": 1, "t": 1, "false": 0, "f": 0, "1": 1, "0": 0}


def _number(value: Any) -> Any:
    """Numbers compare across int and Decimal; a float counts with the digits it surely has."""
    if isinstance(value, float):
        return _trimmed(f"{value:.15g}")
    return int(value) if value == int(value) else value


def _trimmed(text: str) -> Any:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return int(number) if number.is_finite() and number == int(number) else number


def _text_number(text: str) -> Any:
    number = _trimmed(text.strip())
    return ("text", text) if isinstance(number, str) else ("number", number)


def _moment(text: str) -> str:
    match = _MOMENT.match(text)
    if not match:
        return text
    day, hour, seconds, fraction = (part or "" for part in match.groups()[:4])
    time = hour + (seconds or ":00") + fraction.rstrip("0").rstrip(".") if hour else ""
    return day if day and time in {"", "00:00:00"} else f"{day} {time}".strip()


def _json(text: str) -> Any:
    try:
        return ("json", dumps(loads(text), sort_keys=True))
    except ValueError:
        return ("text", text)


def spelled(value: Any, width: int) -> str:
    """A value as an example shows it, cut to `width` characters."""
    if value is None:
        return "NULL"
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        text = f"x'{data[:8].hex()}{'…' if data[8:] else ''}' ({len(data)} bytes)"
    else:
        text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= width else text[: width - 2] + "…" + text[-1]
