"""Texts that match a regular expression, for columns that must."""

from __future__ import annotations

import random
import re
import warnings
from functools import lru_cache
from typing import Any, Callable, Dict, Iterable, Tuple

try:  # Python 3.11 has another name for it
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:
    import sre_parse as parser

_MANY = 400
_FEW = 20
_LONGEST = 130
_MOST_PARTS = 200
_MOST_REPEATED = 6
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CLASSES = {
    "alnum": "A-Za-z0-9", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "space": r"\s",
    "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_CLASS = re.compile(r"\[:({}):\]".format("|".join(_CLASSES)))
_OTHER_CLASS = re.compile(r"\[([:.=]).+?\1\]")
_CATEGORIES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "azAZ09_"}


@lru_cache(maxsize=256)
def matching(pattern: str) -> Tuple[str, ...]:
    """Different texts that match; none where the expression is not understood.

    No search looks whether they do, since one that backtracks may never end: that is seen when
    the database takes them.
    """
    python = _CLASS.sub(lambda found: _CLASSES[found.group(1)], pattern)
    if _OTHER_CLASS.search(python):
        return ()
    try:
        with warnings.catch_warnings():
            # What Python may read otherwise one day, other engines read otherwise today.
            warnings.simplefilter("error")
            tree = parser.parse(python)
        return _texts(pattern, tree)
    except (re.error, Warning, NotImplementedError, RecursionError, OverflowError):
        return ()


def _texts(pattern: str, tree: Any) -> Tuple[str, ...]:
    found: Dict[str, None] = {}
    failures = 0
    for number in range(_MANY):
        maker = _Maker(f"{pattern} {number}")
        try:
            text = maker.text(tree)
        except _TooLongError:
            failures += 1
        else:
            # Behind the end of a text, or of a word, nothing may stand.
            found[text if maker.ends else f"{text}{number}"] = None
        if failures > _FEW:
            break
    return tuple(text for text in found if len(text) <= _LONGEST)


class _TooLongError(Exception):
    """A text would get longer than is worth making."""


class _Maker:
    """Makes one text, the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same rows every time
        self.made = 0
        self.ends = False

    def text(self, parts: Iterable[Any]) -> str:
        """A text for a sequence of what an expression consists of."""
        made = []
        for kind, value in parts:
            self.made += 1
            if self.made > _MOST_PARTS:
                raise _TooLongError
            made.append(self.part(str(kind), value))
        return "".join(made)

    def part(self, kind: str, value: Any) -> str:
        make = _MAKERS.get(kind)
        if make is None:
            raise NotImplementedError(kind)
        return make(self, value)

    def repeated(self, value: Any) -> str:
        least, most, parts = value
        if least > _LONGEST:
            raise _TooLongError
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
        shut = {chr(value) for kind, value in choices if str(kind) == "LITERAL"}
        others = [choice for choice in choices if str(choice[0]) != "LITERAL"]
        shut.update(self.one_of([choice]) for choice in others for _ in _LETTERS)
        free = [letter for letter in _LETTERS if letter not in shut]
        return self.random.choice(free or ["é"])

    def of_category(self, value: Any) -> str:
        return self.random.choice(_CATEGORIES.get(str(value), _LETTERS))

    def place(self, value: Any) -> str:
        self.ends = self.ends or not str(value).startswith("AT_BEGINNING")
        return ""

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
    "AT": _Maker.place,
}
