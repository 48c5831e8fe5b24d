"""What a migration says in prose of losses, and of ways back that do not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from alembic_roundtrip.migration.model import Migration

_REMEMBERED = 64
"""Texts whose answer is remembered: a dozen rules ask about the one migration at hand."""
_SAID = re.compile(
    r"""
      (?<!prevent[ ])(?<!avoid[ ])data[ ]loss
    | loss[ ]of[ ](?:data|rows|values|information) | destructive | irreversib
    | irrecoverabl | unrecoverabl | not[ ]reversible | lossy | one[- ]way
    | (?:lose|loses|lost|losing|discard\w*|destroy\w*|wip\w+)\b
      .{0,60}\b(?:data|rows?|values?|record)
    | (?:data|rows?|values?|records?|contents?|information)\b.{0,60}
      \b(?:lost|lose|discarded|destroyed|gone|wiped|dropped|deleted)
    | \b(?:they|it|data|rows?|values?|records?)\b.{0,40}
      (?:not|n't|never)[ ](?:come|be[ ]brought)[ ]back
    | no[ ]way[ ]back
    | (?:data|rows?|values?|records?)\b.{0,40}
      (?:delet|remov|destroy|gone)\w*[ ](?:permanently|forever|for[ ]good)
    | (?:delet|remov|destroy)\w*[ ].{0,40}\b(?:data|rows?|values?|records?)\b.{0,20}
      (?:permanently|forever|for[ ]good)
    | permanently[ ](?:delet|remov|destroy|los)\w*\b.{0,60}\b(?:data|rows?|values?|records?)
    | (?:cannot|can't|can[ ]not|could[ ]not|no[ ]way[ ]to|impossible[ ]to|unable[ ]to)
      \b.{0,40}\b(?:restor|revers|undo|recover|downgrad|roll|revert|bring)
    | (?:not|n't|never)[ ](?:bring[ ]back|restore|recover|preserve)\b
      .{0,30}\b(?:data|rows?|values?|records?)\b
    | (?:data|rows?|values?|records?|contents?)\b.{0,40}(?:not|n't|never)[ ](?:be[ ])?
      (?:preserved|restored|recovered|retained|kept(?![ ](?:in|up|by|under)\b))
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_SAID_WITH = (
    *("los", "destr", "irre", "unrecover", "discard", "wip", "gone", "dropped", "deleted"),
    *("cannot", "can't", "can not", "could not", "no way", "impossible", "unable"),
    *("not reversible", "one-way", "one way", "back", "for good", "forever", "permanently"),
    *("preserve", "restore", "recover", "retained", "kept"),
)
"""What speaks of a loss has one of these, which are looked for fifty times as fast."""

_LOST_BY_NAME = re.compile(
    r"""
      \b(?:is|are|be|been|was|were|gets?)[ ](?:\w+[ ]){0,2}
      (?:lost|gone|destroyed|discarded|wiped|thrown[ ]away)\b
    | \b(?:is|are|be)[ ](?:not|never)[ ](?:kept|preserved|restored)\b
    | \b(?:loses?|losing|destroys?|destroying|discards?|discarding|wipes|throws?[ ]away)\b
    | \b(?:do|does|will|did)(?:[ ]not|n't)[ ](?:keep|preserve|restore|bring[ ]back)\b
    | \b(?:delet|remov|drop)\w*\b.{0,40}\b(?:permanently|forever|for[ ]good)\b
    | \bpermanently[ ](?:delet|remov|drop)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""What speaks of a loss where it stands beside the name of what is lost."""
_LOST_BY_NAME_WITH = (
    *("los", "gone", "destr", "discard", "wip", "throw", "not ", "n't ", "never "),
    *("permanently", "forever", "for good"),
)
_DENIED = re.compile(
    r"""
    \b(?:no[ ]longer|not|never|nothing|without)[ ](?:\w+[ ]){0,2}
      (?:los[eist]\w*|gone|destroy|discard|wip|thrown|delet|remov|drop|permanently)
    | n't[ ](?:\w+[ ]){0,2}(?:los[eist]\w*|gone|destroy|discard|wip|delet|remov|drop)
    """,
    re.IGNORECASE | re.VERBOSE,
)

_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_LINES = re.compile(r"\s*\n\s*(?:#\s*)?|^\s*#\s*")
_EVERYTHING = re.compile(r"\b(?:all|any|every|everything|anything)\b", re.IGNORECASE)

_ORDINARY = re.compile(
    r"""
    (?: (?:_|^)
        (?: data | values? | rows? | records? | contents? | information | info | types? | keys?
          | tables? | columns? | fields? | indexe?s? | migrations? | revisions? | versions?
          | schemas? | databases? | upgrades? | downgrades? | rollbacks? | warnings? | notes?
          | old | new | previous | original | existing | one | way | back | loss(?:es)?
          | lost | lossy | gone | deleted | removed | dropped | destroyed | destructive
          | discarded | wiped | restored? | recovered | reverted | irreversible | permanent(?:ly)?
        ) (?=_|$)
    )+
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A name that prose of a loss has for a word, too."""

_EXPLAINED = re.compile(
    r"""
      no[ ]downgrade | no[ ]need[ ]to\b | only[ ]way[ ]is[ ]up | downgrade[ ]would[ ]fail
    | (?:not|n't|nothing[ ]to)[ ](?:(?:be|generally|officially|currently)[ ])*
      (?:need|support|possib|necessar|requir|undo|do\b|revers|revert|downgrad|roll|drop|remov|delet
      |re-?creat)
    | intention | on[ ]purpose | deliberate | no[- ]?op\b | unsupported | one[- ]way
    | (?:keep|leave|harmless|safe[ ]to)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_EXPLAINED_WITH = (
    *("no downgrade", "no need", "only way", "would fail", "not ", "n't ", "nothing to "),
    *("intention", "purpose", "deliberate", "noop", "no op", "no-op", "unsupported"),
    *("one-way", "one way", "keep", "leave", "harmless", "safe to"),
)


def documentation(migration: Migration) -> str:
    """Everything a migration says in prose."""
    return migration.prose


@lru_cache(_REMEMBERED)
def explains(text: str) -> bool:
    """Whether prose says on purpose that there is nothing to undo, or no way to."""
    explained = _has(text, _EXPLAINED_WITH) and _EXPLAINED.search(text) is not None
    return explained or says_loss(text)


@lru_cache(_REMEMBERED)
def says_loss(text: str) -> bool:
    """Whether prose speaks of lost data or of a way back that does not exist, in any words."""
    return _has(text, _SAID_WITH) and _SAID.search(text) is not None


def told_losses(text: str, subjects: Iterable[str]) -> frozenset[str]:
    """Which of these tables and columns prose says to be lost.

    Where it names some of them beside a loss, these and what else that paragraph names; where it
    names none, it is meant for all.
    """
    known = frozenset(subjects)
    said = [
        (paragraph, sentence)
        for paragraph in _PARAGRAPH.split(text)
        for sentence in _SENTENCE.split(paragraph)
        if says_loss(sentence) or _says_loss_of(sentence, known)
    ]
    if not said and not says_loss(text):
        return frozenset()
    if not said or any(_EVERYTHING.search(sentence) for _, sentence in said):
        return known
    if not any(names(subject, sentence) for subject in known for _, sentence in said):
        return known
    return frozenset(
        subject
        for subject in known
        if any(names(subject, paragraph, in_passing=True) for paragraph, _ in said)
    )


def _says_loss_of(sentence: str, subjects: Iterable[str]) -> bool:
    """Whether it says of a table or column itself that it is lost, which is meant of its values."""
    if not _has(sentence, _LOST_BY_NAME_WITH) or not _LOST_BY_NAME.search(sentence):
        return False
    return not _DENIED.search(sentence) and any(names(each, sentence) for each in subjects)


def unsaid_losses(text: str, older: Iterable[str], newer: Iterable[str] = ()) -> frozenset[str]:
    """Which of these tables and columns prose does not say to be lost.

    For what was written since the upgrade any words of a loss will do: it is normal.
    """
    lost = frozenset(older)
    told = told_losses(text, lost)
    return lost - told if told or says_loss(text) else lost.union(newer)


def documents(text: str, older: Iterable[str]) -> bool:
    """Whether prose says of each of these that it is lost; of none, that something is."""
    lost = frozenset(older)
    return not unsaid_losses(text, lost) if lost else says_loss(text)


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of prose, each in one line and without the marks of comments."""
    return tuple(
        _LINES.sub(" ", sentence)
        for paragraph in _PARAGRAPH.split(text)
        for sentence in _SENTENCE.split(paragraph)
    )


def names(subject: str, text: str, *, in_passing: bool = False, plural: bool = True) -> bool:
    """Whether prose names a table, or a column or its table as a whole; as words, too.

    What prose of a loss says anyway ("the values are lost") names nothing by itself, but may do so
    `in_passing`, where something else is named. A name in the `plural` stands for what it counts:
    `bios` are values of `bio`.
    """
    table, _, name = subject.rpartition(".")
    parts = [name] + [table.rpartition(".")[2]] * bool(table)
    forms = [re.escape(subject)] * bool(table)
    forms.append(rf"([`'\"])(?:{'|'.join(map(re.escape, parts))})\1")
    for part in parts:
        words = re.escape(part).replace("_", "[ _-]?")
        if not _ORDINARY.fullmatch(part):
            # `users.bio` is about one column of `users`, not about the others.
            forms.append(rf"(?<!\.){words}{'s?' * plural}(?!\w|\.\w)")
        elif in_passing or "_" in part:
            forms.append(rf"(?<!\.){re.escape(part)}(?!\w|\.\w|[ ]loss)")
    return re.search(rf"(?<!\w)(?:{'|'.join(forms)})", text, re.IGNORECASE) is not None


def _has(text: str, words: Iterable[str]) -> bool:
    folded = text.casefold()
    return any(word in folded for word in words)
