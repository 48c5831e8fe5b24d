"""What an upgrade makes or drops only where that is needed, and how a downgrade asks the same."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from types import MappingProxyType

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import GuardKind, Migration, Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.migration.syntax import parse
from alembic_roundtrip.scaffold.step import Step
from alembic_roundtrip.schema import Schema

_ASKED = MappingProxyType(
    {"unique": "get_unique_constraints", "foreignkey": "get_foreign_keys"}
    | {"check": "get_check_constraints"}
)
_MAKES = c.CreateTable | c.AddColumn | c.CreateIndex | c.AddConstraint | c.CreateObject
_CERTAIN = frozenset({GuardKind.DIALECT, GuardKind.ENGINE, GuardKind.EXISTENCE})
_PASSED_ONCE = _CERTAIN | {GuardKind.OTHER}
_COMMON = frozenset({"op", "sa", "bind", "conn", "connection", "inspector", "insp", "sqlalchemy"})
"""Names that a condition and a call may share without being about the same thing."""


class Existence:
    """The conditions of an upgrade that ask whether something exists."""

    def __init__(self, migration: Migration, steps: Iterable[Step], render: Renderer) -> None:
        self._migration = migration
        self._render = render
        self._asked: dict[int, tuple[ast.expr, Step]] = {}
        """By step: the condition that it stands in, and the first step in that."""
        conditions = [
            node for node in ast.walk(parse(migration.source).tree) if isinstance(node, ast.If)
        ]
        begun: dict[int, list[Step]] = {}
        self._touched: Counter[object] = Counter()
        """How many steps are about one thing."""
        self._renamed: set[str] = set()
        """The names that something gets which had another one."""
        self._doubtful = False
        """Whether something is done under a condition that is not known."""
        for step in steps:
            self._touched[_thing(step.change)] += 1
            self._renamed.update(_new_names(step.change))
            unread = isinstance(step.change, c.Unknown) and step.operation.conditional
            self._doubtful = self._doubtful or unread
            test = _condition(step.operation, conditions) if _asks(step.operation) else None
            if test is not None:
                group = begun.setdefault(id(test), [])
                if group and step.operation.range < group[-1].operation.range:
                    group.clear()
                elif group and step.operation.range == group[-1].operation.range:
                    # Once more in a loop, or one more change of the same call.
                    again = step.operation is not group[-1].operation
                    group[:] = [] if again else group
                group.append(step)
                self._asked[id(step)] = (test, group[0])

    def undone(self, step: Step) -> bool:
        """Whether the upgrade finds that there is nothing for this step to do."""
        if step.operation.conditional:
            first = self._first(step)
            return first is not None and _known(first) == _MADE
        return _if_needed(step) and _known(step) == _MADE

    def unclear(self, step: Step) -> bool:
        """Whether a step depends on a condition that a downgrade cannot be held to."""
        if step.operation.conditional:
            return self.question(step) is None
        return _if_needed(step) and _known(step) is None

    def question(self, step: Step) -> str | None:
        """The condition under which there is something to undo; None where there is none."""
        first = self._first(step) or self._alone(step)
        if first is None or _known(first) != _TO_DO:
            return None
        found = _there(first.change, self._render)
        if found is None:
            return None
        try:
            self._render.need("import sqlalchemy as sa")
        except NotKnownError:
            return None
        thing, collection = found
        if not collection:
            return thing if isinstance(first.change, _MAKES) else f"not {thing}"
        return f"{thing} {'in' if isinstance(first.change, _MAKES) else 'not in'} {collection}"

    def _first(self, step: Step) -> Step | None:
        """The first of the steps under a condition, where that is what it asks for."""
        if id(step) not in self._asked:
            return None
        test, first = self._asked[id(step)]
        return first if self._is_about(test, first) else None

    def _alone(self, step: Step) -> Step | None:
        """A step under any condition whose own effect tells whether the upgrade came to it."""
        told = {guard.kind for guard in step.operation.guards} <= _PASSED_ONCE
        table = _table_of(step.change)
        # What is there under that name may be what another branch has renamed.
        names = {_own_name(step.change), table.name if table is not None else None}
        if not told or self._doubtful or not self._renamed.isdisjoint(names):
            return None
        return step if self._touched[_thing(step.change)] == 1 else None

    def _is_about(self, test: ast.expr, step: Step) -> bool:
        words = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)} - _COMMON
        words |= {
            node.value
            for node in ast.walk(test)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        code = self._migration.source.slice(step.operation.range)
        return _own_name(step.change) in words or bool(words & set(re.findall(r"\w+", code)))


def _thing(change: c.Change) -> object:
    """What a change is about; None where that is none of what can be asked for."""
    own = _own_name(change)
    return None if own is None else (_table_of(change), own)


def _new_names(change: c.Change) -> Iterator[str]:
    """What a change gives another name to is called then."""
    if isinstance(change, c.RenameTable | c.RenameIndex | c.RenameConstraint):
        yield change.new_name
    elif isinstance(change, c.AlterColumn):
        new_name = option(change.options, "new_column_name")
        if new_name is not None and new_name.string:
            yield new_name.string


def _asks(operation: Operation) -> bool:
    """Whether existence is all that an operation depends on."""
    kinds = {guard.kind for guard in operation.guards}
    return GuardKind.EXISTENCE in kinds and kinds <= _CERTAIN


_MADE, _TO_DO = "made", "to do"


def _known(step: Step) -> str | None:
    """Whether a step finds something to do, by the schema it meets; None if unknown."""
    change, before = step.change, step.before
    there = _is_there(change, before, step.made)
    if there is None:
        return None
    return _MADE if there == isinstance(change, _MAKES) else _TO_DO


def _is_there(change: c.Change, before: Schema, made: Iterable[Name]) -> bool | None:
    """Whether what a change is about is there before it; None where that is not known."""
    if isinstance(change, c.CreateTable | c.DropTable):
        name = change.table.name if isinstance(change, c.CreateTable) else change.table
        return True if name in before.tables else None if before.opaque else False
    if isinstance(change, c.CreateObject | c.DropObject):
        key = (change.kind, change.name)
        return True if key in before.objects else None if before.opaque else False
    table, own = _table_of(change), _own_name(change)
    found = before.table(table) if table is not None else None
    if table is None or found is None or not (before.knows(table) or table in made):
        return None
    if isinstance(change, c.AddColumn | c.DropColumn):
        return own is not None and found.column(own) is not None
    if isinstance(change, c.CreateIndex | c.DropIndex):
        return any(index.name == own for index in found.indexes)
    return any(part.is_known_as(own) for part in found.constraints)


def _table_of(change: c.Change) -> Name | None:
    """The table that a change makes or drops a part of."""
    if isinstance(change, c.CreateIndex):
        return change.index.table
    parts = c.AddColumn | c.DropColumn | c.DropIndex | c.AddConstraint | c.DropConstraint
    return change.table if isinstance(change, parts) else None


def _own_name(change: c.Change) -> str | None:
    if isinstance(change, c.CreateTable):
        return change.table.name.name
    if isinstance(change, c.CreateIndex):
        return change.index.name
    if isinstance(change, c.AddConstraint):
        return change.constraint.name
    if isinstance(change, c.AddColumn):
        return change.column.name
    if isinstance(change, c.DropColumn):
        return change.column
    if isinstance(change, c.DropTable):
        return change.table.name
    name = getattr(change, "name", None)
    return name.name if isinstance(name, Name) else name


def _there(change: c.Change, render: Renderer) -> tuple[str, str] | None:
    """What to look for and where, as Python; the second is empty where the first is a question."""
    inspector = "sa.inspect(op.get_bind())"
    if isinstance(change, c.CreateTable | c.DropTable):
        name = change.table.name if isinstance(change, c.CreateTable) else change.table
        said = ", ".join([render.text(name.name), *render.schema(name)])
        return f"{inspector}.has_table({said})", ""
    own, table, word = _own_name(change), _table_of(change), "constraint"
    if isinstance(change, c.AddColumn | c.DropColumn):
        word, method = "column", "get_columns"
    elif isinstance(change, c.CreateIndex | c.DropIndex):
        word, method = "index", "get_indexes"
    elif isinstance(change, c.AddConstraint | c.DropConstraint):
        kind = change.constraint.kind if isinstance(change, c.AddConstraint) else change.kind
        method = _ASKED.get(kind or "", "")
    else:
        return None
    if own is None or table is None or not method:
        return None
    said = ", ".join([render.text(table.name), *render.schema(table)])
    named = f"{word[0]}[{render.text('name')}]"
    return render.text(own), f"[{named} for {word[0]} in {inspector}.{method}({said})]"


def _condition(operation: Operation, conditions: Iterable[ast.If]) -> ast.expr | None:
    """The test of the innermost condition that an operation stands in; None where it is in none."""
    line = operation.statement.start.line
    inside = [node for node in conditions if node.body[0].lineno <= line <= (node.end_lineno or 0)]
    return max(inside, key=lambda node: node.lineno).test if inside else None


def _if_needed(step: Step) -> bool:
    """Whether the statement itself does nothing where there is nothing to do."""
    change = step.change
    if isinstance(change, c.CreateTable | c.CreateIndex | c.AddColumn):
        return change.if_not_exists
    shared = isinstance(change, c.CreateObject) and change.kind != "extension"
    return shared and step.operation.says("IF", "NOT", "EXISTS")
