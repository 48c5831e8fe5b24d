"""The types migrations declared: SQLite gives back `VARCHAR` for an enum, `JSON` as text."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from alembic.operations import Operations, ops
from sqlalchemy import Table, event
from sqlalchemy.types import TypeEngine

Types = Dict[Tuple[str, str], TypeEngine[Any]]
_REBUILT = "_alembic_tmp_"


class Declared:
    """Remembers, while switched on, the type of every column that operations declare."""

    def __init__(self) -> None:
        self.types: Types = {}
        self.listening = False
        event.listen(Table, "after_create", self._created)
        owner: Any = next(c for c in Operations.__mro__ if "invoke" in vars(c))
        original = owner.invoke

        def invoke(operations: Any, operation: Any) -> Any:
            result = original(operations, operation)
            if self.listening:
                self._note(operation)
            return result

        owner.invoke = invoke

    def _created(self, table: Any, *_arguments: Any, **_options: Any) -> None:
        if self.listening and not table.name.startswith(_REBUILT):
            for column in table.columns:
                self.types[table.name, column.name] = column.type

    def _note(self, operation: Any) -> None:
        if isinstance(operation, ops.AddColumnOp):
            column = operation.column
            self.types[operation.table_name, column.name] = column.type
        elif isinstance(operation, ops.AlterColumnOp):
            self._altered(operation)
        elif isinstance(operation, ops.RenameTableOp):
            for key in [key for key in self.types if key[0] == operation.table_name]:
                self.types[operation.new_table_name, key[1]] = self.types.pop(key)

    def _altered(self, operation: Any) -> None:
        old = operation.table_name, operation.column_name
        new = operation.table_name, operation.modify_name or operation.column_name
        if operation.modify_type is not None:
            from sqlalchemy.types import to_instance

            self.types.pop(old, None)
            self.types[new] = to_instance(operation.modify_type)
        elif old in self.types:
            self.types[new] = self.types.pop(old)
