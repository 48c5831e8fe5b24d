"""Edits that keep the rest of a migration as it is written; LibCST is loaded for them."""

from __future__ import annotations

import ast
import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from textwrap import dedent

from alembic_roundtrip.migration.docstring import warning_edits
from alembic_roundtrip.migration.imports import import_edits
from alembic_roundtrip.migration.layout import Layout, decorated_from
from alembic_roundtrip.migration.model import Direction, Migration
from alembic_roundtrip.migration.rewrite import (
    AddComment,
    AddWarning,
    CorrectWarning,
    InsertStatements,
    MoveStatement,
    RemoveStatement,
    Replace,
    Rewrite,
    RewriteError,
    TreeRewrite,
    Warned,
    WriteBody,
)
from alembic_roundtrip.text import Edit, Position, Range, apply_edits
from alembic_roundtrip.textfile import TextFile

logger = logging.getLogger(__name__)

_WITHOUT_IMPORTS = (Warned, AddComment, Replace, MoveStatement, RemoveStatement)


def edits(document: Migration | TextFile, rewrites: Sequence[Rewrite]) -> tuple[Edit, ...]:
    """The smallest text edits that make these rewrites; none where all is there already.

    Of a file that is no migration only a range can be replaced. Raises `RewriteError` where they
    cannot be made or the result would not parse.
    """
    if isinstance(document, TextFile):
        return tuple(Edit(r.range, r.text) for r in rewrites if isinstance(r, Replace))
    migration = document
    if migration.problems:
        raise RewriteError(f"{migration.path.name}: {migration.problems[0].message}; fix it first")
    try:
        made = [edit for edit in _edits(migration, rewrites) if _changes(migration, edit)]
    except RewriteError:
        raise
    except Exception as error:  # of one fix among many, none of which is to end with it
        logger.exception("a change of %s failed", migration.path)
        kind = type(error).__name__
        raise RewriteError(f"{migration.path.name}: the change cannot be made: {kind}") from error
    _check(migration, made)
    return tuple(made)


def _edits(migration: Migration, rewrites: Sequence[Rewrite]) -> list[Edit]:
    """Edits in an order that is right where several stand at one place."""
    bodies = [rewrite for rewrite in rewrites if isinstance(rewrite, WriteBody)]
    inserts = [rewrite for rewrite in rewrites if isinstance(rewrite, InsertStatements)]
    sentences = [
        s for rewrite in rewrites if isinstance(rewrite, AddWarning) for s in rewrite.sentences
    ]
    corrections = [
        (each.sentence, each.by) for each in rewrites if isinstance(each, CorrectWarning)
    ]
    made: list[Edit] = []
    try:
        made += warning_edits(migration, sentences, corrections)
        made += import_edits(migration, list(_imports(rewrites)))
    except ValueError as error:
        raise RewriteError(f"{migration.path.name}: {error}") from error
    for body in dict.fromkeys(bodies):
        made.append(_written(migration, body))
    for direction in dict.fromkeys(insert.direction for insert in inserts):
        made += _inserted(migration, [i for i in inserts if i.direction == direction])
    for rewrite in dict.fromkeys(rewrites):
        if isinstance(rewrite, AddComment):
            made.append(_commented(migration, rewrite))
        elif isinstance(rewrite, Replace):
            text = Layout(migration).newlines(rewrite.text)
            made.append(Edit(rewrite.range, text))
    changes = [rewrite for rewrite in rewrites if isinstance(rewrite, TreeRewrite)]
    if changes:
        from alembic_roundtrip.migration.concrete import tree_edits

        made += tree_edits(migration, changes)
    return made


def _imports(rewrites: Iterable[Rewrite]) -> Iterator[str]:
    for rewrite in rewrites:
        if not isinstance(rewrite, _WITHOUT_IMPORTS):
            yield from rewrite.imports


def _changes(migration: Migration, edit: Edit) -> bool:
    return migration.source.slice(edit.range) != edit.text


