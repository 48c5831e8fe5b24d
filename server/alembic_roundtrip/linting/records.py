"""Diagnostics as they are reported: nothing in them has to be looked up or made any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_roundtrip.diagnostic import Diagnostic, Fix, NewFile, Related
from alembic_roundtrip.text import Edit, Position, Range

if TYPE_CHECKING:
    from alembic_roundtrip.migration.model import Migration
    from alembic_roundtrip.textfile import TextFile


class Detail(IntEnum):
    """How much is to be known of fixes; making them takes longer than finding what they fix."""

    NOTHING = 0
    TITLES = 1
    """What they are called, but not those of hints."""
    ALL_TITLES = 2
    EDITS = 3


def settled(
    found: Iterable[Diagnostic], document: Migration | TextFile | None, detail: Detail
) -> tuple[Diagnostic, ...]:
    """The diagnostics with their fixes made; what they were made from can be forgotten."""
    return tuple(replace(d, offered=tuple(_fixes(d, document, detail))) for d in found)


def _fixes(d: Diagnostic, document: Migration | TextFile | None, detail: Detail) -> Iterator[Fix]:
    if detail is Detail.NOTHING or (detail is Detail.TITLES and d.severity == "hint"):
        return
    for fix in d.fixes:
        if detail is not Detail.EDITS or document is None:
            yield Fix(fix.title, (), fix.safety)
            continue
        from alembic_roundtrip.migration.editing import edits
        from alembic_roundtrip.migration.rewrite import RewriteError

        made: tuple[Edit, ...] | None = None
        # One that cannot be made of this text is offered without.
        with suppress(RewriteError):
            made = edits(document, fix.rewrites)
        yield Fix(fix.title, (), fix.safety, made, fix.creates)


def packed(found: Iterable[Diagnostic]) -> list[Any]:
    """Settled diagnostics of one file as plain JSON."""
    return [
        [
            d.rule,
            d.severity,
            d.message,
            _numbers(d.range),
            [[str(r.path), _numbers(r.range), r.message] for r in d.related],
            [
                [
                    fix.title,
                    fix.safety,
                    None if fix.edits is None else _texts(fix.edits),
                    [[str(new.path), new.text] for new in fix.creates],
                ]
                for fix in d.fixes
            ],
        ]
        for d in found
    ]


def unpacked(path: Path, revision: str, data: list[Any]) -> tuple[Diagnostic, ...]:
    """Back from `packed`; raises `TypeError` or `ValueError` for anything else."""
    return tuple(
        Diagnostic(
            rule,
            severity,
            message,
            path,
            revision,
            _range(place),
            tuple(
                Fix(
                    title,
                    (),
                    safety,
                    None if made is None else _edits(made),
                    tuple(NewFile(Path(name), text) for name, text in files),
                )
                for title, safety, made, files in fixes
            ),
            tuple(Related(Path(name), _range(at), said) for name, at, said in related),
        )
        for rule, severity, message, place, related, fixes in data
    )


def _texts(made: Iterable[Edit]) -> list[Any]:
    return [[_numbers(edit.range), edit.text] for edit in made]


def _edits(data: list[Any]) -> tuple[Edit, ...]:
    return tuple(Edit(_range(place), text) for place, text in data)


def _numbers(place: Range) -> list[int]:
    return [*place.start, *place.end]


def _range(numbers: list[int]) -> Range:
    first, column, last, end = numbers
    return Range(Position(first, column), Position(last, end))
