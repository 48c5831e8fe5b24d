"""A type or collation is another dialect's: the database, or SQLAlchemy, refuses it.

## Why it matters
A migration that was generated on one database names that database's own types. On another one the
operation raises, most often in a downgrade, which nobody has run there.

## What to do
Use SQLAlchemy's own type (`sa.LargeBinary()` for `BYTEA`), a variant for each dialect, or a
condition on the dialect.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.measurements import DATABASES
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.rule import Rule

_DEFINING = (c.CreateTable, c.AddColumn, c.AlterColumn)

rule = Rule(__name__, severity="error", upgrade=_DEFINING, downgrade=_DEFINING)

OWN_TYPES = {
    "postgresql": frozenset(
        "ARRAY BYTEA CIDR CITEXT DATERANGE HSTORE INET INT4RANGE INT8RANGE INTERVAL JSONB MACADDR "
        "MACADDR8 MONEY NUMRANGE OID REGCLASS TSQUERY TSRANGE TSTZRANGE TSVECTOR".split()
    ),
    "mysql": frozenset(
        "LONGBLOB LONGTEXT MEDIUMBLOB MEDIUMINT MEDIUMTEXT SET TINYBLOB TINYINT TINYTEXT "
        "YEAR".split()
    ),
}
"""Types that SQLAlchemy writes down for no other dialect."""
_OF_MYSQL = re.compile(r"(?:utf8(?:mb[34])?|latin1|ascii|ucs2)_\w+")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Types of columns in both directions, on each of the project's dialects."""
    seen: set[tuple[object, str]] = set()
    known = [dialect for dialect in context.dialects if dialect in DATABASES]
    for operation in (*context.upgrade_operations, *context.downgrade_operations):
        dialects = [dialect for dialect in known if operation.runs_on(dialect)]
        for written in (t for change in operation.changes for t in _types(change)):
            for dialect in dialects if not operation.doubtful else ():
                why = _refusal(written, dialect)
                if why and (operation.range, why) not in seen:
                    seen.add((operation.range, why))
                    yield Finding(operation.range, f"{DATABASES[dialect]} has no {why}")


def _types(change: c.Change) -> Iterator[Expression]:
    """The types that a change has written down in SQL."""
    if isinstance(change, c.CreateTable):
        yield from (column.type for column in change.table.columns if column.type is not None)
    elif isinstance(change, c.AddColumn) and change.column.type is not None:
        yield change.column.type
    elif isinstance(change, c.AlterColumn):
        new = option(change.options, "type_")
        if new is not None:
            yield new


def is_foreign(owner: str, name: str, dialect: str) -> bool:
    """Whether a type of one dialect is none of another; SQLAlchemy 2.1 knows SQLite's JSONB."""
    at_home = {owner, "mariadb"} if owner == "mysql" else {owner}
    return name in OWN_TYPES[owner] and dialect not in at_home | (
        {"sqlite"} if name == "JSONB" else set()
    )


@lru_cache(maxsize=1024)  # a history has the same few types again and again
def _refusal(written: Expression, dialect: str) -> str | None:
    """What a dialect lacks for a type; None where it has it, or where that is not known."""
    try:
        node = ast.parse(written.text, mode="eval").body
    except SyntaxError:
        return None
    callee = node.func if isinstance(node, ast.Call) else node
    name = callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")
    module = ast.unparse(callee.value) if isinstance(callee, ast.Attribute) else ""
    for owner in OWN_TYPES:
        named = module.rpartition(".")[2] == owner or any(
            f"sqlalchemy.dialects.{owner} import" in line for line in written.imports if not module
        )
        if named and is_foreign(owner, name, dialect):
            return f"type `{name}`"
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg != "collation" or dialect in MYSQL:
            continue
        if isinstance(value, str) and _OF_MYSQL.fullmatch(value):
            return f"collation `{value}`"
    return None


rule.example(
    "PostgreSQL's bytes in SQLite",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", postgresql.BYTEA()))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ SQLite has no type `BYTEA`
    """,
    dialects=("sqlite", "postgresql"),
)
rule.example(
    "MySQL's collation in PostgreSQL",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", mysql.VARCHAR(9, collation="utf8mb4_0900_as_cs")))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ PostgreSQL has no collation `utf8mb4_0900_as_cs`
    """,
    dialects=("postgresql",),
)
rule.example(
    "PostgreSQL's JSON in MySQL",
    """
    from sqlalchemy.dialects.postgresql import ARRAY, JSONB


    def upgrade():
        op.add_column("users", sa.Column("data", JSONB()))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ MySQL has no type `JSONB`
        op.add_column("users", sa.Column("tags", ARRAY(sa.Text())))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ MySQL has no type `ARRAY`
    """,
    dialects=("mysql",),
)
rule.example(
    "The dialect is asked for",
    """
    def upgrade():
        if op.get_context().dialect.name == "postgresql":
            op.add_column("users", sa.Column("raw", postgresql.BYTEA()))


    def downgrade():
        if op.get_context().dialect.name == "postgresql":
            op.drop_column("users", "raw")
    """,
    dialects=("sqlite", "postgresql"),
)
rule.example(
    "A variant for one dialect",
    """
    def upgrade():
        op.add_column("users", sa.Column("a", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")))


    def downgrade():
        op.drop_column("users", "a")
    """,
    dialects=("sqlite", "postgresql"),
)
rule.example(
    "On the database that it is of",
    """
    def upgrade():
        op.add_column("users", sa.Column("a", postgresql.INET()))


    def downgrade():
        op.drop_column("users", "a")
    """,
    dialects=("postgresql",),
)
