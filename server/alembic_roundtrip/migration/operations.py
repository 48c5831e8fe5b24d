"""For each `op.…` call: the names of its arguments, and what it changes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.conditions import guards_of
from alembic_roundtrip.migration.constructs import construct
from alembic_roundtrip.migration.definitions import Definitions, one_by_one
from alembic_roundtrip.migration.entities import entity_of
from alembic_roundtrip.migration.evaluation import Scope
from alembic_roundtrip.migration.expression import UNKNOWN, Expression
from alembic_roundtrip.migration.files import read_sql
from alembic_roundtrip.migration.iteration import items_of, spread
from alembic_roundtrip.migration.literals import sql_template, sql_text, text_argument, value_of
from alembic_roundtrip.migration.model import Batch, GuardKind
from alembic_roundtrip.migration.objects import Constraint, Index, Name, Options
from alembic_roundtrip.migration.sql import changes_of
from alembic_roundtrip.migration.sql.holes import settled

# Positional names as in alembic.operations.ops; `*` stands for any number of objects.
SIGNATURES: dict[str, tuple[str, ...]] = {
    "create_table": ("table_name", "*"),
    "drop_table": ("table_name",),
    "rename_table": ("old_table_name", "new_table_name"),
    "add_column": ("table_name", "column"),
    "drop_column": ("table_name", "column_name"),
    "alter_column": ("table_name", "column_name"),
    "create_index": ("index_name", "table_name", "columns"),
    "drop_index": ("index_name", "table_name"),
    "create_unique_constraint": ("constraint_name", "table_name", "columns"),
    "create_primary_key": ("constraint_name", "table_name", "columns"),
    "create_foreign_key": (
        "constraint_name",
        "source_table",
        "referent_table",
        "local_cols",
        "remote_cols",
    ),
    "create_check_constraint": ("constraint_name", "table_name", "condition"),
    "create_exclude_constraint": ("constraint_name", "table_name", "*"),
    "drop_constraint": ("constraint_name", "table_name", "type_"),
    "create_table_comment": ("table_name", "comment"),
    "drop_table_comment": ("table_name",),
    "bulk_insert": ("table", "rows"),
    "execute": ("sqltext",),
    # alembic-utils
    "create_entity": ("entity",),
    "drop_entity": ("entity",),
    "replace_entity": ("entity",),
    "revert_entity": ("entity",),
    # alembic-postgresql-enum
    "sync_enum_values": (
        "enum_schema",
        "enum_name",
        "new_values",
        "affected_columns",
        "enum_values_to_rename",
    ),
    # GeoAlchemy 2
    "create_geospatial_table": ("table_name", "*"),
    "drop_geospatial_table": ("table_name",),
    "add_geospatial_column": ("table_name", "column"),
    "drop_geospatial_column": ("table_name", "column_name"),
    "create_geospatial_index": ("index_name", "table_name", "columns"),
    "drop_geospatial_index": ("index_name", "table_name"),
}
_FORMERLY: dict[str, tuple[str, ...]] = {
    "create_foreign_key": (
        *("onupdate", "ondelete", "deferrable", "initially", "match"),
        *("source_schema", "referent_schema"),
    ),
    "create_table_comment": ("existing_comment", "schema"),
    "drop_table_comment": ("existing_comment", "schema"),
    "create_index": ("schema", "unique"),
    **dict.fromkeys(
        (
            *("drop_table", "rename_table", "add_column", "drop_column", "drop_index"),
            *("create_unique_constraint", "create_primary_key", "create_check_constraint"),
            "drop_constraint",
        ),
        ("schema",),
    ),
}
"""What goes on by position before Alembic 1.11; there, in later ones, Python refuses the call."""
QUIET = frozenset(
    "f get_bind get_context inline_literal implementation_for register_operation context "
    "create_module_class_proxy batch_alter_table autocommit_block".split()
)
"""What `op` has besides operations; a batch block and an autocommit block are followed."""
_OPTIONAL = frozenset(
    {("drop_constraint", "type_"), ("drop_index", "table_name")}
    | {("create_table_comment", "comment"), ("sync_enum_values", "affected_columns")}
    | {("sync_enum_values", "enum_values_to_rename")}
)
_OWN_TABLE = frozenset({"table_name", "source_table"})
_MANNERS = frozenset({"if_exists", "if_not_exists", "inline_references", "postgresql_concurrently"})
"""Options that say how an operation is done, not what."""
_SCHEMA = {"create_foreign_key": "source_schema"}
_NO_TABLE = c.Unknown(frozenset())


@dataclass(slots=True)  # made for every operation, and frozen ones take three times as long
class Call:
    """An `op.…` or `batch_op.…` call with its arguments by name, names resolved."""

    name: str
    node: ast.Call
    named: dict[str, ast.expr]
    objects: tuple[ast.expr, ...]
    options: dict[str, ast.expr]
    scope: Scope
    batch: Batch | None
    complete: bool
    dialects: tuple[str, ...] = ()
    _read: dict[str, Expression | None] = field(default_factory=dict, repr=False, compare=False)

    def expression(self, name: str) -> Expression | None:
        """An argument as an expression; None where it is not given."""
        if name not in self._read:
            node = self.named.get(name, self.options.get(name))
            self._read[name] = None if node is None else self.scope.expression(node)
        return self._read[name]

    @property
    def arguments(self) -> Options:
        """What it is given by name, and how it is to be done."""
        manners = [key for key in self.options if key in _MANNERS]
        given = [(key, self.expression(key)) for key in (*self.named, *manners)]
        return tuple([(key, value) for key, value in given if value is not None])

    def string(self, name: str) -> str | None:
        """An argument's value where it is a string."""
        expression = self.expression(name)
        return expression.string if expression else None

    def asks(self, name: str) -> bool:
        """Whether it is told to, by an argument that is True."""
        given = self.expression(name)
        return given is not None and given.value is True

    def strings(self, name: str) -> tuple[str, ...] | None:
        """An argument's value where it is a list of strings."""
        expression = self.expression(name)
        return expression.strings if expression else None

    @property
    def missing(self) -> tuple[str, ...]:
        """The arguments without which the call is none."""
        required = _signature(self.name, self.batch is not None).required
        if not self.complete or self.named.keys() >= required:
            return ()
        names = _signature(self.name, self.batch is not None).names
        return tuple(name for name in names if name in required - self.named.keys())

    def table(self) -> Name | None:
        """The table it works on: the batch's, or the one it names."""
        if self.batch is not None:
            return self.batch.table
        name = self.string("table_name") or self.string("source_table")
        schema = self.options.get(_SCHEMA.get(self.name, "schema"))
        value = self.scope.expression(schema).value if schema is not None else None
        if name is None or value is UNKNOWN:
            return None
        return Name.of(name, value or "")

    def rest(self, *but: str) -> Options:
        """The keyword arguments, but those of these names."""
        return tuple(
            (key, self.scope.expression(value))
            for key, value in self.options.items()
            if key not in {"schema", "source_schema", "if_exists", "if_not_exists", *but}
        )


