"""SQLAlchemy's constructs as a migration writes them: columns, constraints, types, statements."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from alembic_roundtrip.migration.changes import Change, Row, Unknown, WriteRows
from alembic_roundtrip.migration.evaluation import Scope
from alembic_roundtrip.migration.expression import UNKNOWN, Expression, literal
from alembic_roundtrip.migration.iteration import items_of, spread
from alembic_roundtrip.migration.literals import dotted, nulls_asked_of, value_of
from alembic_roundtrip.migration.objects import (
    Column,
    Constraint,
    ConstraintKind,
    EnumType,
    Index,
    Name,
    Options,
    Table,
    option,
    without,
)
from alembic_roundtrip.migration.sql.words import statements

_KINDS: dict[str, ConstraintKind] = {
    "PrimaryKeyConstraint": "primary",
    "UniqueConstraint": "unique",
    "CheckConstraint": "check",
    "ForeignKeyConstraint": "foreignkey",
    "ExcludeConstraint": "exclude",
}
_NAME_AT: dict[ConstraintKind, int] = {"check": 1, "foreignkey": 2}
"""Where a name may stand among the positional arguments."""
_ENUMS = frozenset({"Enum", "ENUM"})
_ARGUMENTS = frozenset(
    {"ForeignKey", "CheckConstraint", "Identity", "Computed", "Sequence", "DefaultClause"}
)
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_LITERALS = frozenset({"inline_literal", "literal"})
_WRITES = frozenset({"insert", "update", "delete"})

ColumnParts = tuple[Column, tuple[EnumType, ...], tuple[Constraint, ...], tuple[Index, ...]]


@dataclass(frozen=True, slots=True)
class Definitions:
    """Reads definitions with the names of a scope."""

    scope: Scope

    def table(
        self, name: Name, nodes: tuple[ast.expr, ...], options: Options, *, complete: bool
    ) -> tuple[Table, tuple[EnumType, ...]]:
        """A table of these columns and constraints, and the enum types it brings."""
        columns: list[Column] = []
        enums: list[EnumType] = []
        constraints: list[Constraint] = []
        indexes: list[Index] = []
        for node in nodes:
            read = self.column(node, name)
            if read is not None:
                columns.append(read[0])
                enums += read[1]
                constraints += read[2]
                indexes += read[3]
            elif (constraint := self.constraint(node)) is not None:
                constraints.append(constraint)
            elif (index := self.index(node, name)) is not None:
                indexes.append(index)
            else:
                complete = False
        primary = {c for part in constraints if part.kind == "primary" for c in part.columns}
        for at, column in enumerate(columns if primary else ()):
            if column.name in primary and option(column.options, "nullable") is None:
                columns[at] = replace(column, nullable=False)
        parts = _with_one_key(constraints)
        table = Table(name, tuple(columns), parts, tuple(indexes), options, complete)
        return table, tuple(enums)

    def column(self, node: ast.expr, table: Name) -> ColumnParts | None:
        """A column and what comes with it; None where the node is no `Column(…)`."""
        node = self._resolved(node)
        if not isinstance(node, ast.Call) or last(node.func) != "Column":
            return None
        starred = any(isinstance(part, ast.Starred) for part in node.args)
        if starred or any(keyword.arg is None for keyword in node.keywords):
            return None  # what is behind the stars may be anything
        express = self.scope.expression
        positional = list(node.args)
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        name_node = given.get("name") or (positional.pop(0) if positional else None)
        name = value_of(name_node) if name_node is not None else UNKNOWN
        if not isinstance(name, str):
            return None
        type_node = given.get("type_")
        if type_node is None and positional and not self._is_argument(positional[0]):
            type_node = positional.pop(0)
        options = tuple(
            [
                (keyword.arg, express(keyword.value))
                for keyword in node.keywords
                if keyword.arg is not None and keyword.arg not in {"name", "type_"}
            ]
        )
        column = Column(
            name,
            None if type_node is None else express(type_node),
            tuple([express(a) for a in positional if not self._is_constraint(a)]),
            without(options, "unique", "index"),
            _nullable(options),
            express(node.func),
        )
        enum = self.enum(type_node) if type_node is not None else None
        own = self._own_constraints(name, options, positional)
        return (
            column,
            (enum,) if enum else (),
            (*own, *self._type_check(name, type_node)),
            tuple(_own_indexes(name, options, table)),
        )

    def _resolved(self, node: ast.expr) -> ast.expr:
        node = self.scope.resolve(node)
        return spread(node, self.scope) if isinstance(node, ast.Call) else node

    @staticmethod
    def _is_argument(node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and last(node.func) in _ARGUMENTS

    @staticmethod
    def _is_constraint(node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and last(node.func) in {"ForeignKey", "CheckConstraint"}

    def _own_constraints(
        self, column: str, options: Options, nodes: list[ast.expr]
    ) -> list[Constraint]:
        found: list[Constraint] = []
        indexed = _is_true(options, "index")
        if _is_true(options, "primary_key"):
            found.append(Constraint("primary", None, (column,), inline=True))
        if _is_true(options, "unique") and not indexed:
            found.append(Constraint("unique", None, (column,), inline=True))
        for node in nodes:
            if isinstance(node, ast.Call) and last(node.func) == "ForeignKey":
                found.append(self._own_foreign_key(column, node))
            elif isinstance(node, ast.Call) and last(node.func) == "CheckConstraint":
                constraint = self.constraint(node)
                # The database drops it with the column it is written at.
                own = (column,)
                found += [replace(constraint, columns=own, inline=True)] if constraint else []
        return found

    def _type_check(self, column: str, node: ast.expr | None) -> list[Constraint]:
        """The CHECK that comes with a type that asks for one."""
        node = node if node is None else self.scope.resolve(node)
        if not isinstance(node, ast.Call) or last(node.func) not in {"Boolean", "Enum"}:
            return []
        options = self._keywords(node)
        if not _is_true(options, "create_constraint"):
            return []
        name, native = option(options, "name"), option(options, "native_enum")
        kind = "VARCHAR" if native and native.value is False else last(node.func)
        return [
            Constraint(
                "check",
                name.string if name else None,
                (column,),
                inline=True,
                final=bool(name and name.final),
                of_type=kind,
            )
        ]

    def _own_foreign_key(self, column: str, node: ast.Call) -> Constraint:
        options = self._keywords(node)
        target = value_of(node.args[0]) if node.args else UNKNOWN
        referent, remote = _target(target)
        name = option(options, "name")
        return Constraint(
            "foreignkey",
            name.string if name else None,
            (column,),
            (self.scope.expression(node),),
            options=options,
            referent=referent,
            referent_columns=(remote,) if remote else (),
            inline=True,
            final=bool(name and name.final),
        )

    def constraint(self, node: ast.expr) -> Constraint | None:
        """A table constraint; None where the node is none that can be read."""
        node = self._resolved(node)
        if not isinstance(node, ast.Call) or last(node.func) not in _KINDS:
            return None
        kind = _KINDS[last(node.func)]
        options = self._keywords(node)
        name = option(options, "name")
        options = tuple(pair for pair in options if pair[0] != "name")
        arguments = tuple(self.scope.expression(argument) for argument in node.args)
        if name is None and len(arguments) > _NAME_AT.get(kind, len(arguments)):
            name, arguments = arguments[_NAME_AT[kind]], arguments[: _NAME_AT[kind]]
        made = Constraint(
            kind, name.string if name else None, options=options, final=bool(name and name.final)
        )
        if kind == "foreignkey":
            return _foreign_key(made, arguments)
        if kind in {"check", "exclude"}:
            return replace(made, arguments=arguments)
        names = tuple(argument.string for argument in arguments)
        if not all(names):
            return None
        return replace(made, columns=tuple(name for name in names if name))

    def index(self, node: ast.expr, table: Name) -> Index | None:
        """An `Index(…)` inside `create_table`."""
        node = self._resolved(node)
        if not isinstance(node, ast.Call) or last(node.func) != "Index" or not node.args:
            return None
        name, *columns = (self.scope.expression(argument) for argument in node.args)
        return Index(name.string, table, one_by_one(columns), self._keywords(node), name.final)

    def enum(self, node: ast.expr) -> EnumType | None:
        """The named enum type that creating a column of this type creates with it."""
        node = self._resolved(node)
        if not isinstance(node, ast.Call) or last(node.func) not in _ENUMS:
            nested = node.args if isinstance(node, ast.Call) and last(node.func) == "ARRAY" else []
            return self.enum(nested[0]) if nested else None
        options = self._keywords(node)
        native, created = option(options, "native_enum"), option(options, "create_type")
        named = option(options, "name")
        of_class = self._enum_class(node)
        name = named.string if named is not None else of_class.lower()
        if not name:
            return None
        if (native and native.value is False) or (created and created.value is False):
            return None
        schema = option(options, "schema")
        members: tuple[object, ...] = tuple(value_of(argument) for argument in node.args)
        if of_class:
            # The database has the names of a class's members, unless it is told otherwise.
            told = option(options, "values_callable") is not None
            members = () if told else self._members(of_class)
        known = all(isinstance(member, str) for member in members) and members
        return EnumType(
            Name.of(name, schema.string if schema else None),
            tuple(str(member) for member in members) if known else None,
            self.scope.expression(node),
        )

    @staticmethod
    def _enum_class(node: ast.Call) -> str:
        """The name of the class that an enum type is of; empty where it is of none."""
        name = last(node.args[0]) if len(node.args) == 1 else ""
        return name if name[:1].isupper() and not name.isupper() else ""

    def _members(self, name: str) -> tuple[str, ...]:
        constants = self.scope.classes.get(name, {})
        return tuple(key.removesuffix(".value") for key in constants if key.endswith(".value"))

    def table_name(self, node: ast.expr) -> Name | None:
        """The table that a construct, a class or `metadata.tables["name"]` stands for."""
        node = self.scope.resolve(node)
        if isinstance(node, ast.Name):
            return self._table_of_class(node.id)
        if isinstance(node, ast.Call) and last(node.func) in {"table", "Table", "create_table"}:
            return self.named(node)
        if isinstance(node, ast.Subscript) and last(node.value) == "tables":
            name = value_of(node.slice)
            return Name.of(name, None) if isinstance(name, str) else None
        return None

    def named(self, node: ast.Call) -> Name | None:
        """The name that a construct's first argument gives it, with its schema."""
        name = value_of(node.args[0]) if node.args else UNKNOWN
        schema = option(self._keywords(node), "schema")
        if not isinstance(name, str) or (schema is not None and not schema.known):
            return None
        return Name.of(name, schema.string if schema else None)

    def _table_of_class(self, name: str) -> Name | None:
        """The table of a model class that the migration defines itself."""
        table = self.scope.classes.get(name, {}).get("__table__")
        return None if table is None else self.table_name(table)

    def statement(self, node: ast.expr) -> tuple[Change, ...]:
        """What a SQLAlchemy statement writes: `t.update().where(…)`, `sa.delete(t)`, `select`."""
        calls: dict[str, ast.Call] = {}
        conditions: list[ast.expr] = []
        while isinstance(node, ast.Call):
            name = self._imported_name(node.func)
            if name in _WRITES:
                written = self._write(name, node, calls)
                return (replace(written, nulls_of=nulls_asked_of(conditions)),)
            calls[name] = node
            if name in {"where", "filter", "filter_by"}:
                conditions += [*node.args, *(keyword.value for keyword in node.keywords)]
            if name in {"select", "exists"}:
                return ()
            node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        return (Unknown(),)

    def _imported_name(self, node: ast.expr) -> str:
        """The last name of a callee as it was before `from … import insert as pg_insert`."""
        name = last(node)
        original = self.scope.imports.get(name, "") if isinstance(node, ast.Name) else ""
        before, renamed, _ = original.partition(" as ")
        return before.rpartition(" ")[2] if renamed else name

    def _write(self, verb: str, node: ast.Call, calls: Mapping[str, ast.Call]) -> WriteRows:
        """What `verb` writes, by its call and those on what it gives."""
        table: Name | None = None
        if isinstance(node.func, ast.Attribute):
            table = self.table_name(node.func.value)
        if table is None and node.args:
            table = self.table_name(node.args[0])
        filtered = not calls.keys().isdisjoint({"where", "filter"})
        bounded = verb == "insert" or filtered or "whereclause" in str(node.keywords)
        rows = self._values(calls.get("values", node))
        if verb == "insert":
            certain = calls.keys() <= {"values", "returning"}
            return WriteRows(verb, table, bounded, rows=rows if certain else ())
        columns = tuple(column for row in rows for column, _ in row) if verb == "update" else ()
        return WriteRows(verb, table, bounded, columns, computed=computed(verb, rows))

    def _values(self, call: ast.Call) -> tuple[Row, ...]:
        """The rows in `.values(…)`: keywords, a dictionary or a list of them."""
        if call.keywords and all(keyword.arg for keyword in call.keywords):
            return (tuple((str(k.arg), self._value(k.value)) for k in call.keywords),)
        return self.rows(call.args[0]) if len(call.args) == 1 else ()

    def rows(self, node: ast.expr | None) -> tuple[Row, ...]:
        """Rows given as dictionaries; none where their number or columns are computed."""
        resolved = self.scope.resolve(node) if node is not None else None
        if resolved is None or isinstance(resolved, ast.Dict):
            found = [self._row(resolved)]
        else:
            found = [self._row(item) for item in items_of(resolved) or [resolved]]
        return () if any(row is None for row in found) else tuple(row for row in found if row)

    def _row(self, node: ast.expr | None) -> Row | None:
        item = self.scope.resolve(node) if node is not None else None
        if not isinstance(item, ast.Dict):
            return None
        keys = [self._key(key) if key else UNKNOWN for key in item.keys]
        if not all(isinstance(key, str) for key in keys):
            return None
        return tuple((str(k), self._value(v)) for k, v in zip(keys, item.values, strict=True))

    def _key(self, node: ast.expr) -> object:
        """A column as the key of its value: its name, `t.c.name` or `Model.name`."""
        value = self._value(node)
        if value is not UNKNOWN or not isinstance(node, ast.Attribute):
            return value
        owner = node.value
        model = isinstance(owner, ast.Name) and "__table__" in self.scope.classes.get(owner.id, {})
        return node.attr if model or last(owner) in {"c", "columns"} else UNKNOWN

    def _value(self, node: ast.expr) -> object:
        node = self.scope.resolve(node)
        if isinstance(node, ast.Call) and last(node.func) in _LITERALS and node.args:
            node = node.args[0]
        return value_of(node)

    def _keywords(self, node: ast.Call) -> Options:
        express = self.scope.expression
        return tuple([(k.arg, express(k.value)) for k in node.keywords if k.arg is not None])


