"""What is found of one of several databases, said of the file that migrates them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from alembic_roundtrip.databases import named
from alembic_roundtrip.diagnostic import Diagnostic, Finding, Fix, Related
from alembic_roundtrip.migration.rewrite import InsertStatements, Rewrite, WriteBody

if TYPE_CHECKING:
    from alembic_roundtrip.migration.model import Migration

_CALLED = re.compile(r"\b(upgrade|downgrade)\(\)")
_BODIES = (WriteBody, InsertStatements)


def together(found: Iterable[tuple[Migration, Sequence[Diagnostic]]]) -> list[Diagnostic]:
    """What a rule finds of each engine, each thing once.

    What is found in the functions of an engine is that one's alone; what is found where all have
    their say, but not of all, says of which.
    """
    parts = list(found)
    by_key: dict[object, list[tuple[int, Diagnostic]]] = {}
    for number, (_, diagnostics) in enumerate(parts):
        for each in diagnostics:
            by_key.setdefault((each.range, each.message), []).append((number, each))
    kept = []
    for same in by_key.values():
        diagnostic = same[0][1]
        owners = {n for n, (migration, _) in enumerate(parts) if _is_in(migration, diagnostic)}
        finders = [number for number, _ in same]
        if owners and len(owners) < len(parts):
            kept += [each for n, each in same if n in owners][:1]
        elif len(finders) == len(parts):
            kept.append(diagnostic)
        else:
            names = " and ".join(_name(parts[number][0]) for number in finders)
            kept.append(replace(diagnostic, message=f"{diagnostic.message} ({names})"))
    return kept


def _name(migration: Migration) -> str:
    return f"`{named(migration.part.engine)}`" if migration.part is not None else ""


def _is_in(migration: Migration, diagnostic: Diagnostic) -> bool:
    place = diagnostic.range.start
    return any(each.range.start <= place <= each.range.end for each in migration.functions)


def in_words_of(migration: Migration) -> Callable[[Finding], Finding]:
    """What makes of a finding one that names, and whose fixes write, an engine's own functions."""
    if migration.part is not None:
        return partial(_of_part, migration)
    return _without_bodies if migration.of_several_databases else _as_it_is


def _as_it_is(finding: Finding) -> Finding:
    return finding


def _of_part(migration: Migration, finding: Finding) -> Finding:
    def said(text: str) -> str:
        return _CALLED.sub(lambda match: f"{migration.function(match[1])}()", text)

    def fixes() -> tuple[Fix, ...]:
        written = (fix_of_part(migration, fix) for fix in _offered(finding))
        return tuple(replace(fix, title=said(fix.title)) for fix in written if fix is not None)

    related = tuple(Related(r.path, r.range, said(r.message)) for r in finding.related)
    return replace(finding, message=said(finding.message), fixes=fixes, related=related)


def fix_of_part(migration: Migration, fix: Fix) -> Fix | None:
    """A fix of one engine as one of the file; None where that would write into every engine's."""
    assert migration.part is not None
    if not migration.part.own.issuperset(_bodies(fix)):
        return None
    return replace(fix, rewrites=tuple(_renamed(migration, each) for each in fix.rewrites))


def _renamed(migration: Migration, rewrite: Rewrite) -> Rewrite:
    if isinstance(rewrite, _BODIES):
        return replace(rewrite, direction=migration.function(rewrite.direction))
    return rewrite


def _without_bodies(finding: Finding) -> Finding:
    """A finding without the fixes that write into a direction which every engine runs."""
    return replace(
        finding, fixes=lambda: tuple(fix for fix in _offered(finding) if not _bodies(fix))
    )


def _offered(finding: Finding) -> tuple[Fix, ...]:
    return finding.fixes() if callable(finding.fixes) else finding.fixes


def _bodies(fix: Fix) -> set[str]:
    """The directions that a fix writes into."""
    return {rewrite.direction for rewrite in fix.rewrites if isinstance(rewrite, _BODIES)}
