"""A statement as sqlglot reads it for one dialect, or what names tell of it."""

from __future__ import annotations

from sqlglot import exp

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration.changes import Change
from alembic_roundtrip.migration.sql import names
from alembic_roundtrip.migration.sql.columns import Definitions, NotReadError
from alembic_roundtrip.migration.sql.syntax import parse
from alembic_roundtrip.migration.sql.tables import altered, created_index, created_table
from alembic_roundtrip.migration.sql.words import Statement, Words, statements
from alembic_roundtrip.migration.sql.writes import written


def parsed(statement: Statement, dialect: str, *, lower: bool) -> tuple[Change, ...] | None:
    """The changes of a statement; None where sqlglot has no tree for it, or one beyond us."""
    tree = parse(statement.text, dialect)
    if tree is None and dialect in MYSQL:
        tree = parse(_whole(statement), dialect)
    if tree is None:
        return None
    try:
        return _changes(tree, Definitions(statement, dialect, lower))
    except NotReadError:
        return None


def _whole(statement: Statement) -> str:
    """MySQL's CREATE TABLE without its partitions: the table is the same with and without."""
    tokens = tuple(map(str.upper, statement.tokens))
    for at in range(len(tokens) - 1):
        if tokens[at : at + 2] == ("PARTITION", "BY"):
            return statement.text[: statement.places[at]]
    return ""


def _changes(tree: exp.Expression, read: Definitions) -> tuple[Change, ...]:
    if isinstance(tree, exp.Create) and tree.args["kind"] == "TABLE":
        return created_table(tree, read)
    if isinstance(tree, exp.Create) and tree.args["kind"] == "INDEX":
        return created_index(tree, read)
    if isinstance(tree, exp.Alter) and tree.args["kind"] == "TABLE":
        return altered(tree, read)
    if isinstance(tree, exp.Select | exp.SetOperation | exp.Insert | exp.Update | exp.Delete):
        return written(tree, read)
    if isinstance(tree, exp.Merge):
        return written(tree, read)
    raise NotReadError


def by_actions(statement: Statement, dialect: str, *, lower: bool) -> tuple[Change, ...] | None:
    """ALTER TABLE action by action, so that one that is not read spoils no other."""
    words = Words(statement.tokens, lower=lower)
    if not words.take("ALTER", "TABLE"):
        return None
    words.take("IF", "EXISTS")
    words.skip("ONLY")
    table = words.name()
    actions = list(statement.parts(words.at))
    if table is None or not actions:
        return None
    head = statement.text[: statement.places[words.at]]
    found: list[Change] = []
    for action in actions:
        alone = None
        if len(actions) > 1:
            (single,) = statements(f"{head} {action}")
            alone = parsed(single, dialect, lower=lower)
        (own,) = statements(action)
        found += alone or [names.altered(Words(own.tokens, lower=lower), table)]
    return tuple(found)
