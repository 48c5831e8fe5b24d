"""Statements that do nothing but change the schema, and whether others do the same."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.migration.sql import fits_values
from alembic_roundtrip.migration.sql.words import spoken
from alembic_roundtrip.scaffold.edits import receiver
from alembic_roundtrip.scaffold.parts import Part

_BLOCKS = ("batch_alter_table", "autocommit_block")
_DROPS = (c.DropTable, c.DropColumn, c.DropIndex, c.DropConstraint, c.DropEnum, c.DropObject)

What = tuple[object, ...]
"""What a change of the schema is, however it is written."""
Done = frozenset[tuple[object, ...]]
"""Changes with how they are made, and under which conditions."""


def done_by(others: Iterable[Part]) -> Done:
    """What statements change of the schema, and under which conditions."""
    operations = (operation for part in others for operation in part.operations)
    return frozenset(
        (operation.guards, _manner(operation, change), *what)
        for operation in operations
        for change in operation.changes
        for what in answers(change)
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


def about(change: c.Change) -> What:
    """What a change is: by the name of what it is about, or of which kind that is."""
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
    if name is None and isinstance(change, c.AddConstraint | c.DropConstraint):
        return next(_unnamed(change))
    return (type(change), c.tables_of(change), name, new_name)


def answers(change: c.Change) -> set[What]:
    """All that a change is known to be: a constraint may be asked for without its name."""
    constraint = isinstance(change, c.AddConstraint | c.DropConstraint)
    return {about(change), *(_unnamed(change) if constraint else ())}


def _unnamed(change: c.Change) -> Iterator[What]:
    if isinstance(change, c.AddConstraint):
        part = change.constraint
        yield (type(change), change.table, part.kind, part.columns, part.referent)
    elif isinstance(change, c.DropConstraint):
        yield (type(change), change.table, change.kind)
        yield (type(change), change.table, None)
