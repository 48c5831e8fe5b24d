"""What somebody has written into a downgrade, kept where the rest is written anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql import copies_of
from alembic_roundtrip.scaffold.parts import Part, parts
from alembic_roundtrip.scaffold.placement import Merged, merged
from alembic_roundtrip.scaffold.sql import subjects_overwritten
from alembic_roundtrip.scaffold.told import (
    DESTRUCTIVE,
    PUT_BACK,
    QUOTED,
    by_hand,
    is_quoted,
    to_fill,
    values_lost,
    values_overwritten,
)
from alembic_roundtrip.scaffold.walk import walked

_Column = tuple[Name, str]
"""A column with its table."""


def with_authored(
    context: Context, statements: Sequence[str], lost: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The statements of a new downgrade with what the present one does beyond the schema.

    What only writes rows stands where all that it names is there. If anything else is not done by
    the new statements, the present ones are kept as a comment, all of them: out of their order
    they may mean something else. The second value is what is lost even so.
    """
    migration = context.migration
    before = _quoted_before(migration)
    downgrade = context.written_downgrade
    if downgrade is None:
        return (*statements, *before), tuple(lost)
    present = parts(migration, downgrade)
    found = merged(context, present, statements)
    if found is None:
        quoted = _quoted(present)
        return tuple(dict.fromkeys([*statements, *before, quoted])), tuple(lost)
    comments, sentences = _settled(context, found)
    texts = (text if text in found.kept else _without(text, comments) for text in found.statements)
    left = tuple(each for each in lost if each not in sentences)
    return (*filter(None, texts), *before), left


# What has no place


def _quoted(present: Iterable[Part]) -> str:
    """The present statements as one comment, as they are written."""
    lines = [line for part in present for line in part.text.split("\n")]
    return "\n".join([PUT_BACK, *(f"{QUOTED}{line}".rstrip() for line in lines)])


def _quoted_before(migration: Migration) -> list[str]:
    """Such comments of an earlier time, which nobody has worked off."""
    downgrade = migration.downgrade
    if downgrade is None:
        return []
    found: list[list[str]] = []
    inside = False
    for number in range(downgrade.range.start.line, migration.source.line_count + 1):
        line = migration.source.line(number).strip()
        if line == PUT_BACK:
            found.append([line])
            inside = True
        elif inside and is_quoted(line):
            found[-1].append(line)
        elif number > downgrade.range.end.line and not line.startswith("#"):
            break
        else:
            inside = False
    return ["\n".join(lines) for lines in found]


# What is given back


def _settled(context: Context, found: Merged) -> tuple[set[str], set[str]]:
    """The comments that what somebody has written makes needless, and the sentences on losses."""
    columns = _given_back(context, found)
    sentences = {values_lost(f"{table}.{column}") for table, column in columns}
    for step, _ in walked(context).steps:
        if isinstance(step.change, c.WriteRows) and step.change.verb == "update":
            subjects = subjects_overwritten(step.change, step)
            if subjects and columns.issuperset(subjects):
                sentences.add(values_overwritten([f"{table}.{name}" for table, name in subjects]))
    comments = {f"{DESTRUCTIVE}{sentence}" for sentence in sentences}
    comments |= {to_fill(f"{table}.{column}") for table, column in columns}
    return comments | _deleted_again(context, found), sentences


def _given_back(context: Context, found: Merged) -> set[_Column]:
    """Columns whose values every row gets back from where the upgrade has put them."""
    moved = list(_moves(context.upgrade_operations, context.dialects))
    return {
        (table, column)
        for table, column, source in _moves(found.operations, context.dialects)
        if (table, source, column) in moved
    }


def _moves(
    operations: Iterable[Operation], dialects: tuple[str, ...]
) -> Iterator[tuple[Name, str, str]]:
    """Tables with a column that all rows get a value for, and each that this is made of."""
    for operation in operations:
        for change in operation.changes:
            if not isinstance(change, c.WriteRows) or change.verb != "update" or not change.read:
                continue
            if change.table is None or len(change.columns) != 1 or operation.conditional:
                continue
            (column,) = change.columns
            everything = change.read if not change.bounded else frozenset()
            copied = {name for at, name in copies_of(operation.sql, dialects) if at == change.table}
            for source in change.read & (everything | copied):
                if column not in change.read:  # it would be made of what it was
                    yield change.table, column, source


def _deleted_again(context: Context, found: Merged) -> set[str]:
    """The placeholders for rows of which nothing can be left: the whole table is emptied."""
    emptied = {
        change.table
        for operation in found.operations
        for change in operation.changes
        if isinstance(change, c.WriteRows) and change.verb == "delete" and not change.bounded
    }
    done: set[str] = set()
    others: set[str] = set()
    for operation in context.upgrade_operations:
        goes = bool(operation.changes) and all(
            isinstance(change, c.WriteRows)
            and change.verb == "insert"
            and change.table is not None
            and change.table in emptied
            for change in operation.changes
        )
        (done if goes else others).add(by_hand(operation, context.migration))
    return done - others


def _without(text: str, comments: set[str]) -> str:
    """A statement without some of the comments in it."""
    return "\n".join(line for line in text.split("\n") if line.strip() not in comments)
