"""The top-level statements of a downgrade, and what each of them is for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.editing import statements_of
from alembic_roundtrip.migration.imports import bound_names
from alembic_roundtrip.migration.layout import OWN_COMMENTS
from alembic_roundtrip.migration.model import Direction, Migration, Operation
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.migration.sql import fits_values
from alembic_roundtrip.migration.sql.words import spoken
from alembic_roundtrip.scaffold.edits import receiver
from alembic_roundtrip.scaffold.told import is_quoted
from alembic_roundtrip.text import within

_BLOCKS = ("batch_alter_table", "autocommit_block")
_DROPS = (c.DropTable, c.DropColumn, c.DropIndex, c.DropConstraint, c.DropEnum, c.DropObject)
_NAMES_ONLY = frozenset({"table", "column", "text", "get_bind"})
"""Calls that ask no database for anything: what they bind can stand anywhere."""

_LIBRARIES = frozenset({"sqlalchemy", "alembic"})
_PURE = frozenset(
    "bool dict enumerate float frozenset int isinstance len list range set str tuple zip".split()
)
"""Builtins that do nothing but make a value."""
_CALLS_OTHERS = frozenset(
    "Session invoke listen listens_for run_async run_callable run_sync scoped_session "
    "sessionmaker".split()
)
"""What of the libraries calls functions that it is given, or writes rows at another time."""

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


def only_bind(present: Sequence[Part], migration: Migration) -> frozenset[int]:
    """Which of them do nothing but give names to something, for others to use."""
    trusted = _of_libraries(migration.imports)
    found = set()
    for number, part in enumerate(present):
        binds = [_binds(node, trusted) for node in part.nodes]
        if all(binds) and not part.operations:
            found.add(number)
    return frozenset(found)


def _of_libraries(imports: Iterable[str]) -> set[str]:
    """The names that stand for something of SQLAlchemy or Alembic."""
    return {
        name.partition(".")[0]
        for name, target in bound_names(imports)
        if target.partition(".")[0] in _LIBRARIES
    }


def _binds(node: ast.stmt, trusted: set[str]) -> bool:
    """Whether it only binds names; what libraries have made is `trusted` from there on."""
    imports = isinstance(node, ast.Import | ast.ImportFrom)
    defines = isinstance(node, _DEFINITIONS)
    bound = {name for each in ast.walk(node) for name in _bound(each)}
    if not (imports or defines or _assigns_names(node)) or _is_decorated(node):
        trusted -= bound
        return False
    # The body of a function does not run here; that of a class does.
    run = node.args if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else node
    known = trusted | _elements(run, trusted)
    # Any other function may write rows, or refuse to go on.
    harmless = all(_is_harmless(each, known) for each in ast.walk(run) if _is_call(each))
    made = isinstance(node, ast.Assign | ast.AnnAssign) and _root(node.value) in trusted
    trusted -= bound
    if harmless:
        trusted |= _of_libraries([ast.unparse(node)]) if imports else bound if made else set()
    return harmless


def _is_decorated(node: ast.stmt) -> bool:
    return isinstance(node, _DEFINITIONS) and bool(node.decorator_list)


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call)


def _is_harmless(node: ast.AST, trusted: set[str]) -> bool:
    """Whether a call is one of a library's, or of what that has made, or a pure builtin."""
    func = node.func if isinstance(node, ast.Call) else node
    if isinstance(func, ast.Attribute) and func.attr in _CALLS_OTHERS:
        return False
    if isinstance(func, ast.Name) and func.id in _CALLS_OTHERS:
        return False
    return _root(func) in {*trusted, *_PURE, ""}


def _root(node: ast.AST | None) -> str | None:
    """The name that a chain of attributes and calls starts at; empty where that is a literal."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Constant | ast.JoinedStr):
        return ""
    return node.id if isinstance(node, ast.Name) else None


def _elements(node: ast.AST, trusted: set[str]) -> set[str]:
    """What comprehensions call the elements of what is trusted."""
    return {
        name
        for each in ast.walk(node)
        if isinstance(each, ast.comprehension) and _root(each.iter) in trusted
        for part in ast.walk(each.target)
        for name in _bound(part)
    }


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
        (operation.guards, _manner(operation, change), *about(change))
        for operation in operations
        for change in operation.changes
    )


def is_plain(part: Part, migration: Migration, done: Done, *, complete: bool) -> bool:
    """Whether it does nothing but change the schema, as the new statements do it.

    Those that are `complete` restore the whole schema, whatever it was that this one dropped or
    altered. Nothing stands for what makes something else, which may be there to keep rows.
    """
    if not part.operations or not all(map(_only_calls, part.nodes)):
        return False
    return all(
        _is_of_schema(operation, migration)
        and all(
            (operation.guards, _manner(operation, change), *about(change)) in done
            or (complete and not operation.guards and _only_drops_or_alters(operation, change))
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


def _only_drops_or_alters(operation: Operation, change: c.Change) -> bool:
    if any(_manner(operation, change)):
        return False
    if isinstance(change, c.AlterColumn):
        return option(change.options, "new_column_name") is None
    return isinstance(change, _DROPS)


def _manner(operation: Operation, change: c.Change) -> tuple[object, ...]:
    """What matters of how it is done: outside of a transaction, or with values that it computes."""
    using = (
        option(change.options, "postgresql_using") if isinstance(change, c.AlterColumn) else None
    )
    computes = using is not None and (using.sql is None or fits_values(using.sql, "postgresql"))
    concurrently = operation.says("CONCURRENTLY") or any(
        name == "postgresql_concurrently" and given.value is not False
        for name, given in operation.arguments
    )
    return operation.autocommit, concurrently, using.text if using and computes else None


def _is_of_schema(operation: Operation, migration: Migration) -> bool:
    rows = (c.WriteRows, c.Unknown)
    if not operation.changes or any(isinstance(change, rows) for change in operation.changes):
        return False
    if operation.sql and len(spoken(operation.sql)) != 1:
        return False  # not all of its statements may be among the changes
    copies = operation.says("SELECT") or operation.says("AS", "TABLE")
    if copies and any(isinstance(change, c.CreateTable) for change in operation.changes):
        return False  # the rows come with it
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
    new_name = getattr(change, "new_name", None)
    if isinstance(change, c.AlterColumn):
        new = option(change.options, "new_column_name")
        new_name = new and (new.string or new.text)
    return (type(change), c.tables_of(change), name, new_name)


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
