"""SQL's types as SQLAlchemy's, so that both ways to define a column can be compared."""

from __future__ import annotations

from sqlglot import exp

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration.expression import Expression, literal

_SA = "import sqlalchemy as sa"
_PLAIN = {
    "BIGINT": "BigInteger()",
    "BLOB": "LargeBinary()",
    "BOOLEAN": "Boolean()",
    "DATE": "Date()",
    "DOUBLE": "Float(53)",
    "INT": "Integer()",
    "INTERVAL": "Interval()",
    "JSON": "JSON()",
    "SMALLINT": "SmallInteger()",
    "TEXT": "Text()",
    "TIMESTAMPTZ": "DateTime(timezone=True)",
    "TIMETZ": "Time(timezone=True)",
    "BIGSERIAL": "BigInteger()",
    "SERIAL": "Integer()",
    "SMALLSERIAL": "SmallInteger()",
}
_SIZED = {"VARCHAR": "String", "CHAR": "CHAR", "NCHAR": "NCHAR", "NVARCHAR": "Unicode"}
_POSTGRESQL = {
    "BIT": "BIT",
    "CIDR": "CIDR",
    "DATERANGE": "DATERANGE",
    "HSTORE": "HSTORE",
    "INET": "INET",
    "INT4RANGE": "INT4RANGE",
    "INT8RANGE": "INT8RANGE",
    "JSONB": "JSONB",
    "MONEY": "MONEY",
    "NUMRANGE": "NUMRANGE",
    "TSRANGE": "TSRANGE",
    "TSTZRANGE": "TSTZRANGE",
    "UUID": "UUID",
    # Known to sqlglot by their names only:
    "CITEXT": "CITEXT",
    "MACADDR": "MACADDR",
    "OID": "OID",
    "TSQUERY": "TSQUERY",
    "TSVECTOR": "TSVECTOR",
}
_MYSQL = {
    "LONGBLOB": "LONGBLOB()",
    "LONGTEXT": "LONGTEXT()",
    "MEDIUMBLOB": "MEDIUMBLOB()",
    "MEDIUMINT": "MEDIUMINT()",
    "MEDIUMTEXT": "MEDIUMTEXT()",
    "TIMESTAMPTZ": "TIMESTAMP()",
    "TINYBLOB": "TINYBLOB()",
    "TINYINT": "TINYINT()",
    "TINYTEXT": "TINYTEXT()",
    "UBIGINT": "BIGINT(unsigned=True)",
    "UINT": "INTEGER(unsigned=True)",
    "USMALLINT": "SMALLINT(unsigned=True)",
    "UTINYINT": "TINYINT(unsigned=True)",
    "YEAR": "YEAR()",
}
_POSTGRESQLS = frozenset({"postgresql", "cockroachdb"})
_SERIALS = frozenset({"SERIAL", "BIGSERIAL", "SMALLSERIAL"})
# Types of extensions with arguments or classes of their own, which only their packages have.
_FOREIGN = frozenset(
    "geometry geography raster vector halfvec sparsevec ltree cube box point line polygon".split()
)


def is_serial(node: exp.DataType | None) -> bool:
    """Whether a column of this type counts by itself."""
    return node is not None and isinstance(node.this, exp.DType) and node.this.name in _SERIALS


def type_of(node: exp.DataType, dialect: str, collation: str | None = None) -> Expression | None:
    """A type as SQLAlchemy spells it; None for one that only the database knows."""
    made = _type(node, dialect)
    if made is None or collation is None:
        return made
    if not made.text.startswith(("sa.String(", "sa.Text(", "sa.CHAR(")):
        return None
    inner = made.text.removesuffix(")")
    comma = "" if inner.endswith("(") else ", "
    return Expression(f"{inner}{comma}collation={literal(collation).text})", imports=made.imports)


def _type(node: exp.DataType, dialect: str) -> Expression | None:
    word = node.this.name if isinstance(node.this, exp.DType) else ""
    if word == "USERDEFINED":
        return _named(node, dialect)
    if word == "ARRAY":
        return _array(node, dialect)
    if word == "ENUM":
        members = [literal(part.name).text for part in node.expressions]
        return _sa(f"Enum({', '.join(members)})")
    arguments = _arguments(node)
    if arguments is None:
        return None
    if dialect in MYSQL and (word in _MYSQL or word in {"DATETIME", "TIMESTAMP"}):
        return _mysql(word, arguments)
    if word in _SIZED:
        return _sa(f"{_SIZED[word]}({', '.join(arguments[:1])})")
    if word in {"DATETIME", "TIMESTAMP", "TIME"} and not arguments:
        return _sa("Time()" if word == "TIME" else "DateTime()")
    if word == "DECIMAL":
        return _sa(f"Numeric({', '.join(arguments)})")
    if word == "FLOAT":
        return _sa("REAL()" if dialect in _POSTGRESQLS else "Float()")
    if word in {"VARBINARY", "BINARY"} and not arguments:
        return _sa("LargeBinary()")
    if word in _PLAIN and (not arguments or dialect in MYSQL):
        return _sa(_PLAIN[word])
    if word in _POSTGRESQL and dialect in _POSTGRESQLS:
        return _postgresql(f"{_POSTGRESQL[word]}({', '.join(arguments)})")
    return None


def _mysql(word: str, arguments: list[str]) -> Expression:
    if word in {"DATETIME", "TIMESTAMP"}:
        if not arguments:
            return _sa("DateTime()")
        return _of("mysql", f"DATETIME(fsp={arguments[0]})")
    if word == "TINYINT" and arguments == ["1"]:
        return _sa("Boolean()")
    if word == "TIMESTAMPTZ" and arguments:
        return _of("mysql", f"TIMESTAMP(fsp={arguments[0]})")
    return _of("mysql", _MYSQL[word])


def _named(node: exp.DataType, dialect: str) -> Expression | None:
    """A type by its name: one of PostgreSQL's own, or an enum or domain of the schema."""
    kind = node.args.get("kind")
    if dialect not in _POSTGRESQLS or kind is None or node.expressions:
        return None
    parts = [part.name for part in kind.find_all(exp.Identifier)]
    *owner, name = parts or [str(kind)]
    if name.upper() in _POSTGRESQL and not owner:
        return _postgresql(f"{_POSTGRESQL[name.upper()]}()")
    if name.lower() in _FOREIGN:
        return None
    schema = f", schema={literal(owner[-1]).text}" if owner else ""
    return _postgresql(f"ENUM(name={literal(name).text}{schema}, create_type=False)")


def _array(node: exp.DataType, dialect: str) -> Expression | None:
    inner = node.expressions[0] if node.expressions else None
    made = type_of(inner, dialect) if isinstance(inner, exp.DataType) else None
    if made is None or dialect not in _POSTGRESQLS:
        return None
    array = _postgresql(f"ARRAY({made.text})")
    imports = tuple(dict.fromkeys((*made.imports, *array.imports)))
    return Expression(array.text, imports=imports)


def _arguments(node: exp.DataType) -> list[str] | None:
    """The numbers in a type's parentheses; None where something else is in them."""
    found = [part.name for part in node.expressions if isinstance(part, exp.DataTypeParam)]
    known = len(found) == len(node.expressions) and all(text.isdigit() for text in found)
    return found if known else None


def _sa(text: str) -> Expression:
    return Expression(f"sa.{text}", imports=(_SA,))


def _postgresql(text: str) -> Expression:
    return _of("postgresql", text)


def _of(dialect: str, text: str) -> Expression:
    return Expression(f"{dialect}.{text}", imports=(f"from sqlalchemy.dialects import {dialect}",))