def one_by_one(columns: Iterable[Expression]) -> tuple[Expression, ...]:
    """The columns of an index, also where one `text("a, b DESC")` has several."""
    return tuple(part for column in columns for part in _parts(column))


def _parts(column: Expression) -> Iterator[Expression]:
    sql = None if column.known else column.sql
    found = list(statements(sql)) if sql is not None and "," in sql else []
    parts = list(found[0].parts(0)) if len(found) == 1 else []
    if not parts[1:]:
        yield column
        return
    for part in parts:
        plain = _PLAIN.fullmatch(part) is not None
        text = Expression(f"sa.text({literal(part).text})", imports=column.imports)
        yield literal(part) if plain else text


def last(node: ast.expr) -> str:
    """The last name of a callee: `Column` for `sa.Column`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return dotted(node)


def computed(verb: str, rows: tuple[Row, ...]) -> bool:
    """Whether an UPDATE may make its values from others."""
    unknown = not rows or any(value is UNKNOWN for row in rows for _, value in row)
    return verb == "update" and unknown


def _is_true(options: Options, name: str) -> bool:
    value = option(options, name)
    return value is not None and value.value is True


def _nullable(options: Options) -> bool | None:
    given, primary = option(options, "nullable"), option(options, "primary_key")
    if given is not None:
        return given.value if isinstance(given.value, bool) else None
    return not (primary is not None and primary.value is True)


def _with_one_key(constraints: list[Constraint]) -> tuple[Constraint, ...]:
    """Columns that each say `primary_key=True` are one key."""
    inline = [part for part in constraints if part.kind == "primary" and part.inline]
    if not inline[1:]:
        return tuple(constraints)
    key = replace(inline[0], columns=tuple(part.columns[0] for part in inline))
    return tuple(
        key if part is inline[0] else part for part in constraints if part not in inline[1:]
    )


def _own_indexes(column: str, given: Options, table: Name) -> list[Index]:
    if not _is_true(given, "index"):
        return []
    unique = _is_true(given, "unique")
    options: Options = (("unique", Expression("True", value=True)),) if unique else ()
    name = f"ix_{table.schema + '_' if table.schema else ''}{table.name}_{column}"
    expression = Expression(repr(column), column)
    return [Index(name, table, (expression,), options, implied=True)]


def _foreign_key(made: Constraint, arguments: tuple[Expression, ...]) -> Constraint | None:
    if not arguments[1:] or arguments[0].strings is None:
        return None
    targets = [_target(target) for target in arguments[1].strings or ()]
    return replace(
        made,
        columns=arguments[0].strings,
        arguments=arguments[1:],
        referent=targets[0][0] if targets else None,
        referent_columns=tuple(column for _, column in targets if column),
    )


def _target(target: object) -> tuple[Name | None, str | None]:
    """Table and column of a foreign key's `schema.table.column`."""
    if not isinstance(target, str) or "." not in target:
        return None, None
    table, _, column = target.rpartition(".")
    schema, _, name = table.rpartition(".")
    return Name.of(name, schema), column
