"""CREATE TABLE, CREATE INDEX and ALTER TABLE as sqlglot reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.objects import Column, Constraint, Index, Name, Options, Table
from alembic_roundtrip.migration.sql.columns import Definitions, NotReadError, with_primary_key
from alembic_roundtrip.migration.sql.types import type_of
from alembic_roundtrip.migration.sql.words import Words, statements

_SA = ("import sqlalchemy as sa",)
_PLAIN = re.compile(r'"?\w+"?')
_DROPPED_CONSTRAINTS = {"CONSTRAINT": None, "CHECK": "check", "FOREIGN KEY": "foreignkey"}
_TRUE = Expression("True", value=True)


def created_table(node: exp.Create, read: Definitions) -> tuple[c.Change, ...]:
    """CREATE TABLE; a part that is not read makes the table incomplete."""
    asks = bool(node.args.get("exists"))
    if not isinstance(node.this, exp.Schema):
        table = Table(read.name(node.this), complete=False)
        return (c.CreateTable(table, if_not_exists=asks),)
    name = read.name(node.this.this)
    columns: list[Column] = []
    constraints: list[Constraint] = []
    indexes: list[Index] = []
    complete = node.args.get("expression") is None and not _inherits(node)
    for part in node.this.expressions:
        try:
            if isinstance(part, exp.ColumnDef):
                column, own = read.column(part)
                columns.append(column)
                constraints += own
            elif isinstance(part, exp.Identifier):
                columns.append(Column(read.identifier(part), None))
            elif isinstance(part, exp.IndexColumnConstraint):
                indexes.append(_key(part, name, read))
            else:
                constraints += read.constraints(part)
        except NotReadError:
            complete = False
    columns = with_primary_key(columns, constraints)
    table = Table(name, tuple(columns), tuple(constraints), tuple(indexes), complete=complete)
    return (c.CreateTable(table, if_not_exists=asks),)


def _inherits(node: exp.Create) -> bool:
    properties = node.args.get("properties")
    found = properties.expressions if properties else ()
    return any(isinstance(part, exp.InheritsProperty | exp.LikeProperty) for part in found)


def _key(node: exp.IndexColumnConstraint, table: Name, read: Definitions) -> Index:
    """MySQL's KEY inside of a table's definition."""
    name = read.identifier(node.this) if node.this is not None else None
    columns = tuple(literal(read.identifier(part)) for part in node.expressions)
    return Index(name, table, columns, final=True)


def created_index(node: exp.Create, read: Definitions) -> tuple[c.Change, ...]:
    """CREATE INDEX, its expressions and predicate as written."""
    index = node.this
    if not isinstance(index, exp.Index):
        raise NotReadError
    name = read.identifier(index.this) if index.this is not None else None
    table = read.name(index.args.get("table"))
    parameters = index.args.get("params")
    using = parameters.args.get("using") if parameters else None
    group = _index_group(read)
    options: list[tuple[str, Expression]] = []
    if node.args.get("unique"):
        options.append(("unique", _TRUE))
    method = using.name.lower() if using is not None else None
    if method and method != "btree":
        options.append((f"{_dialect(read)}_using", literal(method)))
    classes: dict[str, str] = {}
    columns = tuple(_indexed(part, read, classes) for part in group)
    if classes:
        pairs = ", ".join(f"{literal(key).text}: {literal(v).text}" for key, v in classes.items())
        options.append(("postgresql_ops", Expression(f"{{{pairs}}}")))
    included = parameters.args.get("include") if parameters else None
    if included:
        names = tuple(read.identifier(part) for part in included)
        text = f"[{', '.join(literal(part).text for part in names)}]"
        options.append(("postgresql_include", Expression(text, value=names)))
    if parameters and parameters.args.get("where") is not None:
        where = read.statement.rest_after("WHERE") or ""
        text = f"sa.text({literal(where).text})"
        options.append((f"{_dialect(read)}_where", Expression(text, imports=_SA)))
    made = Index(name, table, columns, tuple(options), final=True)
    return (c.CreateIndex(made, if_not_exists=bool(node.args.get("exists"))),)


def _dialect(read: Definitions) -> str:
    return {"cockroachdb": "postgresql", "mariadb": "mysql"}.get(read.dialect, read.dialect)


def _index_group(read: Definitions) -> list[str]:
    """The texts of what is indexed: the first parentheses after ON."""
    tokens = [token.upper() for token in read.statement.tokens]
    at = tokens.index("(", tokens.index("ON"))
    text = read.statement.group_at(at)
    inner = next(statements(text or ""), None)
    if inner is None:
        raise NotReadError
    return list(inner.parts(0))


def _indexed(text: str, read: Definitions, classes: dict[str, str]) -> Expression:
    """A column of an index, or an expression; an operator class is noted."""
    words = text.split()
    if words and words[-1].upper() == "ASC":
        words.pop()
    if len(words) in {1, 2} and all(_PLAIN.fullmatch(word) for word in words):
        name = Words((words[0],), lower=read.lower).identifier() or words[0]
        if len(words) == 1:
            return literal(name)
        if words[1].upper() != "DESC":
            classes[name] = words[1]
            return literal(name)
    return Expression(f"sa.text({literal(text).text})", imports=_SA)


def altered(node: exp.Alter, read: Definitions) -> tuple[c.Change, ...]:
    """ALTER TABLE with all its actions."""
    table = read.name(node.this)
    found: list[c.Change] = []
    for action in node.args["actions"]:
        found += _action(action, table, node, read)
    return tuple(found)


def _action(
    action: exp.Expression, table: Name, node: exp.Alter, read: Definitions
) -> Iterator[c.Change]:
    if isinstance(action, exp.ColumnDef):
        column, own = read.column(action)
        asks = bool(action.args.get("exists"))
        yield c.AddColumn(table, column, constraints=own, if_not_exists=asks)
    elif isinstance(action, exp.AddConstraint):
        yield from _added(action, table, read, not_valid=bool(node.args.get("not_valid")))
    elif isinstance(action, exp.Drop):
        yield _dropped(action, table, read)
    elif isinstance(action, exp.DropPrimaryKey):
        yield c.DropConstraint(table, None, "primary")
    elif isinstance(action, exp.AlterColumn):
        yield c.AlterColumn(table, read.identifier(action.this), _alteration(action, read))
    elif isinstance(action, exp.ModifyColumn):
        yield _modified(action, table, read)
    else:
        yield _renamed(action, table, node, read)


def _added(
    action: exp.AddConstraint, table: Name, read: Definitions, *, not_valid: bool
) -> Iterator[c.Change]:
    for part in action.expressions:
        if isinstance(part, exp.IndexColumnConstraint):
            yield c.CreateIndex(_key(part, table, read))
        else:
            for made in read.constraints(part):
                yield c.AddConstraint(table, made, not_valid)


def _renamed(action: exp.Expression, table: Name, node: exp.Alter, read: Definitions) -> c.Change:
    if isinstance(action, exp.RenameColumn):
        new = literal(read.identifier(action.args["to"]))
        return c.AlterColumn(table, read.identifier(action.this), (("new_column_name", new),))
    if isinstance(action, exp.RenameIndex):
        new_name = read.identifier(action.args["to"])
        return c.RenameIndex(read.identifier(action.this), table, new_name)
    # `RENAME a TO b` is a column's, but parsed as the table's with more behind it.
    if isinstance(action, exp.AlterRename) and not node.args.get("options"):
        return c.RenameTable(table, read.name(action.this).name)
    raise NotReadError


def _dropped(action: exp.Drop, table: Name, read: Definitions) -> c.Change:
    (target,) = action.args["tables"]
    name = read.identifier(target.this)
    kind = action.args["kind"]
    if kind == "COLUMN":
        return c.DropColumn(table, name)
    if kind in {"INDEX", "KEY"}:
        return c.DropIndex(name, table)
    if kind in _DROPPED_CONSTRAINTS:
        asks = bool(action.args.get("exists"))
        return c.DropConstraint(table, name, _DROPPED_CONSTRAINTS[kind], True, asks)  # noqa: FBT003
    raise NotReadError


def _alteration(action: exp.AlterColumn, read: Definitions) -> Options:
    """What ALTER COLUMN changes, as arguments of `alter_column`."""
    given = action.args
    options: list[tuple[str, Expression]] = []
    if given.get("dtype") is not None:
        collation = given.get("collate")
        made = type_of(given["dtype"], read.dialect, collation.name if collation else None)
        # A type that only the database knows is another one all the same.
        options.append(("type_", made or Expression("")))
        if given.get("using"):
            using = read.statement.rest_after("USING") if _alone(action) else None
            options.append(("postgresql_using", literal(using or read.text(given["using"]))))
    if given.get("allow_null") is not None:
        nullable = bool(given["allow_null"])
        options.append(("nullable", Expression(str(nullable), value=nullable)))
    elif given.get("default") is not None:
        options.append(("server_default", read.default(given["default"])))
    elif given.get("drop"):
        options.append(("server_default", literal(None)))
    if not options:
        raise NotReadError
    return tuple(options)


def _alone(action: exp.Expression) -> bool:
    parent = action.parent
    return parent is not None and len(parent.args.get("actions") or ()) == 1


def _modified(action: exp.ModifyColumn, table: Name, read: Definitions) -> c.Change:
    """MySQL's MODIFY and CHANGE: the whole definition anew."""
    column, constraints = read.column(action.this)
    if constraints:
        raise NotReadError
    old = action.args.get("rename_from")
    nullable = Expression(str(column.nullable), value=column.nullable)
    options: list[tuple[str, Expression]] = [("type_", column.type or Expression(""))]
    options += [("nullable", nullable), ("server_default", column.server_default or literal(None))]
    if old is not None and read.identifier(old) != column.name:
        options.append(("new_column_name", literal(column.name)))
    return c.AlterColumn(table, read.identifier(old) if old else column.name, tuple(options))
