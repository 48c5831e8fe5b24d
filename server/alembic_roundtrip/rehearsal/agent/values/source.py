"""Made-up values: unkind ones that show what a migration forgot, and tame ones."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from functools import cached_property
from typing import Any, Callable, Dict, List, Optional, Sequence

from . import names
from .checks import Hints
from .domains import Domain

_LONGEST_TEXT = 300
_EXTREMES = {"text": 1, "boolean": 0, "float": 1, "blob": 1, "interval": 1}
"""How many of the unkind values of a kind are extremes; of others it is a pair."""
_VERY_LONG = 5000
"""Beyond what somebody would limit a text to that has no limit yet."""
_SHORT = 8
_FEW_DIGITS = 3
_LONG_EVERY = 10
_ODD_EVERY = 5
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_INTEGERS = {
    "tinyint": (127, -128),
    "smallint": (32_767, -32_768),
    "integer": (2_147_483_647, -2_147_483_648),
    # Beyond 32 bits, yet a moment in milliseconds, and times a million still an integer.
    "bigint": (4_398_046_511_104, -4_398_046_511_104),
    "mediumint": (8_388_607, -8_388_608),
    "unsigned tinyint": (255, 0),
    "unsigned smallint": (65_535, 0),
    "unsigned mediumint": (16_777_215, 0),
    "unsigned integer": (4_294_967_295, 0),
    "unsigned bigint": (4_398_046_511_104, 0),
}
_TEXTS = (
    "", "naïve café 🦊", "O'Brien \"the\" 100%", "007", " padded_ ", "a", "A", "NULL", "-1.50",
    "line\nbreak", "back\\slash :name", "日本語", "true", "Straße", "Über Äcker", "Cafe\u0301",
)  # fmt: skip


def _base36(number: int, width: int) -> Optional[str]:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text.rjust(width, "0") if len(text) <= width else None


class Source:
    """Where the values of one column come from.

    `pool` holds values to repeat, the longest or largest first; `distinct` gives a different
    value for each number, None when the column cannot hold that many. All values are as the
    driver writes them.
    """

    def __init__(
        self,
        name: str,
        domain: Domain,
        hints: Optional[Hints],
        tame: bool,
        *,
        nullable: bool = False,
    ) -> None:
        self.domain = domain
        self.hints = hints or Hints()
        self.tame = tame
        self.nullable = nullable
        self.by_name = self._by_name(name)
        self.members: Sequence[Any] = self.hints.allowed or domain.members
        self.parts: List[str] = []
        """Names of what a migration looks for in values that have parts."""
        self.pool = self._pool()
        self.asked: List[Any] = []
        """Values that a migration looks for."""

    def _by_name(self, name: str) -> Optional[names.Texts]:
        if self.domain.kind != "text" or self.hints.patterns:
            return None
        if self.hints.json:
            return names.Texts(lambda n: json.dumps(self._shaped({"n": n})))
        return names.texts(name)

    def _pool(self) -> List[Any]:
        if self.members:
            return list(self.members)
        many = 12
        made = [] if self.tame else self._unkind()
        made += [self._plain(n) for n in range(many)]
        stored: List[Any] = []
        for value in made:
            kept = self._kept(value)
            if kept is not None and kept not in stored:
                stored.append(kept)
        if self.nullable and not self.tame and not self.hints.shape and self._has_json_null():
            stored.append("null")
        return stored or [self._kept(self._plain(1))]

    def _has_json_null(self) -> bool:
        """Whether JSON is kept as its text, where what has no value may also be JSON's own null."""
        return self.domain.kind == "json" and self.domain.stored({}) == "{}"

    def leave_extremes_out(self) -> None:
        """Have no value that is as long, large or far away as may be."""
        if self.domain.kind == "json":
            self.pool = [value for value in self.pool if _has_parts(value)] or self.pool
        elif not self.members and not self.hints.patterns:
            many = _EXTREMES.get(self.domain.kind, 2)
            extremes = [self._kept(value) for value in self._unkind()[:many]]
            self.pool = [value for value in self.pool if value not in extremes] or self.pool

    def ask(self, values: Sequence[Any]) -> None:
        """Have those of some values that the column can hold."""
        if self.members or self.hints.patterns:
            return
        if self.domain.kind == "json":
            self._ask_for_parts([value for value in values if isinstance(value, str)])
            return
        kept = [self._kept(fit) for fit in map(self._read, values) if fit is not None]
        self.asked = [value for value in kept if value is not None]
        new = [value for value in self.asked if value not in self.pool]
        self.pool[1:1] = new

    def _ask_for_parts(self, named: Sequence[str]) -> None:
        """Have JSON with parts of these names, in tame values of each."""
        self.parts = [name.removeprefix("$.") for name in named]
        if self.parts and not self.hints.allowed:
            made = [self._kept(self._plain(number)) for number in range(3)]
            self.pool = made if self.tame else [*self.pool[:1], *made, *self.pool[1:]]

    def _read(self, value: Any) -> Any:
        """What a statement writes, as a value of this kind; None where it is none."""
        kind = self.domain.kind
        if kind == "text":
            fits = isinstance(value, str) and len(value) <= (self.longest or len(value))
            return value if fits else None
        if isinstance(value, str) and value.lower() in self.domain.words:
            return value
        most, least = _INTEGERS.get(kind, (0, 0))
        try:
            if kind in _INTEGERS:
                return int(value) if least <= int(value) <= most else None
            return _READ[kind](value)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            return None

    def _kept(self, value: Any) -> Any:
        """The stored value, bent to what CHECK constraints say; None where it cannot be."""
        if isinstance(value, str) and self.domain.kind == "text":
            return self._fitted(value)
        if isinstance(value, (int, float, Decimal)) and self.domain.kind != "boolean":
            value = self._bounded(value)
        if isinstance(value, (bytes, bytearray)):
            value = self._cut(bytes(value))
        if isinstance(value, (dict, list)) and self._shaped(value) is not value:
            return None
        if value is None or value in self.hints.forbidden:
            return None
        return self.domain.stored(value)

    def _cut(self, value: bytes) -> bytes:
        """Bytes that are as long as constraints say."""
        return value[: self.hints.longest].ljust(self.hints.shortest or 0, b"\0")

    def _shaped(self, value: Any) -> Any:
        """JSON of the kind that constraints say."""
        is_list = isinstance(value, list)
        if self.hints.shape == "array":
            return value if is_list else [value]
        return {"list": value} if is_list and self.hints.shape == "object" else value

    def _bounded(self, value: Any) -> Any:
        low, high = self.hints.low, self.hints.high
        step = 1 if isinstance(value, int) else type(value)("0.5")
        least = low if low is None or not self.hints.open_low else low + step_of(low, step)
        most = high if high is None or not self.hints.open_high else high - step_of(high, step)
        if least is not None and value < least:
            value = type(value)(least)
        if most is not None and value > most:
            value = type(value)(most)
        return value

    @property
    def has_few(self) -> bool:
        """Whether the column can hold a few values only."""
        return bool(self.members) or self.domain.kind == "boolean"

    @property
    def takes_any_text(self) -> bool:
        """Whether nothing is known that a text in it must be like."""
        said = self.hints.patterns or self.hints.json or self.hints.case
        return self.domain.kind == "text" and not self.members and not said

    @cached_property
    def longest(self) -> Optional[int]:
        """The greatest length that a text may have; None if any."""
        known = [n for n in (self.domain.length, self.hints.longest) if n is not None]
        return min(known) if known else None

    def _fitted(self, text: str) -> Optional[str]:
        if self.hints.case:
            text = text.lower() if self.hints.case == "LOWER" else text.upper()
        if self.longest is not None:
            text = text[: self.longest]
        if self.hints.shortest is not None:
            text = text.ljust(self.hints.shortest, "x")
        if text in self.hints.forbidden:
            return None
        stored: Optional[str] = self.domain.stored(text)
        return stored

    def _unkind(self) -> List[Any]:
        kind = self.domain.kind
        if kind in _INTEGERS:
            return [*_INTEGERS[kind], 0, 1, -1, 42]
        if kind == "text":
            return self._unkind_texts()
        if self.domain.plain is not None:
            return list(self.domain.unkind)
        make = _UNKIND.get(kind)
        return list(make(self.domain)) if make is not None else []

    def _unkind_texts(self) -> List[Any]:
        if self.hints.patterns:
            return list(self.hints.patterns)
        if self.by_name is not None:
            longest = self.by_name.longest(self.longest or _VERY_LONG)
            return [*longest, *(odd(number) for number, odd in enumerate(self.by_name.odd))]
        length = self.longest or _VERY_LONG
        return [("Größe 日本 ñ " * (length // 8 + 1))[: length - 1] + "z", *_TEXTS]

    def _plain(self, number: int) -> Any:
        kind = self.domain.kind
        if kind == "text":
            return self._plain_text(number)
        if kind in _INTEGERS:
            return number + 1
        made = self._make(number)
        if self.parts and isinstance(made, dict):
            made.update(dict.fromkeys(self.parts, f"text {number}"))
        return self._shaped(made) if self.domain.kind == "json" else made

    def _make(self, number: int) -> Any:
        make = self.domain.plain or _PLAIN[self.domain.kind]
        return make(number) if self.domain.kind != "numeric" else _decimal(self.domain, number)

    def _plain_text(self, number: int) -> str:
        if self.hints.patterns:
            return self.hints.patterns[number % len(self.hints.patterns)]
        if self.by_name is not None:
            return self.by_name.plain(number)
        text = f"text {number}"
        fits = self.longest is None or len(text) <= self.longest
        # What is cut short would be the same for every number.
        return text if fits else _base36(number, self.longest or 0) or text

    def distinct(self, number: int) -> Any:
        """The value of this number, different for every number; None where there is no more."""
        if self.members:
            return self.members[number] if number < len(self.members) else None
        kind = self.domain.kind
        if kind == "text":
            return self._distinct_text(number)
        if kind in _INTEGERS:
            low = self.hints.low
            value: Any = number + (1 if low is None else int(low) + self.hints.open_low)
            high = self.hints.high
            most = _INTEGERS[kind][0] if high is None else high - self.hints.open_high
            return self.domain.stored(value) if value <= most else None
        if kind == "boolean":
            return number if number in {0, 1} else None
        value = self._make(number)
        if kind == "blob" and isinstance(value, bytes):
            value = self._cut(value)
        if kind in {"float", "numeric"} and self._bounded(value) != value:
            return None
        return self.domain.stored(value)

    def _distinct_text(self, number: int) -> Optional[str]:
        longest = self.longest
        if self.hints.patterns:
            return self.domain.stored(f"{self.hints.patterns[0]}{number}")  # type: ignore[no-any-return]
        made = self._numbered(number)
        if self.by_name is not None and self.by_name.differs:
            made = self._named(self.by_name, number)
        if longest is not None and len(made) > longest:
            made = _base36(number, longest) or ""
        return self._fitted(made) if made else None

    def _named(self, kind: names.Texts, number: int) -> str:
        if self.tame:
            return kind.plain(number)
        if number % _LONG_EVERY == 0:
            return next(kind.longest(self.longest or _LONGEST_TEXT, number), kind.plain(number))
        turn = number % _ODD_EVERY - 1
        return kind.odd[turn](number) if 0 <= turn < len(kind.odd) else kind.plain(number)

    def _numbered(self, number: int) -> str:
        longest = self.longest
        if self.tame or (longest is not None and longest < _SHORT):
            return f"text-{number}"
        tail = f"-{number}"
        if number % _LONG_EVERY == 0:
            return ("Größe 日本 ñ " * 40)[: (longest or _LONGEST_TEXT) - len(tail)] + tail
        variants = (
            f"ключ{tail}",
            f"key{tail}",
            f"Ünï{tail}",
            f"Key_{number}",
            f" key {number} ",
            f"00{number}",
        )
        return variants[number % len(variants)]


def _decimal(domain: Domain, number: int) -> Decimal:
    """A whole number where there are enough of them, else one with digits behind the point."""
    scale = domain.scale or 0
    has_few = domain.length is not None and domain.length - scale < _FEW_DIGITS
    return Decimal(number).scaleb(-scale) if has_few else Decimal(number)


def step_of(bound: float, step: Any) -> Any:
    """How far inside an open bound to stay: a whole step, or less where bounds are fractions."""
    return step if float(bound).is_integer() else type(step)(1) / 1000


def _numerics(domain: Domain) -> List[Any]:
    # A float, which is what SQLite keeps, has 15 digits.
    scale = 2 if domain.scale is None else domain.scale
    digits = min(domain.length or 10, 15)
    least = Decimal(1).scaleb(-scale)
    most = Decimal(10) ** max(digits - scale, 0) - least
    return [most, -most, Decimal(0), least, Decimal("1.5") if scale else Decimal(2)]


_UNKIND: Dict[str, Callable[[Domain], Sequence[Any]]] = {
    "boolean": lambda _: [1, 0],
    "float": lambda _: [123456789.125, -0.5, 0.0, 1 / 3, 1e-7],
    "numeric": _numerics,
    "datetime": lambda _: [
        dt.datetime(2999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001
        dt.datetime(1900, 1, 1),  # noqa: DTZ001
        dt.datetime(2000, 2, 29, 12, 34, 56, 789012),  # noqa: DTZ001
        dt.datetime(2038, 1, 19, 3, 14, 8),  # noqa: DTZ001
    ],
    "date": lambda _: [dt.date(2999, 12, 31), dt.date(1900, 1, 1), dt.date(2000, 2, 29)],
    "time": lambda _: [dt.time(23, 59, 59, 999999), dt.time(0), dt.time(12, 30)],
    "interval": lambda _: [
        dt.timedelta(days=9999, microseconds=1),
        dt.timedelta(0),
        dt.timedelta(hours=-30),
    ],
    "json": lambda _: [
        {"é": [1, 2.5, None, True, {"z": "日本", "a": ""}], "none": None},
        {},
        [{"n": 1}, "b", "a"],
    ],
    "blob": lambda domain: [bytes(range(256))[: domain.length or 256], b"", b"\x00", b"text"],
}


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _has_parts(value: Any) -> bool:
    """Whether a stored value is a JSON object, as far as it is a text."""
    return not isinstance(value, str) or value.startswith("{")


_READ: Dict[str, Callable[[Any], Any]] = {
    "float": _finite,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
}
"""Values of columns, as statements write them."""
_PLAIN: Dict[str, Callable[[int], Any]] = {
    "boolean": lambda n: (n + 1) % 2,
    "float": lambda n: n + 0.25,
    "numeric": Decimal,
    "datetime": names.moment,
    "date": lambda n: names.moment(n).date(),
    "time": lambda n: (dt.datetime(2001, 1, 1) + dt.timedelta(seconds=n)).time(),  # noqa: DTZ001
    "interval": lambda n: dt.timedelta(seconds=n),
    "json": lambda n: {"n": n},
    "blob": lambda n: b"bytes %d" % n,
    "uuid": names.random_uuid,
    "enum": lambda n: n,
}
