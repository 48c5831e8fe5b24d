"""Plain frozen values as JSON and back: each part once, whatever refers to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from alembic_roundtrip.migration.expression import UNKNOWN

_SCALARS = (str, bool, int, float, type(None))
_SCALAR, _TUPLE, _SET, _UNKNOWN, _FIRST_TYPE = range(5)


class NotPlainError(ValueError):
    """A value that cannot be kept, or data that no value was kept as."""


def packed(value: object, types: Sequence[type]) -> list[Any]:
    """A value made of scalars, tuples, frozen sets and frozen dataclasses of these types.

    It becomes a list of its parts, in which each names those before it by their number. Raises
    `NotPlainError` for anything else.
    """
    return list(_Packer(types).parts_of(value))


class _Packer:
    def __init__(self, types: Sequence[type]) -> None:
        self._tags = {kind: _FIRST_TYPE + number for number, kind in enumerate(types)}
        self._names = {kind: _names(kind) for kind in types}
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._known: dict[int, int] = {}

    def parts_of(self, value: object) -> Sequence[tuple[Any, ...]]:
        self._number(value)
        return tuple(self._numbers)

    def _number(self, value: object) -> int:
        known = self._known.get(id(value))
        if known is None:
            # All parts live as long as the whole, so an identity stands for one of them.
            known = self._known[id(value)] = self._numbers.setdefault(
                self._part(value), len(self._numbers)
            )
        return known

    def _part(self, value: object) -> tuple[Any, ...]:
        kind = type(value)
        names = self._names.get(kind)
        if names is not None:
            return (self._tags[kind], *[self._number(getattr(value, name)) for name in names])
        if kind in _SCALARS:
            return _SCALAR, _SCALARS.index(kind), value
        if isinstance(value, tuple) and kind is tuple:
            return (_TUPLE, *map(self._number, value))
        if isinstance(value, frozenset):
            return (_SET, *sorted(map(self._number, value)))
        if value is UNKNOWN:
            return (_UNKNOWN,)
        raise NotPlainError(f"{kind.__name__} is not kept")


def unpacked(parts: Any, types: Sequence[type]) -> Any:
    """Back from `packed`; raises `NotPlainError` for what did not come from there."""
    values: list[Any] = []
    try:
        for tag, *items in parts:
            values.append(_made(tag, items, values, types))
        return values[-1]
    except (TypeError, ValueError, IndexError) as error:
        raise NotPlainError(str(error)) from error


def _made(tag: int, items: list[Any], values: list[Any], types: Sequence[type]) -> object:
    if tag == _SCALAR:
        kind, value = items
        if type(value) is not _SCALARS[kind]:
            raise NotPlainError(f"{value!r} is no {_SCALARS[kind].__name__}")
        return value
    if tag == _TUPLE:
        return tuple([values[item] for item in items])
    if tag == _SET:
        return frozenset([values[item] for item in items])
    if tag == _UNKNOWN:
        return UNKNOWN
    return types[tag - _FIRST_TYPE](*[values[item] for item in items])


def _names(kind: type) -> tuple[str, ...]:
    named: tuple[str, ...] | None = getattr(kind, "_fields", None)
    return tuple(field.name for field in fields(kind)) if named is None else named
