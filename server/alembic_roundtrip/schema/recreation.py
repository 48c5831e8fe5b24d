"""What Alembic's batch mode makes of a table on SQLite: a new one, from what reflection saw."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.model import Batch, Operation
from alembic_roundtrip.migration.naming import name_of
from alembic_roundtrip.migration.objects import Index, Table, option

_IN_PLACE = frozenset({"create_index", "drop_index"})
_PLAIN = re.compile(r"(\w+)(\s+COLLATE\s+\w+)?(\s+(ASC|DESC))?", re.IGNORECASE)
_UNREAD = frozenset({"copy_from", "table_args", "table_kwargs", "reflect_args", "reflect_kwargs"})
"""Arguments of `batch_alter_table` that say more of the new table than is read of them."""


class Recreation(NamedTuple):
    """The block that makes a table anew, None for an operation that stands in no such block."""

    batch: Batch | None
    begins: bool = False


_NONE = Recreation(None)


def with_recreations(
    operations: Sequence[Operation], dialect: str | None
) -> Iterable[tuple[Operation, Recreation]]:
    """Operations in order, and whether each stands in a block that makes a table anew."""
    if all(operation.batch is None for operation in operations):
        return [(operation, _NONE) for operation in operations]
    return _in_blocks(operations, dialect)


def _in_blocks(
    operations: Iterable[Operation], dialect: str | None
) -> Iterator[tuple[Operation, Recreation]]:
    for batch, group in groupby(operations, key=lambda operation: operation.batch):
        block = list(group)
        if batch is None or not is_recreated(batch, block, dialect):
            yield from ((operation, _NONE) for operation in block)
        else:
            for number, operation in enumerate(block):
                yield operation, Recreation(batch, begins=number == 0)


def is_recreated(batch: Batch, operations: Sequence[Operation], dialect: str | None) -> bool:
    """Whether a block of these operations makes its table anew."""
    asked = option(batch.options, "recreate")
    if asked is not None and asked.value in {"always", "never"}:
        return bool(asked.value == "always")
    return dialect == "sqlite" and not all(_is_in_place(operation) for operation in operations)


def _is_in_place(operation: Operation) -> bool:
    if operation.name in _IN_PLACE:
        return True
    adds = [change for change in operation.changes if isinstance(change, c.AddColumn)]
    return operation.name == "add_column" and all(_is_added_in_place(change) for change in adds)


def _is_added_in_place(change: c.AddColumn) -> bool:
    default = option(change.column.options, "server_default")
    plain = default is None or default.value is None or isinstance(default.value, str)
    stored = any("persisted=True" in argument.text for argument in change.column.arguments)
    return plain and not stored and not change.constraints


def is_read(batch: Batch) -> bool:
    """Whether the new table follows from the old one and the operations."""
    return not any(
        name in _UNREAD and value.value not in {None, ()} and value.text not in {"()", "{}", "[]"}
        for name, value in batch.options
    )


def recreated(table: Table, batch: Batch) -> Table:
    """A table as it is made anew, before the operations of the block.

    A CHECK without a name is left out, and so is an index on an expression: it is not reflected.
    Foreign keys are written behind the columns.
    """
    convention = _convention(option(batch.options, "naming_convention"))
    kept = (part for part in table.constraints if part.kind != "check" or part.name)
    constraints = tuple(
        replace(part, name=part.name or name_of(part, table.name, convention), at_column=False)
        if part.name is None or part.at_column
        else part
        for part in kept
    )
    indexes = tuple(plain for index in table.indexes if (plain := reflected(index)) is not None)
    return replace(table, constraints=constraints, indexes=indexes)


def _convention(given: Expression | None) -> Mapping[str, str]:
    try:
        found = ast.literal_eval(given.text) if given is not None else {}
    except (ValueError, SyntaxError):
        return {}
    return found if isinstance(found, dict) else {}


def reflected(index: Index) -> Index | None:
    """An index as SQLAlchemy's inspector sees it: of a direction or collation nothing is left."""
    columns: list[Expression] = []
    for part in index.columns:
        name = part.string or _column_of(part.text)
        if name is None:
            return None
        columns.append(part if part.string else Expression(repr(name), name))
    return index if tuple(columns) == index.columns else replace(index, columns=tuple(columns))


def _column_of(text: str) -> str | None:
    """The column of `text("name COLLATE nocase DESC")`; None for any other expression."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return None
    argument = node.args[0]
    if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
        return None
    plain = _PLAIN.fullmatch(argument.value.strip())
    return plain[1] if plain else None
