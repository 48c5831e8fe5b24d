"""Operations that Alembic's autogenerate renders, and what it can render but does not compare."""

from __future__ import annotations

import copy
from typing import Any, Callable, Iterator, List, Optional, Sequence, Set, Tuple

from alembic.autogenerate import produce_migrations, render_op_text
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import Column
from sqlalchemy.sql.elements import conv

from ..project.declared import Types
from ..schema.tables import Snapshot, Table
from .marks import against, marks, shrunk_key
from .statement import Statement

_POSTGRESQL = "from sqlalchemy.dialects import postgresql"
_BATCH_ONLY = ("sqlite",)
"""Dialects whose tables change in batch mode only."""


class Autogenerate:
    """Renders what leads from the database as it is to the tables of a `MetaData`.

    env.py's options for rendering count: `render_item`, the prefixes, `render_as_batch`, a naming
    convention. Its filters do not: they say what models and database need not have in common, but
    what a migration changed has to come back.
    """

    def __init__(
        self, context: MigrationContext, parent: MetaData, declared: Types, *, batch: bool = True
    ) -> None:
        self._context = context
        self._parent = parent
        self._before = self._now = Snapshot()
        self._own = context
        self._declared = declared
        self._dialect = context.dialect
        asked = context.opts.get("render_as_batch")
        self._batch = batch and (context.dialect.name in _BATCH_ONLY or bool(asked))
        self._final = _has_convention(context.opts.get("target_metadata"))

    def statements(self, before: Snapshot, now: Snapshot) -> List[Statement]:
        """The statements that make tables that changed what they were."""
        self._before, self._now = before, now
        wanted = {_lower(name) for name in changed(before, now)}
        default = inspect(self._context.connection).default_schema_name

        def key(name: Optional[str], schema: Optional[str]) -> str:
            return _lower(name if schema in (None, default) else f"{schema}.{name}")

        def include_name(name: Optional[str], kind: str, parents: Any) -> bool:
            if kind == "schema":
                return name is None or any(w.startswith(f"{_lower(name)}.") for w in wanted)
            return kind != "table" or key(name, parents.get("schema_name")) in wanted

        def include_object(item: Any, name: Any, kind: str, *_rest: Any) -> bool:
            return kind != "table" or key(name, item.schema) in wanted

        options = {
            **self._context.opts,
            "target_metadata": self._parent,
            "include_name": include_name,
            "include_object": include_object,
            "include_schemas": any("." in name for name in wanted),
            "compare_type": True,
            "compare_server_default": True,
            "render_item": self._render_item,
        }
        own = MigrationContext.configure(connection=self._context.connection, opts=options)
        self._own = own
        script = produce_migrations(own, self._parent)
        found: List[Statement] = []
        assert script.upgrade_ops is not None
        for operation in script.upgrade_ops.ops:
            if not type(operation).__module__.startswith("alembic."):
                continue  # an extension's, which compares with models and not with the parent
            found.extend(self._rendered(operation, own))
        return found

    def keys(self, before: Snapshot, now: Snapshot) -> Iterator[Statement]:
        """Primary keys, which autogenerate does not compare."""
        for name, was in before.tables.items():
            there = now.tables.get(name)
            if there is None or there.key == was.key or not self._has(was):
                continue
            yield Statement("\n".join(self._key(was, there)), [], [shrunk_key(name, was.key)])

    def _key(self, was: Table, there: Table) -> Iterator[str]:
        table, schema = was.bare or was.name, was.schema if was.name != was.bare else ""
        where = [] if self._batch else [repr(table)]
        options = [f"schema={schema!r}"] if schema not in ("", "public") else []
        target, indent = ("batch_op", "    ") if self._batch else ("op", "")
        if self._batch:
            yield f"with op.batch_alter_table({', '.join([repr(table), *options])}) as batch_op:"
            options = []
        if there.key and there.key_name:
            parts = [repr(there.key_name), *where, "type_='primary'", *options]
            yield f"{indent}{target}.drop_constraint({', '.join(parts)})"
        if was.key:
            name = was.key_name or f"{table}_pkey"
            parts = [repr(name), *where, repr(list(was.key)), *options]
            yield f"{indent}{target}.create_primary_key({', '.join(parts)})"

    def anew(self, before: Snapshot, now: Snapshot) -> Iterator[Statement]:
        """Tables of SQLite made anew from their definition: for all that no operation changes."""
        for name, was in before.tables.items() if self._dialect.name == "sqlite" else ():
            there = now.tables.get(name)
            if there is None or there == was or not self._has(was):
                continue
            table = self._table(was)
            made = self._statement(ops.CreateTableOp.from_table(table), self._own, batch=False)
            definition = made.text.replace("op.create_table(", "sa.Table(", 1)
            head, _, rest = definition.partition(",\n")
            definition = f"{head}, sa.MetaData(),\n{rest}"
            text = (
                f"with op.batch_alter_table({was.name!r}, recreate='always', "
                f"copy_from={definition}):\n    pass"
            )
            upgraded = self._now.find(name) or there
            yield Statement(text, made.imports, [*against(was, there, upgraded)])

    def _has(self, table: Table) -> bool:
        return self._table(table) is not None

    def _table(self, table: Table) -> Any:
        tables = self._parent.tables
        return tables.get(table.name, tables.get(table.bare))

    # Operations, in pieces that can stand alone

    def _rendered(self, operation: Any, own: MigrationContext) -> Iterator[Statement]:
        if not isinstance(operation, ops.ModifyTableOps):
            yield self._statement(operation, own, batch=False)
            return
        drops: List[Any] = []
        inner: List[Any] = []
        creates: List[Any] = []
        for part in operation.ops:
            if isinstance(part, ops.DropIndexOp):
                drops.append(part)
            elif isinstance(part, ops.CreateIndexOp):
                creates.append(part)
            else:
                inner.append(part)
        for part in drops:
            yield self._statement(part, own, batch=False)
        for group in _groups(inner, alone=not self._batch, fills=self._numbers_rows):
            if self._batch:
                changes = ops.ModifyTableOps(operation.table_name, group, schema=operation.schema)
                statement = self._statement(changes, own, batch=True)
                # Batch mode cannot copy a table with generated columns, for one.
                statement.otherwise = [self._statement(p, own, batch=False) for p in group]
                if any(isinstance(p, ops.AddColumnOp) and p.column.primary_key for p in group):
                    statement.text += self._key_too(operation)
                yield statement
            else:
                yield self._statement(group[0], own, batch=False)
        for part in creates:
            yield self._statement(part, own, batch=False)

    def _key_too(self, operation: Any) -> str:
        """The lines of a batch block that make a new column the key at once: SQLite numbers it."""
        name = operation.table_name
        path = f"{operation.schema}.{name}" if operation.schema else name
        was, there = self._before.find(path), self._now.find(path)
        if was is None or there is None or was.key == there.key:
            return ""
        _, *lines = self._key(was, there)
        return "".join(f"\n{line}" for line in lines)

    def _numbers_rows(self, column: Any) -> bool:
        """Whether rows that are there get values by themselves: SQLite's row numbers."""
        alone = column.primary_key and len(column.table.primary_key.columns) == 1
        kind = column.type.compile(dialect=self._dialect)
        return bool(self._batch and self._dialect.name == "sqlite" and alone and kind == "INTEGER")

    def _statement(self, operation: Any, own: MigrationContext, *, batch: bool) -> Statement:
        parts = operation.ops if isinstance(operation, ops.ModifyTableOps) else [operation]
        for part in parts:
            self._spell(part)
        options = {**own.opts, "render_as_batch": batch}
        rendering = AutogenContext(own, metadata=self._parent, opts=options)
        text = "\n".join(_indented(render_op_text(rendering, operation)))
        imports = {*rendering.imports, *self._own_imports(parts, text)}
        if "postgresql." in text:
            imports.add(_POSTGRESQL)
        said = [mark for part in parts for mark in marks(part, self._now)]
        return Statement(text, sorted(imports), said)

    # Spelling

    def _spell(self, operation: Any) -> None:
        """Types as the migrations declared them, where the database means the same by it."""
        if isinstance(operation, ops.CreateTableOp):
            for column in operation.columns:
                if isinstance(column, Column):
                    self._spell_column(operation.table_name, column)
        elif isinstance(operation, ops.AddColumnOp):
            self._spell_column(operation.table_name, operation.column)
        elif isinstance(operation, ops.AlterColumnOp):
            where = operation.table_name, operation.column_name
            if operation.modify_type is not None:
                operation.modify_type = self._declared_type(where, operation.modify_type)
            elif operation.existing_type is not None:
                operation.existing_type = self._declared_type(where, operation.existing_type)
        if self._final:
            _make_final(operation)

    def _spell_column(self, table: str, column: Any) -> None:
        column.type = self._declared_type((table, column.name), column.type)
        if column.table is None or column.autoincrement is not column.primary_key:
            return
        if not column.primary_key or len(column.table.primary_key.columns) == 1:
            column.autoincrement = "auto"  # which means the same

    def _declared_type(self, where: Tuple[str, str], reflected: Any) -> Any:
        declared = self._declared.get(where)
        if declared is None or isinstance(reflected, postgresql.ENUM):
            return reflected
        if getattr(declared, "create_constraint", False):
            return reflected  # its CHECK is reflected too
        try:
            same = declared.compile(dialect=self._dialect) == reflected.compile(
                dialect=self._dialect
            )
        except Exception:  # noqa: BLE001 - a type that does not compile is not one to write
            same = type(reflected).__name__ == "NullType"
        return declared if same else reflected

    def _render_item(self, kind: str, item: Any, rendering: Any) -> Any:
        theirs = self._context.opts.get("render_item")
        said = theirs(kind, item, rendering) if theirs is not None else False
        if said is not False or kind != "type" or not isinstance(item, postgresql.ENUM):
            return said
        # The type itself is made, or kept, beside the table.
        rendering.imports.add(_POSTGRESQL)
        return enum_type(item)

    @staticmethod
    def _own_imports(parts: Sequence[Any], text: str) -> Iterator[str]:
        """Modules of types that Alembic names by their module."""
        for part in parts:
            columns = getattr(part, "columns", None) or [getattr(part, "column", None)]
            types = [getattr(column, "type", None) for column in columns]
            types += [getattr(part, "modify_type", None), getattr(part, "existing_type", None)]
            for found in types:
                module = type(found).__module__
                if not module.startswith(("sqlalchemy.", "builtins")) and f"{module}." in text:
                    yield f"import {module}"


