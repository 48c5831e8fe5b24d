"""Columns and constraints as SQL defines them, in the values that SQLAlchemy's definitions give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.objects import Column, Constraint, Name
from alembic_roundtrip.migration.sql.types import is_serial, type_of
from alembic_roundtrip.migration.sql.words import Statement

_SA = "import sqlalchemy as sa"
_TRUE = Expression("True", value=True)
_FALSE = Expression("False", value=False)
_RULES = {"ON DELETE ": "ondelete", "ON UPDATE ": "onupdate", "MATCH ": "match"}


class NotReadError(Exception):
    """A part of a definition that has no value to stand for it."""


@dataclass
class Definitions:
    """Reads the definitions of one statement; the names in it are made lower where `lower` says.

    Conditions are taken as they are written, so they are counted off while reading.
    """

    statement: Statement
    dialect: str
    lower: bool = False
    _checks: int = field(default=0, init=False)

    def identifier(self, node: exp.Expression | None) -> str:
        """A name as the database has it."""
        if isinstance(node, exp.Column | exp.Ordered) and not node.args.get("table"):
            node = node.this
        if not isinstance(node, exp.Identifier):
            raise NotReadError
        name = str(node.this)
        return name.lower() if self.lower and not node.args.get("quoted") else name

    def name(self, node: exp.Expression | None) -> Name:
        """A table's name with its schema."""
        if not isinstance(node, exp.Table):
            raise NotReadError
        schema = node.args.get("db")
        return Name.of(self.identifier(node.this), self.identifier(schema) if schema else None)

    def text(self, node: exp.Expression) -> str:
        """An expression as SQL, for what is not compared by its spelling."""
        return node.sql(_SQLGLOT.get(self.dialect, self.dialect), normalize_functions=False)

    def column(self, node: exp.ColumnDef) -> tuple[Column, tuple[Constraint, ...]]:
        """A column, and the constraints that are part of its definition."""
        name = self.identifier(node.this)
        kind = node.args.get("kind")
        parts = _Parts(name)
        for constraint in node.args.get("constraints") or ():
            self._own(constraint, parts)
        made = type_of(kind, self.dialect, parts.collation) if kind is not None else None
        options = list(parts.options)
        primary = any(part.kind == "primary" for part in parts.constraints)
        if is_serial(kind):
            parts.nullable = False
            if not primary:
                sequence = f"sa.Sequence({literal(f'{name}_seq').text})"
                parts.arguments.append(Expression(sequence, imports=(_SA,)))
        if primary:
            parts.nullable = False
            options.append(("primary_key", _TRUE))
        elif not parts.nullable:
            options.append(("nullable", _FALSE))
        column = Column(name, made, tuple(parts.arguments), tuple(options), parts.nullable)
        return column, tuple(parts.constraints)

    def _own(self, node: exp.ColumnConstraint, parts: _Parts) -> None:
        """One constraint of a column's definition."""
        kind = node.args["kind"]
        named = node.args.get("this")
        name = self.identifier(named) if named is not None else None
        if isinstance(kind, exp.NotNullColumnConstraint):
            parts.nullable = bool(kind.args.get("allow_null"))
        elif isinstance(kind, exp.DefaultColumnConstraint):
            parts.options.append(("server_default", self.default(kind.this)))
        elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
            parts.add(Constraint("primary", name, (parts.column,), inline=True, final=True))
        elif isinstance(kind, exp.UniqueColumnConstraint) and kind.this is None:
            parts.add(Constraint("unique", name, (parts.column,), inline=True, final=True))
        elif isinstance(kind, exp.CheckColumnConstraint):
            check = self._check(name)
            parts.add(replace(check, columns=(parts.column,), inline=True))
        elif isinstance(kind, exp.Reference):
            key = self._reference(kind, (parts.column,), name)
            parts.add(replace(key, inline=True, at_column=True))
        elif isinstance(kind, exp.CommentColumnConstraint):
            parts.options.append(("comment", literal(kind.name)))
        elif isinstance(kind, exp.CollateColumnConstraint):
            parts.collation = kind.this.name
        elif isinstance(kind, exp.AutoIncrementColumnConstraint):
            parts.options.append(("autoincrement", _TRUE))
        elif isinstance(kind, exp.GeneratedAsIdentityColumnConstraint):
            always = "always=True" if kind.this else ""
            parts.arguments.append(Expression(f"sa.Identity({always})", imports=(_SA,)))
            parts.nullable = False
        elif isinstance(kind, exp.ComputedColumnConstraint):
            text = f"sa.Computed({literal(self.text(kind.this)).text})"
            parts.arguments.append(Expression(text, imports=(_SA,)))
        elif not isinstance(kind, exp.CharacterSetColumnConstraint):
            raise NotReadError

    def default(self, node: exp.Expression) -> Expression:
        """A server default; a string's cast to the column's type says nothing more."""
        if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
            node = node.this
        if isinstance(node, exp.Literal) and node.is_string:
            return literal(node.name)
        if isinstance(node, exp.Null):
            return literal(None)
        return Expression(f"sa.text({literal(self.text(node)).text})", imports=(_SA,))

    def constraints(self, node: exp.Expression) -> Iterator[Constraint]:
        """The table constraints that a part of a statement defines."""
        if isinstance(node, exp.Constraint):
            name = self.identifier(node.this)
            yield from (self._constraint(part, name) for part in node.expressions)
        elif isinstance(node, exp.AddConstraint):
            for part in node.expressions:
                yield from self.constraints(part)
        else:
            yield self._constraint(node, None)

    def _constraint(self, node: exp.Expression, name: str | None) -> Constraint:
        if isinstance(node, exp.PrimaryKey):
            return Constraint("primary", name, self._names(node.expressions), final=True)
        if isinstance(node, exp.UniqueColumnConstraint) and isinstance(node.this, exp.Schema):
            if node.this.this is not None:
                name = self.identifier(node.this.this)
            return Constraint("unique", name, self._names(node.this.expressions), final=True)
        if isinstance(node, exp.CheckColumnConstraint):
            return self._check(name)
        if isinstance(node, exp.ForeignKey):
            return self._foreign_key(node, name)
        raise NotReadError

    def _names(self, nodes: list[exp.Expression]) -> tuple[str, ...]:
        return tuple(self.identifier(node) for node in nodes)

    def _check(self, name: str | None) -> Constraint:
        """The next CHECK of the statement, with its condition as written."""
        text = self.statement.group_after("CHECK", self._checks)
        self._checks += 1
        if text is None:
            raise NotReadError
        return Constraint("check", name, (), (literal(text),), final=True)

    def _foreign_key(self, node: exp.ForeignKey, name: str | None) -> Constraint:
        reference = node.args.get("reference")
        if not isinstance(reference, exp.Reference):
            raise NotReadError
        made = self._reference(reference, self._names(node.expressions), name)
        rules = [(key, node.args.get(arg)) for key, arg in _RULE_ARGUMENTS.items()]
        said = tuple((key, literal(str(rule).upper())) for key, rule in rules if rule)
        return replace(made, options=(*made.options, *said))

    def _reference(
        self, node: exp.Reference, columns: tuple[str, ...], name: str | None
    ) -> Constraint:
        target = node.this
        remote: tuple[str, ...] = ()
        if isinstance(target, exp.Schema):
            remote, target = self._names(target.expressions), target.this
        return Constraint(
            "foreignkey",
            name,
            columns,
            options=tuple(_rules(str(option) for option in node.args.get("options") or ())),
            referent=self.name(target),
            referent_columns=remote,
            final=True,
        )