def _check(migration: Migration, made: Iterable[Edit]) -> None:
    try:
        text = apply_edits(migration.text, made)
        with warnings.catch_warnings():
            # An invalid escape was there before.
            warnings.simplefilter("ignore")
            ast.parse(text.removeprefix("\ufeff"))
    except SyntaxError as error:
        raise RewriteError(
            f"{migration.path.name}: line {error.lineno} would not parse afterwards: {error.msg}"
        ) from error
    except ValueError as error:
        raise RewriteError(f"{migration.path.name}: {error}; apply one fix at a time") from error


def _direction(migration: Migration, name: str) -> Direction | None:
    found = migration.direction(name)
    if found is None and name == "downgrade" and migration.imported_downgrade:
        raise RewriteError(
            f"{migration.path.name}: `downgrade` is bound by an import or assignment; "
            "replace that by a function first"
        )
    return found


def _written(migration: Migration, rewrite: WriteBody) -> Edit:
    layout = Layout(migration)
    direction = _direction(migration, rewrite.direction)
    if direction is None:
        return _created(migration, layout, rewrite)
    indent, unit = layout.indentation(direction)
    block = _block(rewrite.statements, indent, unit)
    return layout.body_edit(direction, indent, block)


def _created(migration: Migration, layout: Layout, rewrite: WriteBody | InsertStatements) -> Edit:
    unit = layout.unit()
    name = migration.function(rewrite.direction)
    text = f"{_signature(migration, name)}:\n{_block(rewrite.statements, unit, unit)}"
    kept = migration.text.rstrip()
    blank = "\n\n\n" if kept.removeprefix("\ufeff") else ""
    place = layout.position(len(kept))
    return Edit(Range(place, place), layout.newlines(blank + text))


def _signature(migration: Migration, name: str) -> str:
    """The upgrade's with its decorators, under another name."""
    from alembic_roundtrip.migration.concrete import signature

    other = name.replace("downgrade", "upgrade", 1)
    upgrade = migration.upgrade if migration.part is not None else migration.direction(other)
    if upgrade is None:
        return f"def {name}() -> None"
    first = decorated_from(migration, upgrade)
    place = Range(Position(first, 1), upgrade.range.end)
    try:
        return signature(dedent(migration.source.slice(place)), name)
    except RewriteError as error:
        raise RewriteError(
            f"{migration.path.name}: `{upgrade.name}()` cannot be read: {error}"
        ) from error


def statements_of(migration: Migration, name: str) -> tuple[str, ...]:
    """The statements of a direction at no indentation, with the comments above them."""
    from alembic_roundtrip.migration.concrete import statements

    return statements(migration, name)


def _block(statements: Sequence[str], indent: str, unit: str) -> str:
    from alembic_roundtrip.migration.concrete import block

    return block(statements, indent, unit)


def _inserted(migration: Migration, rewrites: Sequence[InsertStatements]) -> list[Edit]:
    layout = Layout(migration)
    first = rewrites[0]
    direction = _direction(migration, first.direction)
    every = tuple(statement for rewrite in rewrites for statement in rewrite.statements)
    if direction is None:
        return [_created(migration, layout, InsertStatements(first.direction, 0, every))]
    indent, unit = layout.indentation(direction)
    if layout.does_nothing(direction):
        return [layout.body_edit(direction, indent, _block(every, indent, unit))]
    blocks: dict[int, list[str]] = {}
    for rewrite in rewrites:
        blocks.setdefault(rewrite.index, []).extend(rewrite.statements)
    return [
        layout.insert_edit(direction, index, indent, _block(statements, indent, unit))
        for index, statements in blocks.items()
    ]


def _commented(migration: Migration, rewrite: AddComment) -> Edit:
    layout = Layout(migration)
    number = rewrite.statement.start.line
    lines = [
        part if part.startswith("#") else f"# {part}" for part in rewrite.text.strip().splitlines()
    ]
    above = [migration.source.line(n).strip() for n in range(layout.comments_above(number), number)]
    missing = [line for line in lines if line not in above]
    indent = layout.indent_of(number)
    text = "".join(f"{indent}{line}\n" for line in missing)
    place = Position(number, 1) if number > 1 else layout.start
    return Edit(Range(place, place), layout.newlines(text))
