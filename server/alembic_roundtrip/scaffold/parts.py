"""The top-level statements of a downgrade, and what each of them is for."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.editing import statements_of
from alembic_roundtrip.migration.imports import bound_names
from alembic_roundtrip.migration.layout import OWN_COMMENTS
from alembic_roundtrip.migration.model import Direction, Migration, Operation
from alembic_roundtrip.migration.sql.words import spoken
from alembic_roundtrip.scaffold.edits import receiver, within
from alembic_roundtrip.scaffold.told import is_quoted

_BLOCKS = ("batch_alter_table", "autocommit_block")
_NAMES_ONLY = frozenset({"table", "column", "text", "get_bind"})
"""Calls that ask no database for anything: what they bind can stand anywhere."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NAMED = (*_DEFINITIONS, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)


@dataclass(frozen=True)
class Part:
    """What stands on its own among the statements of a downgrade: mostly one of them.

    `operations` are those that it makes; `text` has the comments above it.
    """

    text: str
    nodes: tuple[ast.stmt, ...]
    operations: tuple[Operation, ...]

    @property
    def changes(self) -> tuple[c.Change, ...]:
        """What its operations change."""
        return tuple(change for operation in self.operations for change in operation.changes)

    @property
    def rows(self) -> tuple[c.WriteRows, ...]:
        """What it writes of rows."""
        return tuple(change for change in self.changes if isinstance(change, c.WriteRows))

    @property
    def code(self) -> str:
        """Without comments and layout."""
        return "\n".join(map(ast.dump, self.nodes))

    @property
    def names(self) -> set[str]:
        """The names that it uses."""
        return {node.id for node in self._all(ast.Name) if isinstance(node.ctx, ast.Load)}

    @property
    def bound(self) -> set[str]:
        """The names that it may bind."""
        return {name for node in self.nodes for part in ast.walk(node) for name in _bound(part)}

    def _all(self, kind: type[ast.Name]) -> Iterator[ast.Name]:
        nodes = (node for statement in self.nodes for node in ast.walk(statement))
        return (node for node in nodes if isinstance(node, kind))


def parts(migration: Migration, downgrade: Direction) -> list[Part]:
    """The statements of a downgrade without its docstring; those of one line are one part."""
    places = list(downgrade.statements)
    found = []
    for text in statements_of(migration, downgrade.name):
        nodes = ast.parse(text).body
        mine, places = places[: len(nodes)], places[len(nodes) :]
        inside = (o for o in downgrade.operations if any(within(o.statement, p) for p in mine))
        found.append(Part(_without_own(text), tuple(nodes), tuple(inside)))
    if downgrade.docstring is not None and found and len(found[0].nodes) == 1:
        return found[1:]  # it stays where it is
    return found


def _without_own(text: str) -> str:
    """A statement without the comments above it that the scaffold writes."""
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    above = [x for x in lines[:first] if not x.startswith(OWN_COMMENTS) and not is_quoted(x)]
    return "\n".join([*above, *lines[first:]])


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node itself binds."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, _NAMED):
        yield from filter(None, [node.name])
    elif isinstance(node, ast.MatchMapping):
        yield from filter(None, [node.rest])


# What has no effect of its own


def does_nothing(part: Part) -> bool:
    """Whether it is `pass` or a mere string."""
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in part.nodes
    )


def only_binds(part: Part, migration: Migration) -> bool:
    """Whether it does nothing but give names to something, for others to use."""
    known = {name for name, _ in bound_names(migration.imports)} | set(dir(builtins))
    return not part.operations and all(_binds(node, known) for node in part.nodes)


def _binds(node: ast.stmt, known: set[str]) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, *_DEFINITIONS)):
        return not getattr(node, "decorator_list", ())
    if not _assigns_names(node):
        return False
    calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    # A function of the migration's own may refuse to go on.
    return all(not isinstance(func, ast.Name) or func.id in known for func in calls)


def _assigns_names(node: ast.stmt) -> bool:
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name)
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [*targets, *(e for t in targets if isinstance(t, ast.Tuple) for e in t.elts)]
    return bool(targets) and all(isinstance(each, ast.Name | ast.Tuple) for each in names)


def says_the_same_anywhere(part: Part) -> bool:
    """Whether what it binds does not depend on where it stands: no database is asked for it."""
    if part.operations:
        return False
    for node in part.nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if not _assigns_names(node):
            return False
        calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
        if not all(getattr(func, "attr", getattr(func, "id", "")) in _NAMES_ONLY for func in calls):
            return False
    return True


# What only changes the schema

Done = frozenset[tuple[object, ...]]


def done_by(others: Iterable[Part]) -> Done:
    """What statements change of the schema, and under which conditions."""
    operations = (operation for part in others for operation in part.operations)
    return frozenset(
        (operation.guards, *about(change))
        for operation in operations
        for change in operation.changes
    )


def is_plain(part: Part, migration: Migration, done: Done, *, complete: bool) -> bool:
    """Whether it does nothing but change the schema, as the new statements do it.

    Those that are `complete` restore the whole schema, whatever it was that this one changed.
    """
    if not part.operations or not all(map(_only_calls, part.nodes)):
        return False
    return all(
        _is_of_schema(operation, migration)
        and all(
            (operation.guards, *about(change)) in done or (complete and not operation.guards)
            for change in operation.changes
        )
        for operation in part.operations
    )


def _only_calls(node: ast.stmt) -> bool:
    """Whether a statement is a call, or a block of nothing but calls."""
    if isinstance(node, ast.Expr | ast.Assign):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.With):
        calls = [item.context_expr for item in node.items]
        blocks = all(
            isinstance(call, ast.Call) and getattr(call.func, "attr", "") in _BLOCKS
            for call in calls
        )
        return blocks and all(map(_only_calls, node.body))
    if isinstance(node, ast.If | ast.For):
        return all(map(_only_calls, [*node.body, *node.orelse]))
    return isinstance(node, ast.Pass)


def _is_of_schema(operation: Operation, migration: Migration) -> bool:
    rows = (c.WriteRows, c.Unknown)
    if not operation.changes or any(isinstance(change, rows) for change in operation.changes):
        return False
    if operation.sql and len(spoken(operation.sql)) != 1:
        return False  # not all of its statements may be among the changes
    enums = (c.CreateEnum, c.DropEnum)
    own = receiver(migration, operation) is not None
    return own or all(isinstance(change, enums) for change in operation.changes)


def about(change: c.Change) -> tuple[object, ...]:
    """What a change of the schema is, however it is written."""
    name = getattr(change, "column", None) or getattr(change, "name", None)
    if isinstance(change, c.AddColumn):
        name = change.column.name
    if isinstance(change, c.CreateIndex):
        name = change.index.name
    if isinstance(change, c.AddConstraint):
        name = change.constraint.name
    if isinstance(change, c.CreateEnum):
        name = change.enum.name
    return (type(change), c.tables_of(change), name)


def bindings_of(names: set[str], present: Sequence[Part]) -> list[int] | None:
    """The statements that bind names; None where they bind other things elsewhere."""
    found: dict[int, None] = {}
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        binding = [number for number, part in enumerate(present) if name in part.bound]
        if len(binding) > 1 or not all(says_the_same_anywhere(present[at]) for at in binding):
            return None
        for at in binding:
            if at not in found:
                found[at] = None
                waiting |= present[at].names
    return sorted(found)