def changed(before: Snapshot, now: Snapshot) -> Set[str]:
    """The tables that are not what they were."""
    known = {**before.tables, **now.tables}
    return {name for name in known if before.tables.get(name) != now.tables.get(name)}


def enum_type(item: Any, *, create_type: bool = False) -> str:
    """A PostgreSQL enum type with its members; unless wanted, nothing creates it on the way."""
    parts = [*map(repr, item.enums), f"name={str(item.name)!r}"]
    if item.schema:
        parts.append(f"schema={str(item.schema)!r}")
    if not create_type:
        parts.append("create_type=False")
    return f"postgresql.ENUM({', '.join(parts)})"


def _groups(
    inner: Sequence[Any], *, alone: bool, fills: Callable[[Any], bool]
) -> Iterator[List[Any]]:
    """What goes into one statement; a required column is added, filled, and then required."""
    together: List[Any] = []
    later: List[Any] = []
    for part in inner:
        pieces = [part]
        if isinstance(part, ops.AddColumnOp) and _needs_values(part.column, fills):
            pieces = list(_in_two(part))
        if alone:
            yield from ([piece] for piece in pieces)
        else:
            together.append(pieces[0])
            later.extend(pieces[1:])
    if together:
        yield together
    if later:
        yield later


def _needs_values(column: Any, fills: Callable[[Any], bool]) -> bool:
    empty = column.server_default is None and column.computed is None and column.identity is None
    return not column.nullable and empty and not fills(column)


