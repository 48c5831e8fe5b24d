"""Definitions as the Python a migration would have them in."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache, lru_cache

from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.imports import bound_names, missing_imports
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.objects import (
    Column,
    Constraint,
    EnumType,
    Index,
    Name,
    Options,
    Table,
    option,
    without,
)
from alembic_roundtrip.migration.syntax import parse
from alembic_roundtrip.text import Range, Source

_SA = "import sqlalchemy as sa"
_POSTGRESQL = "from sqlalchemy.dialects import postgresql"
_REMEMBERED = 4
"""Migrations whose habits are remembered: several fixes are written into one at a time."""
_WIDTH = 84  # what is left of 88 columns in a function
_INDENT = 4
_WORD = re.compile(r"\S+\s*|\s+")
_CLAUSE = re.compile(r"(?<=\s)(?:SET|FROM|WHERE|USING|GROUP BY|HAVING)\b")
_MODEL_ONLY = ("default", "onupdate", "insert_default", "doc", "info", "key", "_proxies")
_CONSTRUCTORS = {
    "primary": "sa.PrimaryKeyConstraint",
    "unique": "sa.UniqueConstraint",
    "check": "sa.CheckConstraint",
    "foreignkey": "sa.ForeignKeyConstraint",
    "exclude": "postgresql.ExcludeConstraint",
}
_OPERATIONS = {
    "primary": "create_primary_key",
    "unique": "create_unique_constraint",
    "check": "create_check_constraint",
    "foreignkey": "create_foreign_key",
    "exclude": "create_exclude_constraint",
}
_FINAL = re.compile(r"(?:\w+\.)+f\(")


class NotKnownError(Exception):
    """Something is needed that reading does not tell."""


class Renderer:
    """Writes definitions in the manner of one migration, and keeps the imports they need."""

    def __init__(self, migration: Migration) -> None:
        self._migration = migration
        self.imports: dict[str, None] = {}
        self._quote = _quote(migration)
        self._own = _defined(migration.source)

    def need(self, *statements: str) -> None:
        """Note imports; `NotKnownError` where a name of theirs is taken in this migration."""
        try:
            missing = missing_imports((*self._migration.imports, *self.imports), statements)
        except ValueError as error:
            raise NotKnownError(str(error)) from error
        if taken := self._own.intersection(name for name, _ in bound_names(missing)):
            raise NotKnownError(f"another name for `{min(taken)}`")
        self.imports |= dict.fromkeys(statements)

    def need_operations(self) -> None:
        """Note the import of `op`, where it is neither there nor an argument of the functions."""
        if "op" not in self._own:
            with suppress(NotKnownError):
                self.need("from alembic import op")

    def text(self, value: object) -> str:
        """A plain value."""
        if isinstance(value, str) and self._quote not in value and repr(value)[1:-1] == value:
            return f"{self._quote}{value}{self._quote}"
        return repr(value)

    def sql(self, text: str) -> str:
        """A string of SQL; one of several lines keeps them."""
        if "\n" not in text:
            return self.text(text)
        escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
        return f'"""\n{escaped}\n"""'

    def folded(self, text: str) -> list[str]:
        """Plain SQL as literals in a row, each of which fits into a line: clause by clause."""
        pieces = [""]
        for word in _WORD.findall(text):
            if not self._fits(pieces[-1] + word):
                clause = max((m.start() for m in _CLAUSE.finditer(pieces[-1])), default=0)
                begun = pieces[-1][clause:] if clause else ""
                begun = begun if self._fits(begun + word) else ""
                pieces[-1] = pieces[-1].removesuffix(begun)
                pieces.append(begun)
            pieces[-1] += word
        return [self.text(piece) for piece in pieces if piece]

    def _fits(self, piece: str) -> bool:
        return len(self.text(piece)) <= _WIDTH - _INDENT

    def executed(self, sql: str) -> str:
        """`op.execute(…)` of plain SQL, over several lines where it is long."""
        line = f"op.execute({self.text(sql)})"
        if len(line) <= _WIDTH:
            return line
        return "\n    ".join(["op.execute(", *self.folded(sql)]) + "\n)"

    def expression(self, expression: Expression) -> str:
        """An expression, where all its names mean here what they meant where it was written."""
        if not expression.text:
            raise NotKnownError("a definition made by SQL")
        known = {name for name, _ in bound_names(expression.imports)} | self._own
        try:
            needed = free_names(expression.text)
        except SyntaxError as error:
            # `*arguments` of a helper, or what could not be written on one line.
            raise NotKnownError(f"`{expression.text}`") from error
        if not needed <= known:
            raise NotKnownError(f"`{expression.text}`")
        self.need(*expression.imports)
        return expression.text

    def spelled(self, expression: Expression | None, value: str, target: str = "op") -> str:
        """A name as a call spells it: its quotes, and `op.f(…)`; else in the file's style."""
        if expression is None or expression.value != value:
            return self.text(value)
        if _FINAL.match(expression.text):
            return _FINAL.sub(f"{target}.f(", expression.text, count=1)
        return expression.text if expression.text[:1] in {"'", '"'} else self.text(value)

    def named(self, name: str, *, final: bool, target: str = "op") -> str:
        """The name of an object, with `op.f(…)` where naming conventions are not applied to it."""
        return f"{target}.f({self.text(name)})" if final else self.text(name)

    def names(self, names: Iterable[str]) -> str:
        """A list of names."""
        return f"[{', '.join(self.text(name) for name in names)}]"

    def options(self, options: Options, *but: str) -> list[str]:
        """Keyword arguments."""
        return [f"{key}={self.expression(value)}" for key, value in without(options, *but)]

    def schema(self, name: Name, keyword: str = "schema") -> list[str]:
        """The keyword argument for a table's schema, where it has one."""
        return [f"{keyword}={self.text(name.schema)}"] if name.schema else []

    def column(self, column: Column, table: Table, type_text: str | None = None) -> str:
        """`sa.Column(…)` with the constraints that are part of it."""
        own = [part for part in table.constraints if part.inline and column.name in part.columns]
        keys = [self._foreign_key(part) for part in own if part.kind == "foreignkey"]
        if column.type is None and type_text is None and not keys:
            raise NotKnownError(f"the type of `{table.name}.{column.name}`")
        parts = [self.text(column.name)]
        if type_text is not None:
            parts.append(type_text)
        elif column.type is not None:
            parts.append(self.expression(column.type))
        parts += [*keys, *(self.expression(argument) for argument in column.arguments)]
        # The database drops it with the column it is written at.
        parts += [self.constraint(p) for p in own if p.kind == "check" and not p.of_type]
        if any(part.kind == "unique" for part in own):
            parts.append("unique=True")
        parts += self.options(_column_options(column, table), *_MODEL_ONLY)
        return f"{self.expression(column.constructor)}({', '.join(parts)})"

    def _foreign_key(self, part: Constraint) -> str:
        if part.referent is None or not part.referent_columns:
            return self.expression(part.arguments[0])
        self.need(_SA)
        target = self.text(f"{part.referent}.{part.referent_columns[0]}")
        return f"sa.ForeignKey({', '.join([target, *self.options(part.options)])})"

    def constraint(self, part: Constraint) -> str:
        """A constraint inside `create_table`."""
        self.need(_POSTGRESQL if part.kind == "exclude" else _SA)
        parts: list[str]
        if part.kind == "foreignkey":
            parts = [self.names(part.columns), self.names(_targets(part))]
        else:
            parts = [self.text(name) for name in _listed(part)]
            parts += [self.expression(argument) for argument in part.arguments]
        if part.name is not None:
            parts.append(f"name={self.named(part.name, final=part.final)}")
        return f"{_CONSTRUCTORS[part.kind]}({', '.join([*parts, *self.options(part.options)])})"

    def create_table(self, table: Table, columns: Sequence[str]) -> str:
        """`op.create_table(…)` with rendered columns, one argument a line."""
        parts = [self.text(table.name.name), *columns]
        parts += [
            self.constraint(part)
            for part in table.constraints
            if not part.of_type and not part.inline
        ]
        parts += [*self.schema(table.name), *self.options(table.options)]
        return call("op.create_table", parts, wide=False)

    def create_constraint(self, table: Name, part: Constraint, target: str = "op") -> str:
        """`op.create_…_constraint(…)`."""
        if part.name is None:
            raise NotKnownError("the constraint's name")
        batch = target != "op"
        parts = [self.named(part.name, final=part.final, target=target)]
        parts += [] if batch else [self.text(table.name)]
        if part.kind == "foreignkey":
            if part.referent is None or len(part.referent_columns) != len(part.columns):
                raise NotKnownError(f"what `{part.name}` refers to")
            parts += [self.text(part.referent.name), self.names(part.columns)]
            parts += [self.names(part.referent_columns)]
            parts += [] if batch else self.schema(table, "source_schema")
            parts += self.schema(part.referent, "referent_schema")
        else:
            parts += [self.names(_listed(part))] if _listed(part) else []
            parts += [self.expression(argument) for argument in part.arguments]
            parts += [] if batch else self.schema(table)
        if not part.columns and not part.arguments:
            raise NotKnownError(f"the definition of `{part.name}`")
        parts += self.options(part.options, "name", "use_alter", "link_to_name")
        return call(f"{target}.{_OPERATIONS[part.kind]}", parts)

    def create_index(self, index: Index, target: str = "op") -> str:
        """`op.create_index(…)`."""
        if index.name is None:
            raise NotKnownError("the index's name")
        batch = target != "op"
        columns = ", ".join(self.expression(column) for column in index.columns)
        parts = [self.named(index.name, final=index.final, target=target)]
        parts += [] if batch else [self.text(index.table.name)]
        parts += [f"[{columns}]", *([] if batch else self.schema(index.table))]
        return call(f"{target}.create_index", [*parts, *self.options(index.options)])

    def enum(self, name: Name) -> str:
        """An enum type by its name only, for dropping it."""
        self.need(_SA)
        return f"sa.Enum({', '.join([f'name={self.text(name.name)}', *self.schema(name)])})"

    def existing_enum(self, enum: EnumType, *, only_postgresql: bool) -> str:
        """An enum type that creating a table does not create, because it is there."""
        if enum.members is None:
            raise NotKnownError(f"the members of `{enum.name}`")
        self.need(_POSTGRESQL)
        parts = [*map(self.text, enum.members), f"name={self.text(enum.name.name)}"]
        parts += self.schema(enum.name)
        own = f"postgresql.ENUM({', '.join([*parts, 'create_type=False'])})"
        if only_postgresql:
            return own
        self.need(_SA)
        variant = self.text("postgresql")
        return f"sa.Enum({', '.join(parts)}).with_variant({own}, {variant})"