_SQLGLOT = {"postgresql": "postgres", "cockroachdb": "postgres", "mariadb": "mysql"}
_SQLGLOT |= {"mssql": "tsql"}
_RULE_ARGUMENTS = {"ondelete": "delete", "onupdate": "update"}


@dataclass
class _Parts:
    """What the constraints of a column's definition come to."""

    column: str
    nullable: bool = True
    collation: str | None = None
    options: list[tuple[str, Expression]] = field(default_factory=list)
    arguments: list[Expression] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)

    def add(self, constraint: Constraint) -> None:
        self.constraints.append(constraint)


def _rules(words: Iterator[str]) -> Iterator[tuple[str, Expression]]:
    """A foreign key's rules: `ON DELETE CASCADE`, `DEFERRABLE`, `INITIALLY DEFERRED`."""
    for word in words:
        upper = word.upper()
        if upper in {"DEFERRABLE", "NOT DEFERRABLE"}:
            yield "deferrable", _TRUE if upper == "DEFERRABLE" else _FALSE
        elif upper.startswith("INITIALLY "):
            yield "initially", literal(upper.removeprefix("INITIALLY "))
        for prefix, key in _RULES.items():
            if upper.startswith(prefix):
                yield key, literal(upper.removeprefix(prefix))


def with_primary_key(columns: list[Column], constraints: list[Constraint]) -> list[Column]:
    """Columns of the primary key take no NULL."""
    primary = {c for part in constraints if part.kind == "primary" for c in part.columns}
    return [
        replace(column, nullable=False) if column.name in primary else column for column in columns
    ]
