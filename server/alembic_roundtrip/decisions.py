"""Parts of the schema of which a migration says on purpose that no downgrade brings them back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alembic_roundtrip.migration.changes import AddColumn, CreateTable
from alembic_roundtrip.migration.model import Body, Direction, Migration
from alembic_roundtrip.prose import names, sentences
from alembic_roundtrip.refusals import (
    BACK,
    clauses,
    is_for_another,
    kinds,
    refers_back,
    refuses,
    refuses_all,
    refuses_all_anywhere,
    refuses_this,
)
from alembic_roundtrip.text import Range

_OF_ANY_DEFINITION = ("index", "constraint", "object")

_OF_DATA = "DESTRUCTIVE:"
"""Marks a comment on data that an operation destroys."""
_DATA = re.compile(
    r"""(?<![.`'"\w])(?<!column[ ])(?<!table[ ])
    (?:values?|rows?|data|records?|contents?|information|(?-i:texts?)|entries)(?![`'"\w])""",
    re.IGNORECASE | re.VERBOSE,
)
"""What is lost of these says nothing of the schema."""
_CODE_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w+(?:[._]\w+)+")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the schema as prose speaks of it.

    `subject` is its name, with its table's; `kind` one of the words that rules have for it. Beside
    such a word, `beside` names it as well: its table, its columns. `missing` tells what is not
    there from what is there otherwise.
    """

    subject: str
    kind: str
    statement: Range
    beside: tuple[str, ...] = ()
    missing: bool = True


@dataclass(frozen=True, slots=True)
class _Saying:
    """A text, and where it stands.

    That is in the way back or not, at the operation `here`, for the `whole` of the revision, or
    `among` operations of the way back.
    """

    text: str
    back: bool
    here: bool
    whole: bool
    among: bool = False


def is_given_up(
    migration: Migration, part: Part, others: Iterable[str], dialects: tuple[str, ...] = ()
) -> bool:
    """Whether prose says that a part of the schema is not to come back, or nothing at all is.

    That values are lost is no such thing: the schema can be restored all the same. `others` are
    the names of what the revision is about besides; `dialects` the project's, if they are known.
    """
    own = (part.subject, part.subject.rpartition(".")[2])
    foreign = frozenset(others).difference(own, part.beside)
    return any(
        _gives_up(clause, said, before, part, foreign)
        for said in _sayings(migration, part.statement)
        for before, clause in _clauses(said.text)
        if not _DATA.search(clause) and not is_for_another(clause, dialects)
    )


def _clauses(text: str) -> Iterator[tuple[str, str]]:
    """What prose says, each with what it has said before, which "it" may be about."""
    last = ""
    for sentence in sentences(text):
        so_far = ""
        for clause in clauses(sentence):
            yield so_far if so_far.strip() else last, clause
            so_far += clause
        last = sentence


def _is_only_about(text: str, part: Part, foreign: frozenset[str]) -> bool:
    """Whether "it" after a text is the part itself: not its values, nor its index."""
    if _DATA.search(text) or _names_another(text, part, foreign):
        return False
    about = kinds(text)
    return about.issubset(_words_for(part.kind)) and (bool(about) or _is_named(part, text))


def _is_named(part: Part, text: str) -> bool:
    """Whether it has the name of a part, with its table's or without; that alone is another's."""
    table, _, name = part.subject.rpartition(".")
    whole = re.compile(rf"(?<![\w.]){re.escape(part.subject)}(?!\w)", re.IGNORECASE)
    return names(name, text, plural=False) or bool(table and whole.search(text))


def _is_about_another(text: str, part: Part, foreign: frozenset[str]) -> bool:
    return bool(_DATA.search(text) or kinds(text)) or _names_another(text, part, foreign)


def _sayings(migration: Migration, statement: Range) -> Iterator[_Saying]:
    if migration.docstring:
        yield _Saying(migration.docstring.text, back=False, here=False, whole=True)
    for direction in migration.functions:
        back = direction.name.startswith("downgrade")
        for text in (direction.docstring.text if direction.docstring else "", direction.message):
            yield _Saying(text or "", back, here=False, whole=True)
        for place in _commented(direction):
            text = migration.comment_at(place)
            of_data = _OF_DATA in text
            here = place.start.line == statement.start.line and not of_data
            of_all = back and not of_data and not _restores(direction, place)
            alone = direction.kind is not Body.CODE
            yield _Saying(text, back, here, whole=of_all and alone, among=of_all)


def _restores(direction: Direction, place: Range) -> bool:
    """Whether a statement makes a table or column: its comments may be about their values."""
    return any(
        isinstance(change, CreateTable | AddColumn)
        for operation in direction.operations
        if place.start <= operation.statement.start <= place.end
        for change in operation.changes
    )


def _commented(direction: Direction) -> Iterator[Range]:
    yield from dict.fromkeys(
        (*direction.statements, *(operation.statement for operation in direction.operations))
    )


def _gives_up(clause: str, said: _Saying, before: str, part: Part, foreign: frozenset[str]) -> bool:
    back = said.back or BACK.search(clause) is not None
    one = refuses(clause, back=back, missing=part.missing)
    if one and _is_named(part, clause):
        return True
    about = kinds(clause)
    mine = not about.isdisjoint(_words_for(part.kind))
    if one and mine and any(names(name, clause, plural=False) for name in part.beside):
        return True
    if _names_another(clause, part, foreign):
        return False
    if about:
        return one and mine
    it = _is_only_about(before, part, foreign) if before else said.here
    if one and it and refers_back(clause):
        return True
    if said.here and (refuses_this(clause) or (one and BACK.search(clause) is not None)):
        return True
    follows = bool(before) and _is_about_another(before, part, foreign)
    if said.whole or said.here or BACK.search(clause):
        return refuses_all(clause, back=back, follows=follows)
    return said.among and refuses_all_anywhere(clause, follows=follows)


def _words_for(kind: str) -> tuple[str, ...]:
    return _OF_ANY_DEFINITION if kind == "definition" else (kind,)


def _names_another(clause: str, part: Part, foreign: Iterable[str]) -> bool:
    """Whether it is about something else of the revision, or what has a name as code has it."""
    if any(names(name, clause, plural=False) for name in foreign):
        return True
    words = {word for name in (part.subject, *part.beside) for word in name.casefold().split(".")}
    written = (match.group().casefold() for match in _CODE_NAME.finditer(clause))
    return any(words.isdisjoint(name.split(".")) for name in written)