class _Signature(NamedTuple):
    """The positional names of an operation, those it cannot do without, and whether more follow."""

    names: tuple[str, ...]
    required: frozenset[str]
    open: bool


@cache
def _signature(name: str, in_batch: bool) -> _Signature:
    """The signature of an operation; in a batch block the table is the block's."""
    own = _OWN_TABLE if in_batch else frozenset[str]()
    names = tuple(part for part in SIGNATURES[name] if part != "*" and part not in own)
    required = frozenset(part for part in names if (name, part) not in _OPTIONAL)
    return _Signature(names, required, "*" in SIGNATURES[name])


def call_of(
    name: str,
    node: ast.Call,
    scope: Scope,
    batch: Batch | None,
    dialects: tuple[str, ...] = (),
) -> Call | None:
    """The call with its arguments by name; None for an operation Alembic does not have."""
    if name not in SIGNATURES:
        return None
    signature = _signature(name, batch is not None)
    node = spread(node, scope)
    positional = [scope.resolve(argument) for argument in node.args]
    keywords = {k.arg: scope.resolve(k.value) for k in node.keywords if k.arg is not None}
    named = dict(zip(signature.names, positional, strict=False))
    if keywords:
        named |= {key: keywords.pop(key) for key in signature.names if key in keywords}
    if len(positional) > len(signature.names) and not signature.open and batch is None:
        more = positional[len(signature.names) :]
        keywords = {**dict(zip(_FORMERLY.get(name, ()), more, strict=False)), **keywords}
    starred = [argument for argument in node.args if isinstance(argument, ast.Starred)]
    complete = not starred and len(node.keywords) == len([k for k in node.keywords if k.arg])
    objects = tuple(positional[len(signature.names) :]) if signature.open else ()
    return Call(name, node, named, objects, keywords, scope, batch, complete, dialects)


def changes_of_call(call: Call) -> tuple[c.Change, ...]:
    """What a call changes; `Unknown` where its arguments do not tell."""
    if call.missing:
        return ()  # it raises before it does anything
    found = _READERS[call.name](call)
    if found is not None and (call.complete or call.name == "create_table"):
        return found
    table = call.table()
    return (c.Unknown(None if table is None else frozenset({table})),)


Changes = tuple[c.Change, ...] | None


def _create_table(call: Call) -> Changes:
    name = call.table()
    if name is None:
        return None
    if _is_temporary(call):
        return (c.Unknown(frozenset({name})),)
    table, enums = Definitions(call.scope).table(
        name, call.objects, call.rest(), complete=call.complete
    )
    return (c.CreateTable(table, enums, call.asks("if_not_exists")),)


def _is_temporary(call: Call) -> bool:
    """Whether the table goes away with the connection, and is no part of the schema."""
    return any(word.upper() in {"TEMP", "TEMPORARY"} for word in call.strings("prefixes") or ())


def _drop_table(call: Call) -> Changes:
    name = call.table()
    return None if name is None else (c.DropTable(name),)


def _rename_table(call: Call) -> Changes:
    old, new = call.string("old_table_name"), call.string("new_table_name")
    if old is None or new is None:
        return None
    return (c.RenameTable(Name.of(old, call.string("schema")), new),)


def _add_column(call: Call) -> Changes:
    table, node = call.table(), call.named.get("column")
    if table is None or node is None:
        return None
    read = Definitions(call.scope).column(node, table)
    if read is None:
        return None
    column, enums, constraints, indexes = read
    # Alembic emits a column's own foreign keys, UNIQUE and index here too, but no primary key.
    own = tuple(constraint for constraint in constraints if constraint.kind != "primary")
    made = tuple(c.CreateIndex(index) for index in indexes)
    return (c.AddColumn(table, column, enums, own, call.asks("if_not_exists")), *made)


def _drop_column(call: Call) -> Changes:
    table, column = call.table(), call.string("column_name")
    return None if table is None or column is None else (c.DropColumn(table, column),)


def _alter_column(call: Call) -> Changes:
    table, column = call.table(), call.string("column_name")
    if table is None or column is None:
        return None
    return (c.AlterColumn(table, column, call.rest()),)


def _create_index(call: Call) -> Changes:
    table, node = call.table(), call.named.get("columns")
    name = call.expression("index_name")
    if table is None or name is None or not name.known:
        return None
    items = items_of(node) if node is not None else None
    if items is None:
        return None
    columns = one_by_one(call.scope.expression(item) for item in items)
    index = Index(name.string, table, columns, call.rest(), name.final)
    return (c.CreateIndex(index, call.asks("if_not_exists")),)


def _drop_index(call: Call) -> Changes:
    name = call.expression("index_name")
    if name is None or not name.known:
        return None
    return (c.DropIndex(name.string, call.table()),)


def _constraint(kind: str, columns: str) -> Callable[[Call], Changes]:
    def read(call: Call) -> Changes:
        table, name = call.table(), call.expression("constraint_name")
        names = call.strings(columns)
        if table is None or name is None or not name.known or names is None:
            return None
        constraint = Constraint(
            kind,  # type: ignore[arg-type]
            name.string,
            names,
            options=call.rest(),
            final=name.final,
        )
        return (c.AddConstraint(table, constraint),)

    return read


def _create_foreign_key(call: Call) -> Changes:
    table, name = call.table(), call.expression("constraint_name")
    local, referent = call.strings("local_cols"), call.string("referent_table")
    remote = call.strings("remote_cols")
    if table is None or name is None or local is None or referent is None or remote is None:
        return None
    constraint = Constraint(
        "foreignkey",
        name.string,
        local,
        options=call.rest("referent_schema"),
        referent=Name.of(referent, call.string("referent_schema")),
        referent_columns=remote,
        final=name.final,
    )
    return (c.AddConstraint(table, constraint, call.asks("postgresql_not_valid")),)


def _create_check(call: Call) -> Changes:
    table, name = call.table(), call.expression("constraint_name")
    condition = call.expression("condition")
    if table is None or name is None or condition is None:
        return None
    constraint = Constraint("check", name.string, (), (condition,), call.rest(), final=name.final)
    return (c.AddConstraint(table, constraint, call.asks("postgresql_not_valid")),)


def _create_exclude(call: Call) -> Changes:
    table, name = call.table(), call.expression("constraint_name")
    if table is None or name is None:
        return None
    elements = tuple(call.scope.expression(node) for node in call.objects)
    constraint = Constraint("exclude", name.string, (), elements, call.rest(), final=name.final)
    return (c.AddConstraint(table, constraint),)


def _drop_constraint(call: Call) -> Changes:
    table, name = call.table(), call.expression("constraint_name")
    if table is None or name is None or not name.known:
        return None
    kind, asks = call.string("type_"), call.asks("if_exists")
    return (c.DropConstraint(table, name.string, kind, name.final, asks),)


def _table_comment(call: Call) -> Changes:
    table = call.table()
    return None if table is None else (c.SetComment(table, call.expression("comment")),)


def _bulk_insert(call: Call) -> Changes:
    node = call.named.get("table")
    definitions = Definitions(call.scope)
    table = definitions.table_name(node) if node is not None else None
    return (c.WriteRows("insert", table, rows=definitions.rows(call.named.get("rows"))),)


