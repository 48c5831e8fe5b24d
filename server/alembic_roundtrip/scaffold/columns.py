"""What undoes new, dropped and altered columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.mentions import checks, is_on
from alembic_roundtrip.migration.objects import Column, Constraint, Index, Name, Table, is_identity
from alembic_roundtrip.migration.rendering import NotKnownError, call
from alembic_roundtrip.scaffold.alteration import COLUMN_PARTS, TRUE, Alteration
from alembic_roundtrip.scaffold.constraints import Constraints
from alembic_roundtrip.scaffold.enums import enums_of
from alembic_roundtrip.scaffold.fragility import (
    against_column,
    against_refilled,
    against_refilled_index,
    fragile,
)
from alembic_roundtrip.scaffold.place import inside
from alembic_roundtrip.scaffold.sql import quoted, sql_name, sql_table, sql_value
from alembic_roundtrip.scaffold.step import Inverse, Step, in_block, spelled, table_arguments
from alembic_roundtrip.scaffold.tables import Tables, with_kept_names, with_key_apart
from alembic_roundtrip.scaffold.told import DESTRUCTIVE, to_fill, values_lost
from alembic_roundtrip.schema.columns import whole
from alembic_roundtrip.schema.names import numbered_column, sequence_of
from alembic_roundtrip.schema.recreation import reflected

_NUMBERED = {
    f"{name}{call}": sql
    for name, sql in {
        "Integer": "INTEGER",
        "INTEGER": "INTEGER",
        "BigInteger": "BIGINT",
        "BIGINT": "BIGINT",
        "SmallInteger": "SMALLINT",
        "SMALLINT": "SMALLINT",
    }.items()
    for call in ("", "()")
}
"""What MySQL has for a type that says nothing more."""
_OF_A_KEY = frozenset({"autoincrement", "nullable", "primary_key"})


class Columns:
    """Writes the inverses of changes of columns, with those of what is at them."""

    def __init__(self, tables: Tables, constraints: Constraints) -> None:
        self._tables = tables
        self._constraints = constraints
        self._render = constraints.render
        self._dialects = dialects = constraints.dialects
        self._native = not dialects or "postgresql" in dialects
        self._only_native = dialects == ("postgresql",)
        self._only_mysql = bool(dialects) and {*dialects} <= MYSQL

    def added(self, change: c.AddColumn, step: Step) -> Inverse:
        """What undoes a new column."""
        table = table_arguments(change.table, step, self._render)
        column = self._render.text(change.column.name)
        parts = [*table[:1], column, *table[1:]] if table else [column]
        statements = [
            self._constraints.drop(change.table, part, step)
            for part in change.constraints
            if part.kind == "foreignkey" and self._keeps_columns(part)
        ]
        if step.target != "op" and "sqlite" in self._dialects:
            statements += self._checks_with(change, step)
        return Inverse(
            [*statements, call(f"{step.target}.drop_column", parts)],
            after=self._tables.without_types((enum.name for enum in change.enums), step),
        )

    def _keeps_columns(self, part: Constraint) -> bool:
        """Whether a foreign key has to go before its columns; in what calls it by a name."""
        return self._only_mysql or (part.name is not None and bool(MYSQL & {*self._dialects}))

    def _checks_with(self, change: c.AddColumn, step: Step) -> Iterator[str]:
        """CHECKs of a column that batch mode would give to the table without it."""
        for part in change.constraints:
            if part.kind == "check" and part.name:
                if part.of_type and self._dialects != ("sqlite",):
                    raise NotKnownError(f"which databases have `{part.name}`")
                yield self._constraints.drop(change.table, part, step)

    def dropped(self, change: c.DropColumn, step: Step) -> Inverse:
        """What brings a column back, with what went away with it."""
        table = step.before.table(change.table)
        column = table.column(change.column) if table else None
        if table is None or column is None or change.table in step.before.unknown:
            raise NotKnownError(f"the definition of `{change.table}.{change.column}`")
        if self._native:
            table = with_kept_names(table)
        if step.target == "op":
            table = with_key_apart(table, change.column)
        before = [
            f"{self._render.expression(enum.text)}.create(op.get_bind(), checkfirst=True)"
            for enum in (step.before.enums[name] for name in enums_of(column, step.before))
            if self._native and enum.name not in self._tables.types
        ]
        self._tables.types |= set(enums_of(column, step.before))
        lost = values_lost(f"{change.table}.{change.column}")
        if step.target != "op" and any(
            part.inline and part.name is None and change.column in part.columns
            for part in table.constraints
        ):
            raise NotKnownError(f"the name of a constraint of `{change.table}`")
        required = column.nullable is not True and _empty(column)
        added = replace(column, nullable=True).with_option("nullable", TRUE) if required else column
        parts = [*table_arguments(change.table, step, self._render)]
        type_ = self._tables.unchecked(column, table)
        parts.insert(1 if parts else 0, self._render.column(added, table, type_))
        along = [part for part in table.constraints if self._goes_with(part, change.column)]
        stays = [part for part in table.constraints if part not in along]
        found = (against_refilled(part, table, column, self._dialects) for part in stays)
        rows = fragile(" or ".join(filter(None, found)))
        doubts = self._constraints.doubts(
            *(part for part in stays if change.column in part.columns)
        )
        made = call(f"{step.target}.add_column", parts)
        if self._only_mysql and numbered_column(table) == change.column:
            required, made = False, self._numbered_key(change.table, column)
            along = [part for part in along if part.kind != "primary"]
        statements = [f"{DESTRUCTIVE}{lost}", *doubts, *rows, made]
        inner, after = self._indexes_with(column, table, step)
        keyed: list[str] = []
        for part in along:
            with_it, afterwards = self._constraints.with_column(part, table, column, step)
            waits = required and part.kind == "primary" and step.target == "op"
            (keyed if waits else statements).extend(with_it)
            after += afterwards
        again = self._required_again(change, column, step) if required else []
        after += [line for line in again if line not in after]  # what is to be filled is said once
        after += keyed
        return Inverse([*statements, *inner], before, after, [lost])

    def _numbered_key(self, table: Name, column: Column) -> str:
        """A column that numbers its rows, with its key: MySQL takes the one only with the other."""
        kind = _NUMBERED.get(column.type.text.rpartition(".")[2] if column.type else "")
        if kind is None or {name for name, _ in column.options} - _OF_A_KEY:
            raise NotKnownError(f"what else `{table}.{column.name}` has")
        name = quoted(column.name, self._dialects)
        added = f"ADD COLUMN {name} {kind} NOT NULL AUTO_INCREMENT PRIMARY KEY"
        sql = f"ALTER TABLE {sql_table(table, self._dialects)} {added}"
        return call("op.execute", [self._render.text(sql)])

    def _required_again(self, change: c.DropColumn, column: Column, step: Step) -> list[str]:
        """NOT NULL for a column without values comes after somebody's filling it."""
        # Which databases there are is not always known; that the author needs batch mode is.
        target = "batch_op" if "sqlite" in self._dialects else step.target
        parts = [self._render.text(column.name)]
        if column.type is not None:
            parts.append(f"existing_type={self._render.expression(column.type)}")
        parts.append("nullable=False")
        if target == "op":
            name = self._render.text(change.table.name)
            schema = self._render.schema(change.table)
            alter = call("op.alter_column", [name, *parts, *schema])
        else:
            alter = in_block(change.table, call("batch_op.alter_column", parts), self._render)
        return [to_fill(f"{change.table}.{change.column}"), alter]

    def _goes_with(self, part: Constraint, column: str) -> bool:
        """Whether a constraint goes away with a column, and is no part of its definition.

        A CHECK cannot outlive its column: some databases drop it, the others refuse.
        """
        with_it = column in part.columns or checks(part, column, self._dialects)
        return with_it and not part.inline

    def _indexes_with(
        self, column: Column, table: Table, step: Step
    ) -> tuple[list[str], list[str]]:
        """Indexes that went away with a column: those made in its batch block, and those after."""
        inner: list[str] = []
        after: list[str] = []
        for index in (
            index for index in table.indexes if is_on(index, column.name, self._dialects)
        ):
            plain = made_in(index, step)
            lines = inner if plain else after
            lines += fragile(against_refilled_index(index, column))
            lines.append(self._render.create_index(index, step.target if plain else "op"))
        return inner, after

    def altered(self, change: c.AlterColumn, step: Step) -> Inverse:
        """What makes a column again what it was."""
        table = step.before.table(change.table)
        known = table is not None and change.table not in step.before.unknown
        column = table.column(change.column) if table and known else None
        if table is not None and column is not None and self._only_mysql:
            change = whole(change, table)
        options = dict(change.options)
        if not {"type_", "new_column_name", *COLUMN_PARTS[:-1]} & set(options):
            # `autoincrement=False` comes with what autogenerate reads on other databases.
            if _is_true(options.get("autoincrement")):
                raise NotKnownError("autoincrement")
            return Inverse()
        if table is not None and column is not None and "server_default" in options:
            column = self._numbering(column, table)
        renamed = options.get("new_column_name")
        name = change.column
        if renamed is not None:
            if renamed.string is None:
                raise NotKnownError("the new name")
            name = renamed.string
        parts = [*table_arguments(change.table, step, self._render)]
        parts.insert(
            1 if parts else 0,
            self._render.text(name)
            if renamed
            else spelled(self._render, step, "column_name", name),
        )
        parts += Alteration(self._render, self._dialects).back(change, column, options)
        defined_anew = self._only_mysql and "type_" in options
        if defined_anew and table is not None and numbered_column(table) == change.column:
            parts.append("autoincrement=True")  # it counts no more unless that is said
        if renamed is not None:
            said = spelled(self._render, step, "column_name", change.column)
            parts.append(f"new_column_name={said}")
        old = column.type if column else options.get("existing_type")
        rows = " or ".join(against_column(change, column, old, self._dialects, step.after))
        altered = call(f"{step.target}.alter_column", parts)
        taken, again = self._constraints.checks_anew(change, column, step)
        counts = table is not None and numbered_column(table) == change.column
        going = self._counting_on(change, column, options, counts=counts)
        return Inverse([*taken, *fragile(rows), altered, *again], after=going)

    def _counting_on(
        self,
        change: c.AlterColumn,
        column: Column | None,
        options: dict[str, Expression],
        *,
        counts: bool,
    ) -> list[str]:
        """What has numbers that come back go on behind the rows; `counts` where a default did.

        An identity would begin with 1, a sequence where it stood before.
        """
        default = options.get("server_default")
        if not self._native or column is None or not (column.identity or counts):
            return []
        if default is None or is_identity(default):
            return []
        table, own = sql_name(change.table), sql_name(Name(change.column))
        place, name = sql_value(table), sql_value(change.column)
        going = f"setval(pg_get_serial_sequence({place}, {name}), max({own}))"
        sql = f"SELECT {going} FROM {table} HAVING max({own}) > 0"  # noqa: S608 - quoted
        lines = [call("op.execute", [self._render.text(sql)])]
        header = f"if op.get_context().dialect.name == {self._render.text('postgresql')}:"
        return lines if self._only_native else inside(header, lines)

    def _numbering(self, column: Column, table: Table) -> Column:
        """A column with the default that PostgreSQL numbers rows by, where it has that."""
        if not self._native or numbered_column(table) != column.name:
            return column
        if not self._only_native:
            raise NotKnownError(f"which databases number rows by a default of `{column.name}`")
        self._render.need("import sqlalchemy as sa")
        sequence = column.sequence or sequence_of(table.name, column.name)
        made = sql_name(Name(sequence, table.name.schema))
        said = self._render.text(f"nextval('{made}'::regclass)")
        text = Expression(f"sa.text({said})", imports=("import sqlalchemy as sa",))
        return column.with_option("server_default", text)


def made_in(index: Index, step: Step) -> bool:
    """Whether a batch block, where the step stands in one, makes an index as it is."""
    return step.operation.batch is None or reflected(index) == index


def _is_true(expression: Expression | None) -> bool:
    return expression is not None and expression.value is not False


def _empty(column: Column) -> bool:
    return column.server_default is None and not column.fills_itself