def _in_two(part: Any) -> Iterator[Any]:
    column = copy.copy(part.column)
    added = part.column
    added.nullable = True
    yield part
    alter: Any = ops.AlterColumnOp(
        part.table_name,
        column.name,
        schema=part.schema,
        existing_type=column.type,
        existing_nullable=True,
        modify_nullable=False,
    )
    alter.fills = True
    yield alter


def _make_final(operation: Any) -> None:
    """A name in the database is no longer one to apply a naming convention to."""
    for attribute in ("constraint_name", "index_name"):
        name = getattr(operation, attribute, None)
        if isinstance(name, str):
            setattr(operation, attribute, conv(name))
    for part in getattr(operation, "columns", ()) or ():
        name = getattr(part, "name", None)
        if not isinstance(part, (Column, str)) and isinstance(name, str):
            part.name = conv(name)


def _has_convention(target: Any) -> bool:
    every = target if isinstance(target, (list, tuple)) else [target]
    return any(set(getattr(each, "naming_convention", None) or ()) - {"ix"} for each in every)


def _indented(text: str) -> Iterator[str]:
    """Alembic gives the lines of a batch block flat: its template indents them."""
    inside = False
    for line in text.splitlines():
        if line.startswith("with op.batch_alter_table("):
            inside = True
            yield line.replace(", schema=None)", ")")
        elif line or not inside:
            yield f"    {line}" if inside else line


def _lower(name: Optional[str]) -> str:
    return (name or "").lower()
