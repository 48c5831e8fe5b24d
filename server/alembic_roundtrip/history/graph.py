"""Walking a directed graph of names: what is reachable, which cycles there are, which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Edges = Mapping[str, tuple[str, ...]]


def reverse(edges: Edges) -> dict[str, tuple[str, ...]]:
    """The same edges from their other end."""
    found: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for target in targets:
            found[target].append(name)
    return {name: tuple(sources) for name, sources in found.items()}


def reachable(edges: Edges, starts: Iterable[str]) -> frozenset[str]:
    """The starts and everything that can be reached from them."""
    todo = list(starts)
    seen = set(todo)
    while todo:
        for target in edges[todo.pop()]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return frozenset(seen)


def cycles(edges: Edges) -> tuple[tuple[str, ...], ...]:
    """Groups of names that reach one another, and names that lead to themselves."""
    rest = _without_ends(edges)
    if not rest:
        return ()
    groups = _components({name: tuple(t for t in edges[name] if t in rest) for name in rest})
    return tuple(group for group in groups if len(group) > 1 or group[0] in edges[group[0]])


def _without_ends(edges: Edges) -> dict[str, None]:
    """What is left when names without a way on are taken away, again and again."""
    sources = reverse(edges)
    ways = {name: len(targets) for name, targets in edges.items()}
    ends = [name for name, count in ways.items() if count == 0]
    while ends:
        for source in sources[ends.pop()]:
            ways[source] -= 1
            if ways[source] == 0:
                ends.append(source)
    return {name: None for name, count in ways.items() if count}


def _components(edges: Edges) -> list[tuple[str, ...]]:
    """Strongly connected components (Kosaraju), without recursion: histories are long chains."""
    finished: dict[str, None] = {}
    for name in edges:
        _finish(edges, name, finished)
    sources = reverse(edges)
    groups: list[tuple[str, ...]] = []
    done: set[str] = set()
    for name in reversed(finished):
        if name in done:
            continue
        group, todo = [], [name]
        done.add(name)
        while todo:
            group.append(todo.pop())
            fresh = [s for s in sources[group[-1]] if s not in done]
            done.update(fresh)
            todo += fresh
        groups.append(tuple(group))
    return groups


def _finish(edges: Edges, start: str, finished: dict[str, None]) -> None:
    on_way: set[str] = set()
    todo = [(start, False)]
    while todo:
        name, leaving = todo.pop()
        if leaving:
            finished[name] = None
        elif name not in on_way and name not in finished:
            on_way.add(name)
            todo.append((name, True))
            todo += [(target, False) for target in edges[name]]


def downgrade_order(parents: Edges, wanted: frozenset[str]) -> tuple[str, ...]:
    """Names sorted so that each comes before its parents, one line after the other.

    This is the order of Alembic's `RevisionMap`: a line is followed down until a name is met that
    another unfinished line leads to as well; then that line is next. `parents` has no cycles.
    """
    children = reverse(parents)
    heads = [
        name for name in parents if name in wanted and not any(c in wanted for c in children[name])
    ]
    waiting = dict.fromkeys(name for name in parents if name in wanted)
    order: list[str] = []
    at = 0
    while heads:
        name = heads[at]
        blocker = _blocker(name, children, heads, waiting)
        if blocker is not None:
            at = blocker
            continue
        order.append(name)
        del waiting[name]
        lines = set(heads)
        fresh = [p for p in parents[name] if p in waiting and p not in lines]
        if fresh:
            heads[at] = fresh[0]
            heads += fresh[1:]
        else:
            del heads[at]
            at = max(at - 1, 0)
    return (*order, *waiting)


def _blocker(
    name: str, children: Edges, heads: list[str], waiting: Mapping[str, None]
) -> int | None:
    """The first line that must be finished before a name: one that starts at a descendant."""
    if len(heads) == 1 or not any(child in waiting for child in children[name]):
        return None
    above = _reachable_within(children, name, waiting)
    return next((at for at, head in enumerate(heads) if head != name and head in above), None)


def _reachable_within(edges: Edges, start: str, within: Mapping[str, None]) -> set[str]:
    todo, seen = [start], {start}
    while todo:
        for target in edges[todo.pop()]:
            if target in within and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen
