"""Texts that match a regular expression, for columns that must."""

from __future__ import annotations

import random
import re
from typing import Any, Callable, Dict, Iterable, List

try:  # Python 3.11 has another name for it
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:
    import sre_parse as parser

_MANY = 400
_MOST_REPEATED = 6
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CLASSES = {
    "alnum": "A-Za-z0-9", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "space": r"\s",
    "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_CLASS = re.compile(r"\[:({}):\]".format("|".join(_CLASSES)))
_CATEGORIES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "azAZ09_"}


def matching(pattern: str, *, any_case: bool = False) -> List[str]:
    """Different texts that match; none where the expression is not understood."""
    python = _CLASS.sub(lambda found: _CLASSES[found.group(1)], pattern)
    found: Dict[str, None] = {}
    try:
        compiled = re.compile(python, re.IGNORECASE if any_case else 0)
        tree = parser.parse(python)
        for number in range(_MANY):
            text = _Maker(f"{pattern} {number}").text(tree)
            text += "" if python.endswith("$") else str(number)
            if compiled.search(text):
                found[text] = None
    except (re.error, NotImplementedError, RecursionError):
        return []
    return list(found)


class _Maker:
    """Makes one text, the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same rows every time

    def text(self, parts: Iterable[Any]) -> str:
        """A text for a sequence of what an expression consists of."""
        return "".join(self.part(str(kind), value) for kind, value in parts)

    def part(self, kind: str, value: Any) -> str:
        make = _MAKERS.get(kind)
        if make is None:
            raise NotImplementedError(kind)
        return make(self, value)

    def repeated(self, value: Any) -> str:
        least, most, parts = value
        times = self.random.randint(least, max(least, min(int(most), least + _MOST_REPEATED)))
        return "".join(self.text(parts) for _ in range(times))

    def one_of(self, choices: Any) -> str:
        if str(choices[0][0]) == "NEGATE":
            return self.other_than(choices[1:])
        kind, value = self.random.choice(choices)
        if str(kind) == "RANGE":
            return chr(self.random.randint(*value))
        return self.part(str(kind), value)

    def other_than(self, choices: Any) -> str:
        shut = {self.one_of([choice]) for choice in choices for _ in _LETTERS}
        free = [letter for letter in _LETTERS if letter not in shut]
        return self.random.choice(free or ["é"])

    def of_category(self, value: Any) -> str:
        return self.random.choice(_CATEGORIES.get(str(value), _LETTERS))

    def letter(self, _value: Any) -> str:
        return self.random.choice(_LETTERS)


_MAKERS: Dict[str, Callable[[_Maker, Any], str]] = {
    "LITERAL": lambda _, value: chr(value),
    "NOT_LITERAL": lambda maker, value: maker.other_than([("LITERAL", value)]),
    "ANY": _Maker.letter,
    "IN": _Maker.one_of,
    "CATEGORY": _Maker.of_category,
    "MAX_REPEAT": _Maker.repeated,
    "MIN_REPEAT": _Maker.repeated,
    "SUBPATTERN": lambda maker, value: maker.text(value[-1]),
    "BRANCH": lambda maker, value: maker.text(maker.random.choice(value[1])),
    # Whether what surrounds a place fits is seen in the end.
    "AT": lambda *_: "",
    "ASSERT": lambda *_: "",
    "ASSERT_NOT": lambda *_: "",
}
