"""Made-up operations on the tables that a database has, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

Tables = dict[str, dict[str, Any]]
"""A catalogue as `corpus.catalogue` reads it."""

_TYPES = (
    "sa.Integer()",
    "sa.String(30)",
    "sa.Text()",
    "sa.Boolean()",
    "sa.Numeric(8, 2)",
    "sa.DateTime()",
    "sa.BigInteger()",
)
_CHECKED = (
    'sa.Boolean(create_constraint=True, name="ck_{0}")',
    'sa.Enum("a", "b", create_constraint=True, native_enum=False, name="ck_{0}")',
    'sa.Enum("a", "b", native_enum=False, name="kind_{0}")',
)
_DEFAULTS = ("", "", "", ', server_default="7"', ', server_default=sa.text("7")')


class Maker:
    """Makes the body of one migration after the other, for SQLite or for any other database."""

    def __init__(self, seed: int, *, batch: bool) -> None:
        self.random = random.Random(seed)
        self.batch = batch
        self.number = 0
        self.keyed: set[str] = set()

    def body(self, tables: Tables) -> str:
        """One statement, or a batch block of several."""
        if len(tables) < 2 or self.random.random() < 0.15:
            return self.create_table(tables)
        table = self.random.choice([*tables])
        if self.batch and self.random.random() < 0.6:
            return self.block(table, tables)
        makers: list[Callable[[str, Tables, str], str]] = [
            self.add_column,
            self.drop_column,
            self.create_index,
            self.drop_index,
            self.rename_table,
            self.drop_table,
        ]
        if not self.batch:
            makers += [self.alter_column, self.create_constraint, self.drop_constraint]
        return self.random.choice(makers)(table, tables, "op")

    def block(self, table: str, tables: Tables) -> str:
        options = self.random.choice(("", "", ', recreate="always"', ', recreate="never"'))
        if self.random.random() < 0.2:
            options += ', naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s", '
            options += '"fk": "fk_%(table_name)s_%(column_0_name)s"}'
        makers = (
            self.add_column,
            self.drop_column,
            self.alter_column,
            self.create_index,
            self.drop_index,
            self.create_constraint,
            self.drop_constraint,
        )
        count = self.random.randint(1, 3)
        lines = [self.random.choice(makers)(table, tables, "b") for _ in range(count)]
        body = "".join(f"\n    {line}" for line in dict.fromkeys(lines))
        return f'with op.batch_alter_table("{table}"{options}) as b:{body}'

    def name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def type(self, *, checked: bool = True) -> str:
        kinds = (*_TYPES, *_CHECKED) if checked else _TYPES
        return self.random.choice(kinds).format(self.name(""))

    def column(self, tables: Tables, *, added: bool = False) -> str:
        options = self.random.choice(("", "", ", nullable=True", ", nullable=False"))
        default = self.random.choice(_DEFAULTS)
        if added and "False" in options:
            default = ', server_default="7"'
        if not added:
            options += self.random.choice(("", "", "", ", unique=True", ", index=True"))
        key = ""
        if tables and self.random.random() < 0.2 and not added:
            rule = self.random.choice(("", ', ondelete="CASCADE"'))
            key = f', sa.ForeignKey("{self.random.choice([*tables])}.id"{rule})'
        kind = "sa.Integer()" if key else self.type()
        if "create_constraint" in kind and default:
            # No default of ours is one of its values.
            options, default = options.replace(", nullable=False", ""), ""
        return f'sa.Column("{self.name("c")}", {kind}{key}{options}{default})'

    def create_table(self, tables: Tables) -> str:
        parts = ['sa.Column("id", sa.Integer(), primary_key=True)']
        names = [self.name("c") for _ in range(self.random.randint(2, 3))]
        parts += [f'sa.Column("{name}", {self.type(checked=False)})' for name in names]
        parts += [self.column(tables) for _ in range(self.random.randint(0, 2))]
        parts += self.random.sample([*self.constraints(names)], self.random.randint(0, 2))
        return f'op.create_table("{self.name("t")}", {", ".join(parts)})'

    def constraints(self, names: list[str]) -> Iterator[str]:
        columns = ", ".join(f'"{name}"' for name in names)
        yield f"sa.UniqueConstraint({columns})"
        yield f'sa.UniqueConstraint("{names[1]}", name="{self.name("uq")}")'
        yield f"sa.CheckConstraint(\"{names[0]} <> '1'\")"
        yield f'sa.CheckConstraint("{names[0]} IS NOT NULL", name="{self.name("ck")}")'

    def on(self, table: str, target: str) -> str:
        return f'"{table}", ' if target == "op" else ""

    def some_column(self, table: str, tables: Tables) -> str:
        return self.random.choice([*tables[table]["columns"]])

    def add_column(self, table: str, tables: Tables, target: str) -> str:
        return f"{target}.add_column({self.on(table, target)}{self.column(tables, added=True)})"

    def drop_column(self, table: str, tables: Tables, target: str) -> str:
        column = self.some_column(table, tables)
        return f'{target}.drop_column({self.on(table, target)}"{column}")'

    def alter_column(self, table: str, tables: Tables, target: str) -> str:
        change = self.random.choice(
            (
                "nullable=True",
                "nullable=False",
                f"type_={self.type(checked=False)}",
                'server_default="8"',
                "server_default=None",
                f'new_column_name="{self.name("c")}"',
            )
        )
        column = self.some_column(table, tables)
        return f'{target}.alter_column({self.on(table, target)}"{column}", {change})'

    def create_index(self, table: str, tables: Tables, target: str) -> str:
        column = self.some_column(table, tables)
        shapes = [f'"{column}"', f'"{column}"', f'"{column}", "id"']
        if target == "op":
            shapes += [f'sa.text("{column} DESC")', f'sa.text("lower({column})")']
        unique = self.random.choice(("", ", unique=True"))
        columns = self.random.choice(shapes)
        name = self.name("ix")
        return f'{target}.create_index("{name}", {self.on(table, target)}[{columns}]{unique})'

    def drop_index(self, table: str, tables: Tables, target: str) -> str:
        names = [index["name"] for index in tables[table]["indexes"]]
        if not names:
            return self.create_index(table, tables, target)
        where = f', table_name="{table}"' if target == "op" else ""
        return f'{target}.drop_index("{self.random.choice(names)}"{where})'

    def create_constraint(self, table: str, tables: Tables, target: str) -> str:
        column, on = self.some_column(table, tables), self.on(table, target)
        keys = [part for part in tables[table]["constraints"] if part["kind"] == "foreignkey"]
        if column in self.keyed or any(column in key["columns"] for key in keys):
            # Of two keys of a column, SQLAlchemy's inspector sees one.
            return self.create_index(table, tables, target)
        self.keyed.add(column)
        other = self.random.choice([*tables])
        key = f'{on}"{other}", ["{column}"], ["id"]'
        return self.random.choice(
            (
                f'{target}.create_unique_constraint("{self.name("uq")}", {on}["{column}", "id"])',
                f'{target}.create_check_constraint("{self.name("ck")}", {on}"id > 0")',
                f'{target}.create_foreign_key("{self.name("fk")}", {key})',
                f'{target}.create_primary_key("{self.name("pk")}", {on}["{column}"])',
            )
        )

    def drop_constraint(self, table: str, tables: Tables, target: str) -> str:
        found = [part for part in tables[table]["constraints"] if part["name"]]
        if not found:
            return self.create_constraint(table, tables, target)
        part = self.random.choice(found)
        kind = self.random.choice(("", f', type_="{part["kind"]}"'))
        on = f', "{table}"' if target == "op" else ""
        return f'{target}.drop_constraint("{part["name"]}"{on}{kind})'

    def rename_table(self, table: str, _: Tables, __: str) -> str:
        return f'op.rename_table("{table}", "{self.name("t")}")'

    def drop_table(self, table: str, _: Tables, __: str) -> str:
        return f'op.drop_table("{table}")'
