"""Schema objects as a migration defines them: tables, columns, indexes, constraints, enum types."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from alembic_roundtrip.migration.expression import Expression

Options = tuple[tuple[str, Expression], ...]
"""Keyword arguments in their order."""

ConstraintKind = Literal["primary", "unique", "check", "foreignkey", "exclude"]
"""The words of Alembic's `drop_constraint(type_=…)`, and `exclude`."""


def option(options: Options, name: str) -> Expression | None:
    """The keyword argument of that name."""
    for key, value in options:  # a loop: a generator takes three times as long
        if key == name:
            return value
    return None


def without(options: Options, *names: str) -> Options:
    """The keyword arguments but those of these names."""
    return tuple([pair for pair in options if pair[0] not in names])


class Name(NamedTuple):
    """A table's, type's or view's name, with its schema (empty: the default one)."""

    name: str
    schema: str = ""

    @classmethod
    def of(cls, name: str, schema: str | None) -> Name:
        """A name as a migration says it; PostgreSQL's `public` is where names go by themselves."""
        return cls(name, "" if schema is None or schema == "public" else schema)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


_COLUMN = Expression("sa.Column", imports=("import sqlalchemy as sa",))


@dataclass(frozen=True, slots=True)
class Column:
    """A column as `sa.Column(name, type, *arguments, **options)` gives it.

    Its own foreign keys, CHECKs, UNIQUE and index are constraints and indexes of the table, not
    part of it. `nullable` is None where it is not a literal.
    """

    name: str
    type: Expression | None
    arguments: tuple[Expression, ...] = ()
    options: Options = ()
    nullable: bool | None = True
    constructor: Expression = _COLUMN
    sequence: str = field(default="", compare=False)
    """What PostgreSQL calls the sequence of its numbers, where that is not what it would call it.

    Of a column that has lost the default that numbered it: what its sequence is called at all.
    """

    @property
    def server_default(self) -> Expression | None:
        """The server default; a literal None means none."""
        default = option(self.options, "server_default")
        return None if default is not None and default.value is None else default

    @property
    def computed(self) -> Expression | None:
        """The `sa.Computed(…)` that makes its values."""
        return next((each for each in self.arguments if "Computed(" in each.text), None)

    @property
    def identity(self) -> Expression | None:
        """The `sa.Identity(…)` that numbers its rows."""
        return next((each for each in self.arguments if is_identity(each)), None)

    @property
    def fills_itself(self) -> bool:
        """Whether the database gives existing rows a value without a server default."""
        generated = ("Identity(", "Computed(", "Sequence(")
        return any(mark in argument.text for argument in self.arguments for mark in generated)

    def with_option(self, name: str, value: Expression | None) -> Column:
        """The same column with one keyword argument set, or left out for None."""
        options = without(self.options, name)
        return replace(self, options=options if value is None else (*options, (name, value)))


def is_identity(expression: Expression) -> bool:
    """Whether what is given as a server default is an identity: no default, to the database."""
    return "Identity(" in expression.text


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `columns` are names or expressions as written."""

    name: str | None
    table: Name
    columns: tuple[Expression, ...]
    options: Options = ()
    final: bool = False
    """Whether its name is `op.f(…)`: naming conventions are not applied to it."""
    implied: bool = False
    """Whether it comes from `index=True` at a column."""
    sure: bool = True
    """False where a naming convention that could not be read has a say in its name."""

    @property
    def unique(self) -> bool:
        """Whether it is known to be unique."""
        unique = option(self.options, "unique")
        return unique is not None and unique.known and bool(unique.value)

    @property
    def partial(self) -> bool:
        """Whether it leaves rows out, on one database at least."""
        return any(name.endswith("_where") for name, _ in self.options)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table.

    `columns` are its own columns (empty for CHECK); `arguments` what the constructor takes beside
    them: a CHECK's condition, a foreign key's `(referent table, referent columns)`.
    `inline` is true where it is part of a column's definition; a foreign key then has the text of
    its `ForeignKey(…)` as only argument.
    """

    kind: ConstraintKind
    name: str | None
    columns: tuple[str, ...] = ()
    arguments: tuple[Expression, ...] = ()
    options: Options = ()
    referent: Name | None = None
    referent_columns: tuple[str, ...] = ()
    inline: bool = False
    final: bool = False
    """Whether its name is `op.f(…)`: naming conventions are not applied to it."""
    generated: str | None = None
    """The name that the database has given it, where the migration gives none."""
    sure: bool = True
    """False where a naming convention that could not be read has a say in its name."""
    of_type: str = ""
    """For the CHECK of a `Boolean` or `Enum`: which of them; a database that has it needs none."""
    retyped: tuple[tuple[Expression, Expression], ...] = field(default=(), compare=False)
    """For the CHECK of a column whose type has changed since: from what to what, each time."""
    at_column: bool = field(default=False, compare=False)
    """Whether a foreign key stands in its column's text; SQLAlchemy writes it behind them."""

    def is_known_as(self, name: str | None) -> bool:
        """Whether that is its name in the database."""
        return name is not None and name in {self.name, self.generated}


@dataclass(frozen=True, slots=True)
class EnumType:
    """A named enum type of the database, with its members in order where they are known."""

    name: Name
    members: tuple[str, ...] | None
    text: Expression


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `complete` is false where some of its columns could not be read."""

    name: Name
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    options: Options = ()
    complete: bool = True

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        return None

    def index(self, name: str | None) -> Index | None:
        """The index of that name."""
        return next((index for index in self.indexes if index.name == name), None)

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """Columns by which the database tells rows apart, those of the primary key first."""
        parts = [
            part.columns
            for kind in ("primary", "unique")
            for part in self.constraints
            if part.kind == kind and part.columns
        ]
        for index in self.indexes:
            names = tuple(str(column.value) for column in index.columns if column.string)
            if index.unique and not index.partial and names and len(names) == len(index.columns):
                parts.append(names)
        return tuple(parts)

    def tells_apart(self, columns: Collection[str]) -> bool:
        """Whether no two rows have the same values in these columns."""
        return any(set(key).issubset(columns) for key in self.keys)