def call(name: str, parts: Sequence[str], *, wide: bool = True) -> str:
    """A call on one line where it fits, else with an argument a line."""
    line = f"{name}({', '.join(parts)})"
    if len(parts) == 1 and parts[0].startswith('"""'):
        return line
    if wide and len(line) <= _WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), ")"])


@cache
def free_names(text: str) -> frozenset[str]:
    """The names an expression needs from outside, builtins left out."""
    names = [node for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)]
    arguments = {n.arg for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, ast.arg)}
    stored = {name.id for name in names if not isinstance(name.ctx, ast.Load)} | arguments
    return frozenset({name.id for name in names} - stored - set(dir(builtins)))


def _quote(migration: Migration) -> str:
    """The quotes that most plain strings of a migration have."""
    # The downgrade is about to be replaced: its quotes are not the author's for long.
    return _usual_quote(migration.source, migration.downgrade and migration.downgrade.range)


@lru_cache(maxsize=_REMEMBERED)
def _usual_quote(source: Source, old: Range | None) -> str:
    counts = {"'": 0, '"': 0}
    for node in ast.walk(parse(source).tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if old is not None and old.start.line <= node.lineno <= old.end.line:
            continue
        start = source.line(node.lineno).encode()[node.col_offset :].decode(errors="replace")
        literal = start.lstrip("rRuUbB")
        if not literal.startswith(('"""', "'''")) and literal[:1] in counts:
            counts[literal[0]] += 1
    return "'" if counts["'"] > counts['"'] else '"'


@lru_cache(maxsize=_REMEMBERED)
def _defined(source: Source) -> frozenset[str]:
    """Names that the module itself binds, besides imports, and what its upgrade is given."""
    return frozenset(_bound_in(parse(source).tree.body))


def _bound_in(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
            if isinstance(node, ast.FunctionDef) and node.name == "upgrade":
                yield from (argument.arg for argument in node.args.args)
        elif isinstance(node, ast.Assign):
            yield from (part.id for part in node.targets if isinstance(part, ast.Name))


def _column_options(column: Column, table: Table) -> Options:
    key = option(column.options, "primary_key")
    primary = {name for p in table.constraints if p.kind == "primary" for name in p.columns}
    if key is not None and column.name not in primary:
        return without(column.options, "primary_key")
    return column.options


def _listed(part: Constraint) -> tuple[str, ...]:
    """The columns that a constraint's constructor takes: not the one that a CHECK is written at."""
    return () if part.kind == "check" else part.columns


def _targets(part: Constraint) -> list[str]:
    if part.referent is None or len(part.referent_columns) != len(part.columns):
        raise NotKnownError("what a foreign key refers to")
    return [f"{part.referent}.{column}" for column in part.referent_columns]
