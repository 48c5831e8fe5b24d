"""Mappings that share what they have in common: changing one entry copies only what changed."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import Any, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

Parts = Callable[[V], Iterable[object]]
"""What a value is made of; a function of a module, so that it is the same each time."""

_DEPTH = 64
"""Changes that are kept beside the common part; more are merged into a part of their own."""
_GONE: Any = object()


class _Base(dict[K, V]):
    """The common part, and where in it what its values are made of is found."""

    __slots__ = ("_found",)

    def __init__(self, entries: Mapping[K, V]) -> None:
        super().__init__(entries)
        self._found: dict[Parts[V], dict[object, list[K]]] = {}

    def having(self, parts: Parts[V], part: object) -> list[K]:
        """The keys of values that have a part."""
        if parts not in self._found:
            found: dict[object, list[K]] = {}
            for key, value in self.items():
                for each in frozenset(parts(value)):
                    found.setdefault(each, []).append(key)
            self._found[parts] = found
        return self._found[parts].get(part, [])


class Layers(Mapping[K, V]):
    """An immutable mapping in the order of insertion, like a dictionary.

    A history changes a few of hundreds of tables at each of thousands of steps, and rules look at
    every step: a dictionary for each took most of the time and the memory.
    """

    __slots__ = ("_base", "_over", "_size")

    def __init__(
        self,
        base: dict[K, V] | None = None,
        over: dict[K, V] | None = None,
        size: int | None = None,
    ) -> None:
        self._base = base if isinstance(base, _Base) else _Base(base or {})
        self._over: dict[K, V] = {} if over is None else over
        self._size = len(self._base) if size is None else size

    def __getitem__(self, key: K) -> V:
        found = self._over.get(key)
        if found is None:
            found = self._base[key]
        if found is _GONE:
            raise KeyError(key)
        return found

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | T) -> V | T: ...
    def get(self, key: K, /, default: Any = None) -> Any:
        """The value of a key, else the default."""
        found = self._over.get(key)
        if found is None:
            found = self._base.get(key)
        return default if found is None or found is _GONE else found

    def __contains__(self, key: object) -> bool:
        found = self._over.get(key)  # type: ignore[arg-type]
        return found is not _GONE if found is not None else key in self._base

    def __iter__(self) -> Iterator[K]:
        return iter(self._merged())

    def values(self) -> ValuesView[V]:
        """The values in the order of their keys."""
        return self._merged().values()

    def items(self) -> ItemsView[K, V]:
        """Keys and values in their order."""
        return self._merged().items()

    def __reduce__(self) -> tuple[type[Layers[K, V]], tuple[dict[K, V]]]:
        """What is in it, without its layers: what marks a gone entry is known here only."""
        return Layers, (self._merged(),)

    def __len__(self) -> int:
        return self._size

    def set(self, key: K, value: V) -> Layers[K, V]:
        """The mapping with one entry more, or another; an entry that was there keeps its place."""
        over = self._over
        known = over.get(key)
        if known is _GONE or len(over) >= _DEPTH:
            # What comes again comes last.
            return Layers({**self._merged(), key: value})
        size = self._size + (known is None and key not in self._base)
        return Layers(self._base, {**over, key: value}, size)

    def without(self, key: K) -> Layers[K, V]:
        """The mapping without a key."""
        if key not in self:
            return self
        over = dict(self._over)
        if key in self._base:
            over[key] = _GONE
        else:
            del over[key]
        return Layers(self._base, over, self._size - 1)

    def _merged(self) -> dict[K, V]:
        merged = {**self._base, **self._over}
        for key, value in self._over.items():
            if value is _GONE:
                del merged[key]
        return merged

    def having(self, parts: Parts[V], part: object) -> list[K]:
        """Keys of the values that have a part, in their order."""
        over = self._over
        found = [key for key in self._base.having(parts, part) if key not in over]
        new = [key for key, value in over.items() if value is not _GONE and part in parts(value)]
        if not new:
            return found
        return new if len(new) == 1 and not found else [key for key in self if key in found + new]

    def changed(self, other: Layers[K, V]) -> list[K]:
        """Keys whose value is another object in the other mapping, or missing there."""
        if other._base is not self._base:
            merged = other._merged()
            return [key for key, value in self.items() if merged.get(key) is not value]
        touched = {**self._over, **other._over}
        found = [key for key in touched if key in self and other.get(key) is not self[key]]
        # Most steps change one entry at most; the order of several is that of all.
        return found if len(found) <= 1 else [key for key in self if key in found]
