"""Parts of the schema of which a migration says on purpose that no downgrade brings them back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alembic_roundtrip.migration.changes import AddColumn, CreateTable
from alembic_roundtrip.migration.model import Body, Direction, Migration
from alembic_roundtrip.prose import names, sentences
from alembic_roundtrip.text import Range

_KINDS = {
    "table": r"tables?",
    "column": r"columns?|fields?",
    "index": r"index(?:es)?|indices",
    "constraint": r"constraints?|unique\w*|foreign[ ]keys?|fks?|checks?",
    "primary key": r"primary[ ]keys?|pk",
    "type": r"types?|lengths?|precision|narrow\w*|wide\w*|short\w*|length\w*",
    "nullability": r"null\w*|not[ ]null|required|mandatory|optional",
    "server default": r"(?:server[ _])?defaults?",
    "object": r"views?|functions?|triggers?|procedures?|sequences?|enums?|comments?|definitions?",
}
"""The words for each kind of thing that can come back or not."""
_OF_ANY_DEFINITION = ("index", "constraint", "object")

_OF_DATA = "DESTRUCTIVE:"
"""Marks a comment on data that an operation destroys."""
_BACK = re.compile(
    r"\b(?:downgrad\w*|roll(?:s|ed|ing)?[ -]?back|rollback\w*|reverting|undoing|going[ ]back)\b",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"""(?<![.`'"\w])(?<!column[ ])(?<!table[ ])
    (?:values?|rows?|data|records?|contents?|information|texts?|entries)(?![`'"\w])""",
    re.IGNORECASE | re.VERBOSE,
)
"""What is lost of these says nothing of the schema."""
_NEVER = r"(?:\bno(?:t|thing)?|\bnever|n't|\bcannot|\bwithout|\bunable|\bimpossible)\b(?![ ]null)"
_NOT_RESTORED = re.compile(
    rf"""
      {_NEVER}.{{0,40}}\b(?:restor|re-?creat|re-?add|rebuil|rever|undo|roll|come[ ]back|comes[ ]back
      |(?:br[io]\w+|put|set|chang\w+|add\w*|ma[dk]e|creat\w+)[ ](?:\w+[ ]){{0,3}}(?:back|again))
    | irreversib | one[- ]way | no[ ]way[ ]back
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LEFT_OUT = re.compile(
    rf"""
      {_NEVER}.{{0,40}}\b(?:need|support|possib|necessar|requir|set|chang|shorten|narrow|add|put|mak
      |creat|bring|tighten)
    | \b(?:keep|keeps|kept|stay|stays|leave|leaves|left|remain|remains|skip|skips|skipped|omitted)\b
    | intention | on[ ]purpose | deliberate | by[ ]design | unsupported | harmless
    | \bno[- ]?op\b | does[ ]nothing
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What says so only where it is about the way back."""
_GONE = re.compile(r"\b(?:lost|loses?|gone|for[ ]good)\b", re.IGNORECASE)
_ALTOGETHER = re.compile(
    rf"""
      irreversible | (?:irrecover|unrecover)able | one[- ]way | no[ ]way[ ]back | no[ ]downgrade
    | only[ ]way[ ]is[ ]up | not[ ](?:\w+[ ])?reversible
    | {_NEVER}.{{0,40}}\b(?:revers|undo|downgrad|roll|revert)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BY_ITSELF = re.compile(
    rf"""
      irreversible | no[ ]way[ ]back | {_NEVER}[ ](?:\w+[ ]){{0,2}}(?:undo|undone|revers|revert)
    | \b(?:migration|revision)\b.*\b one[- ]way
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What is about all even beside one operation of many; other words are about that operation."""
_THIS = re.compile(
    r"\b(?:this|it|there|we|you|downgrade|upgrade|migration|revision|changes?|operation|step)\b",
    re.IGNORECASE,
)
"""What such words are about where they are about the revision; a hash is one-way, too."""
_IT = re.compile(r"\b(?:it|that|they|them|these|those)\b", re.IGNORECASE)
"""What such words are about, the sentence before has named."""
_FEW = 3
"""Words that need say of nothing else that they are about the revision."""
_IN_PART = re.compile(
    rf"""
      \bpartial | incomplete | best[- ]effort | \bno[- ]?op\b | does[ ]nothing | unsupported
    | intention | on[ ]purpose | deliberate
    | {_NEVER}.{{0,30}}\b(?:support|possib|complete|full|everything|anything|schema|structure)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What is meant for all of a downgrade where a downgrade is what the sentence is about."""
_CLAUSE = re.compile(r"[;:()\u2013\u2014]|\s-\s|\b(?:because|since|so|but|while)\b", re.IGNORECASE)
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


def is_given_up(migration: Migration, part: Part, others: Iterable[str]) -> bool:
    """Whether prose says that a part of the schema is not to come back, or nothing at all is.

    That values are lost is no such thing: the schema can be restored all the same. `others` are
    the names of what the revision is about besides.
    """
    own = {part.subject, part.subject.rpartition(".")[2]}
    foreign = frozenset(others).difference(own, part.beside)
    for said in _sayings(migration, part.statement):
        before = ""
        for sentence in sentences(said.text):
            named = _names_only(before, own, foreign)
            for clause in _CLAUSE.split(sentence):
                if _speaks_of(clause, said, part, own, foreign, it=named):
                    return True
            before = sentence
    return False


def _names_only(sentence: str, own: set[str], foreign: frozenset[str]) -> bool:
    """Whether "it" in the next sentence is the part itself: neither its values nor another."""
    if _DATA.search(sentence) or _names_another(sentence, foreign, own):
        return False
    return any(names(name, sentence, plural=False) for name in own)


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


def _speaks_of(
    clause: str, said: _Saying, part: Part, own: set[str], foreign: frozenset[str], *, it: bool
) -> bool:
    if _DATA.search(clause):
        return False
    back = said.back or _BACK.search(clause) is not None
    one = _NOT_RESTORED.search(clause) is not None
    one = one or (back and _LEFT_OUT.search(clause) is not None)
    one = one or (part.missing and _GONE.search(clause) is not None)
    if one and any(names(name, clause, plural=False) for name in own):
        return True
    kinds = _kinds(clause)
    mine = bool(kinds.intersection(_words_for(part.kind)))
    if one and mine and any(names(name, clause, plural=False) for name in part.beside):
        return True
    if _names_another(clause, foreign, (*own, *part.beside)):
        return False
    if mine:
        return one
    if it and _IT.search(clause) and not kinds:
        return one
    return not kinds and ((said.here and one) or _is_about_all(clause, said, back=back))


def _is_about_all(clause: str, said: _Saying, *, back: bool) -> bool:
    this = _THIS.search(clause) is not None or len(clause.split()) <= _FEW
    if said.among and this and _BY_ITSELF.search(clause):
        return True
    if not (said.whole or said.here or _BACK.search(clause)):
        return False
    if back and _IN_PART.search(clause):
        return True
    return this and _ALTOGETHER.search(clause) is not None


def _words_for(kind: str) -> tuple[str, ...]:
    return _OF_ANY_DEFINITION if kind == "definition" else (kind,)


def _kinds(clause: str) -> set[str]:
    return {
        kind
        for kind, words in _KINDS.items()
        if re.search(rf"(?<![\w.])(?:{words})(?!\w|\.\w)", clause, re.IGNORECASE)
    }


def _names_another(clause: str, foreign: Iterable[str], own: Iterable[str]) -> bool:
    """Whether it is about something else of the revision, or what has a name as code has it."""
    if any(names(name, clause, plural=False) for name in foreign):
        return True
    parts = {word for name in own for word in name.casefold().split(".")}
    written = (match.group().casefold() for match in _CODE_NAME.finditer(clause))
    return any(parts.isdisjoint(name.split(".")) for name in written)
