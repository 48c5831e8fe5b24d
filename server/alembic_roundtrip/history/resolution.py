"""What a revision identifier on a command line means: partial, labelled, relative."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_roundtrip.history import graph

if TYPE_CHECKING:
    from alembic_roundtrip.history import History

_RELATIVE = re.compile(r"(?:(.+?)@)?(\w+)?([+-]\d+)")
_SHORTEST = 4  # Alembic finds no id shorter than this by a part of it


_ALIKE = 0.7  # one or two letters of an id may differ


@dataclass(frozen=True, slots=True)
class Resolution:
    """The revisions an identifier means: none for the base, several for `heads`."""

    ids: tuple[str, ...] = ()
    branch: str | None = None
    """The part before `@`."""
    problem: str | None = None
    """Why the identifier means nothing, or not one thing; a sentence."""

    @property
    def is_base(self) -> bool:
        """Whether the state before all revisions is meant."""
        return not self.ids and self.problem is None


class _Unresolved(Exception):
    pass


def is_relative(identifier: str) -> bool:
    """Whether an identifier ends in a number of steps, as `head-1` does."""
    return _RELATIVE.fullmatch(identifier) is not None


def resolve(history: History, identifier: str, current: Sequence[str] | None = None) -> Resolution:
    """Resolve `abc1`, `label@head`, `head-1`, `abc1+2`, `-1`, `heads`, `base`… as Alembic does.

    Steps without a start (`-1`, `label@+1`) are counted from the revisions in `current`; where it
    is not given, down from the heads and up from the base.
    """
    match = _RELATIVE.fullmatch(identifier)
    branch = identifier.partition("@")[0] if "@" in identifier else None
    reader = _Reader(history)
    try:
        if match is None or identifier in history.by_id:
            return Resolution(reader.absolute(identifier), branch)
        label, symbol, steps = match.groups()
        return Resolution(reader.relative(label, symbol, int(steps), current), branch)
    except _Unresolved as unresolved:
        return Resolution((), branch, str(unresolved))


@dataclass(frozen=True, slots=True)
class _Reader:
    history: History

    def absolute(self, identifier: str) -> tuple[str, ...]:
        label, at, symbol = (
            identifier.rpartition("@") if "@" in identifier else ("", "", identifier)
        )
        if at:
            label, _, symbol = identifier.partition("@")
        if symbol == "heads":
            return self.lineage(self.history.heads, label) if at else self.history.real_heads
        if symbol == "head":
            return self.head(label)
        if symbol == "base":
            return ()
        return (self.one(symbol, label),)

    def head(self, label: str) -> tuple[str, ...]:
        heads = self.lineage(self.history.heads, label) if label else self.history.heads
        if len(heads) > 1:
            name = f"{label}@head" if label else "head"
            raise _Unresolved(f"`{name}` means {len(heads)} revisions: {', '.join(heads)}")
        return heads

    def one(self, symbol: str, label: str = "") -> str:
        """An id, a label, or the beginning of exactly one of them."""
        owner = self.one(label) if label else None
        rev = self.exact(symbol)
        if rev is None:
            rev = self.partial(symbol, owner)
        if owner is not None and not self.related(rev, owner):
            raise _Unresolved(f"revision {rev} is not a member of branch `{label}`")
        return rev

    def exact(self, symbol: str) -> str | None:
        return symbol if symbol in self.history.by_id else self.history.labelled.get(symbol)

    def partial(self, symbol: str, owner: str | None) -> str:
        names = (*self.history.by_id, *self.history.labelled)
        found = [n for n in names if len(n) >= _SHORTEST and n.startswith(symbol)]
        if owner is not None:
            found = [n for n in found if self.related(self.exact(n) or n, owner)]
        if not found or not symbol:
            raise _Unresolved(f"there is no revision or branch `{symbol}`{_hint(symbol, names)}")
        if len(found) > 1:
            some = ", ".join(found[:3])
            raise _Unresolved(f"{len(found)} revisions or branches start with `{symbol}`: {some}")
        return self.exact(found[0]) or found[0]

    def related(self, rev: str, owner: str) -> bool:
        history = self.history
        return rev == owner or owner in (
            history.ancestors(rev, dependencies=False)
            | history.descendants(rev, dependencies=False)
        )

    def lineage(self, ids: Iterable[str], label: str) -> tuple[str, ...]:
        """Those of `ids` that lie on a branch; the branch may be named `a@b`, as Alembic allows."""
        owner = self.one(label)
        line = {owner} | self.history.ancestors(owner, dependencies=False)
        line |= self.history.descendants(owner, dependencies=False)
        return tuple(rev for rev in ids if rev in line)

    def relative(
        self, label: str | None, symbol: str | None, steps: int, current: Sequence[str] | None
    ) -> tuple[str, ...]:
        if symbol is not None:
            name = symbol
            if label and steps < 0:
                self.one(label)
                name = f"{label}@{symbol}"
            start = self.single(self.absolute(name), f"`{name}`")
        elif steps < 0:
            start = self.current_below(label, self.applied(current, self.history.real_heads))
        else:
            start = self.current_above(label, self.applied(current, ()))
        return self.walk(start, steps, label)

    def applied(self, current: Sequence[str] | None, default: tuple[str, ...]) -> tuple[str, ...]:
        return default if current is None else tuple(self.one(rev) for rev in current)

    def single(self, ids: tuple[str, ...], name: str) -> str | None:
        if len(ids) > 1:
            raise _Unresolved(f"{name} means {len(ids)} revisions: {', '.join(ids)}")
        return ids[0] if ids else None

    def current_below(self, label: str | None, current: tuple[str, ...]) -> str | None:
        if label:
            ids = self.lineage(current, label) or self.lineage(self.branch_tips(current), label)
        else:
            ids = current
        if not ids:
            raise _Unresolved("no revision to step down from")
        return self.single(ids, "the current revision")

    def branch_tips(self, current: tuple[str, ...]) -> tuple[str, ...]:
        """Applied revisions without an applied child, dependencies not counted."""
        applied = self.with_ancestors(current)
        children = self.history.children
        return tuple(rev for rev in applied if not any(c in applied for c in children(rev)))

    def with_ancestors(self, current: tuple[str, ...]) -> dict[str, None]:
        applied = set(current).union(*(self.history.ancestors(rev) for rev in current))
        return {rev: None for rev in self.history.by_id if rev in applied}

    def current_above(self, label: str | None, current: tuple[str, ...]) -> str | None:
        ids = self.lineage(current, label) if label else current
        if label and current and not ids:
            ids = self.applied_tips(current, label)
        return self.single(ids, "the current revision")

    def applied_tips(self, current: tuple[str, ...], label: str) -> tuple[str, ...]:
        on_branch = set(self.lineage(self.with_ancestors(current), label))
        nearer = graph.reverse(self.history.nearest_parents)
        return tuple(rev for rev in on_branch if not on_branch.intersection(nearer[rev]))

    def walk(self, start: str | None, steps: int, label: str | None) -> tuple[str, ...]:
        history = self.history
        # The base, reached from below (`None`) and from above, are different places to go on from:
        # Alembic steps down from nowhere to the head.
        at, ended = start, False
        for _ in range(abs(steps)):
            if steps > 0:
                ways = history.bases if at is None else history.children(at)
                ways = self.lineage(ways, label) if label else ways
            else:
                ways = history.heads if at is None and not ended else self.below(at)
            if not ways and (steps > 0 or ended):
                where = "above" if steps > 0 else "below"
                raise _Unresolved(f"there are not {abs(steps)} revisions {where} to step over")
            if len(ways) > 1:
                names = ", ".join(ways)
                raise _Unresolved(f"a step from {at or 'base'} can lead to {names}")
            at, ended = (ways[0], False) if ways else (None, True)
        return () if at is None else (at,)

    def below(self, at: str | None) -> tuple[str, ...]:
        if at is None:
            return ()
        revision = self.history.by_id[at]
        unknown = [d for d in revision.down_revisions if d not in self.history.by_id]
        if unknown:
            raise _Unresolved(f"revision {at} revises {unknown[0]}, which does not exist")
        if "down_revision" in revision.computed:
            raise _Unresolved(f"the down revision of {at} is computed, so it is not known here")
        return revision.down_revisions


def _hint(symbol: str, names: Sequence[str]) -> str:
    """The name that comes nearest, as the end of a sentence; nothing where none does."""
    from difflib import get_close_matches

    near = get_close_matches(symbol, names, 1, _ALIKE)
    return f"; did you mean `{near[0]}`?" if near else ""
