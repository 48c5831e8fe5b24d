"""The arguments that give an altered column back the definition it had."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Column, is_identity, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer

_CAST_NAMES = {
    "integer": "integer",
    "biginteger": "bigint",
    "bigint": "bigint",
    "smallinteger": "smallint",
    "smallint": "smallint",
    "boolean": "boolean",
    "date": "date",
    "float": "double precision",
    "numeric": "numeric",
    "uuid": "uuid",
    "json": "json",
    "jsonb": "jsonb",
    "datetime": "timestamp",
    "interval": "interval",
}
_STRINGS = frozenset({"string", "text", "unicode", "unicodetext", "varchar", "char", "enum"})
_NUMBERS = frozenset({"integer", "biginteger", "bigint", "smallinteger", "smallint", "numeric"})
COLUMN_PARTS = ("nullable", "server_default", "comment", "autoincrement")
TRUE = Expression("True", value=True)
_FALSE = Expression("False", value=False)
NONE = Expression("None", value=None)
_AUTO = Expression('"auto"', value=None)


class Alteration:
    """Writes `alter_column` the other way round, for a project's dialects."""

    def __init__(self, render: Renderer, dialects: tuple[str, ...]) -> None:
        self._render = render
        self._native = not dialects or "postgresql" in dialects
        self._whole = bool(dialects) and {*dialects} <= MYSQL
        self._on_mysql = bool(MYSQL & {*dialects})

    def back(
        self, change: c.AlterColumn, column: Column | None, options: dict[str, Expression]
    ) -> Iterator[str]:
        """The keyword arguments that give a column its definition before the change."""
        old_type = column.type if column and column.type else options.get("existing_type")
        new_type = options.get("type_")
        same = new_type is not None and old_type is not None and new_type.text == old_type.text
        if same and not self._on_mysql:
            # It was not that where the call was written, or would not have been changed; MySQL
            # takes whatever is called the type.
            old_type, same = options.get("existing_type", old_type), False
        known = new_type or old_type
        if new_type is not None and old_type is None:
            raise NotKnownError(f"the type of `{change.table}.{change.column}`")
        if known is not None:
            yield f"existing_type={self._render.expression(known)}"
        if new_type is not None and old_type is not None and not same:
            yield f"type_={self._render.expression(old_type)}"
        for part in COLUMN_PARTS:
            before = self._part(part, column, options)
            if part == "server_default" and part in options and is_identity(options[part]):
                yield f"existing_{part}={self._render.expression(options[part])}"
            if part in options and not (self._whole and _same(before, options[part])):
                if before is None:
                    raise NotKnownError(f"{part} of `{change.table}.{change.column}`")
                yield f"{part}={self._render.expression(before)}"
            elif before is not None and before.value not in {None, False} and known is not None:
                yield f"existing_{part}={self._render.expression(before)}"
            elif part == "nullable" and before is not None and new_type is not None:
                yield f"existing_nullable={self._render.expression(before)}"
        if new_type is not None and old_type is not None and self._native:
            yield from self._cast(change, options, new_type, old_type)

    @staticmethod
    def _part(
        part: str, column: Column | None, options: dict[str, Expression]
    ) -> Expression | None:
        """What a part of a column was; None where that is not known."""
        if part == "nullable" and column is not None and column.nullable is not None:
            return TRUE if column.nullable else _FALSE
        if part == "server_default" and part in options and column is not None and column.identity:
            return column.identity
        if column is not None and column.type is not None and part != "nullable":
            return option(column.options, part) or (_AUTO if part == "autoincrement" else NONE)
        given = options.get(f"existing_{part}")
        if given is not None:
            return given
        new = options.get(part)
        changed = [key for key in options if not key.startswith("existing_")]
        if part == "nullable" and new is not None and changed == ["nullable"]:
            # Nothing else is changed: it was the other way round.
            return _FALSE if new.value is True else TRUE
        return None

    @staticmethod
    def _cast(
        change: c.AlterColumn, options: dict[str, Expression], new: Expression, old: Expression
    ) -> Iterator[str]:
        """`postgresql_using` where PostgreSQL does not cast back by itself."""
        new_kind, old_kind = type_name(new), type_name(old)
        if old_kind in _STRINGS - {"enum"} or {old_kind, new_kind} <= _NUMBERS:
            return
        if old_kind == new_kind and "postgresql_using" not in options:
            return
        if new_kind not in _STRINGS and "postgresql_using" not in options:
            return
        name = options.get("new_column_name")
        sql = cast(name.string if name is not None and name.string else change.column, old)
        if sql is None:
            raise NotKnownError(f"the cast back to `{old.text}`")
        yield f"postgresql_using={sql!r}"


def _same(one: Expression | None, other: Expression) -> bool:
    if one is None or not (one.known and other.known):
        return one is not None and one.text == other.text
    return bool(one.value == other.value)


def cast(column: str, to: Expression) -> str | None:
    """PostgreSQL's expression that makes another type of a column; None for one it may not take."""
    sql = _CAST_NAMES.get(type_name(to))
    quoted = column if re.fullmatch(r"[a-z_][a-z0-9_]*", column) else f'"{column}"'
    return None if sql is None else f"{quoted}::{sql}"


def type_name(expression: Expression) -> str:
    """`string` for `sa.String(length=30)`."""
    return expression.text.partition("(")[0].rpartition(".")[2].lower()