def _execute(call: Call) -> Changes:
    node = call.named.get("sqltext")
    return (c.Unknown(),) if node is None else executed(node, call.scope, call.dialects)


def said_sql(node: ast.expr, scope: Scope) -> Options:
    """The argument of `execute`, with its SQL for a value where that is known."""
    expression, sql = scope.expression(node), sql_text(scope.resolve(node))
    return (("sqltext", expression if sql is None else replace(expression, value=sql)),)


def executed(node: ast.expr, scope: Scope, dialects: tuple[str, ...] = ()) -> tuple[c.Change, ...]:
    """What executing an SQL string or SQLAlchemy construct changes on some dialects."""
    resolved = scope.resolve(node)
    choice = text_argument(resolved)
    if isinstance(choice, ast.IfExp):
        return _either(choice, scope, dialects)
    sql = sql_text(resolved)
    if sql is None:
        sql = read_sql(text_argument(resolved), scope.file, value_of)
    if sql is not None:
        return changes_of(sql, dialects)
    made = construct(resolved, Definitions(scope))
    if made is not None:
        return made
    template = sql_template(resolved)
    if template is not None:
        return tuple(settled(change) for change in changes_of(template, dialects))
    return Definitions(scope).statement(resolved)


def _either(choice: ast.IfExp, scope: Scope, dialects: tuple[str, ...]) -> tuple[c.Change, ...]:
    """What one of two statements changes, whichever is chosen."""
    yes, _ = guards_of(choice.test)
    asked = yes[0] if len(yes) == 1 and yes[0].kind is GuardKind.DIALECT else None
    answers = {(name in asked.names) != asked.negated for name in dialects} if asked else set()
    if len(answers) == 1:
        return executed(choice.body if True in answers else choice.orelse, scope, dialects)
    one, other = (executed(each, scope, dialects) for each in (choice.body, choice.orelse))
    if one == other:
        return one
    return _common(one, other)


def _common(one: tuple[c.Change, ...], other: tuple[c.Change, ...]) -> tuple[c.Change, ...]:
    """What holds of both of two readings."""
    match one, other:
        case [c.WriteRows() as first], [c.WriteRows() as second]:
            if (first.verb, first.table) == (second.verb, second.table):
                bounded = first.bounded or second.bounded
                computed = first.computed or second.computed
                return (c.WriteRows(first.verb, first.table, bounded, computed=computed),)
    tables: set[Name] = set()
    for change in (*one, *other):
        named = c.tables_of(change)
        if not named and not isinstance(change, c.WriteRows) and change != _NO_TABLE:
            return (c.Unknown(),)
        tables.update(named)
    return (c.Unknown(frozenset(tables)),)


def _create_entity(call: Call) -> Changes:
    entity = entity_of(call.named.get("entity"))
    # What it stands for is no part of any table.
    return (c.Unknown(frozenset()) if entity is None else c.CreateObject(*entity),)


def _drop_entity(call: Call) -> Changes:
    entity = entity_of(call.named.get("entity"))
    return (c.Unknown(frozenset()) if entity is None else c.DropObject(*entity),)


def _replace_entity(_: Call) -> Changes:
    return (c.Unknown(frozenset()),)


def _sync_enum_values(call: Call) -> Changes:
    schema, name = call.string("enum_schema"), call.string("enum_name")
    if name is None or schema is None:
        return None
    own = Name.of(name, schema)
    return (c.SetEnumValues(own, call.strings("new_values")),)


_READERS: dict[str, Callable[[Call], Changes]] = {
    "create_table": _create_table,
    "drop_table": _drop_table,
    "rename_table": _rename_table,
    "add_column": _add_column,
    "drop_column": _drop_column,
    "alter_column": _alter_column,
    "create_index": _create_index,
    "drop_index": _drop_index,
    "create_unique_constraint": _constraint("unique", "columns"),
    "create_primary_key": _constraint("primary", "columns"),
    "create_foreign_key": _create_foreign_key,
    "create_check_constraint": _create_check,
    "create_exclude_constraint": _create_exclude,
    "drop_constraint": _drop_constraint,
    "create_table_comment": _table_comment,
    "drop_table_comment": _table_comment,
    "bulk_insert": _bulk_insert,
    "execute": _execute,
    "create_entity": _create_entity,
    "drop_entity": _drop_entity,
    "replace_entity": _replace_entity,
    "revert_entity": _replace_entity,
    "sync_enum_values": _sync_enum_values,
    "create_geospatial_table": _create_table,
    "drop_geospatial_table": _drop_table,
    "add_geospatial_column": _add_column,
    "drop_geospatial_column": _drop_column,
    "create_geospatial_index": _create_index,
    "drop_geospatial_index": _drop_index,
}
