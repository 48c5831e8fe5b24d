"""(migration, history, evidence) in, diagnostics out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from alembic_roundtrip.config import Settings
from alembic_roundtrip.context import Context, FileContext
from alembic_roundtrip.rule import SEVERITIES, Diagnostic, Rule, rules
from alembic_roundtrip.rulenames import OFF, mistaken_names
from alembic_roundtrip.suppression import Suppression, file_suppressions, suppressions

C = TypeVar("C", Context, FileContext)

logger = logging.getLogger(__name__)


class UnknownRuleError(ValueError):
    """A rule named in the settings does not exist."""


def check(context: Context, settings: Settings) -> tuple[Diagnostic, ...]:
    """What the selected rules find in a migration, in the order of the text.

    A rule that fails on a document is logged and left out; the others go on.
    """
    return _check(context, Rule.diagnostics, suppressions(context.migration), settings)


def check_file(context: FileContext, settings: Settings) -> tuple[Diagnostic, ...]:
    """What the selected rules find in a file that is no migration, in the order of the text."""
    return _check(context, Rule.file_diagnostics, file_suppressions(context.file), settings)


def _check(
    context: C,
    findings: Callable[[Rule, C], Sequence[Diagnostic]],
    ignored: Sequence[Suppression],
    settings: Settings,
) -> tuple[Diagnostic, ...]:
    chosen = selected(settings)
    names = frozenset(rule.name for rule in chosen)
    found: list[Diagnostic] = []
    for stage in range(max((rule.stage for rule in chosen), default=0) + 1):
        so_far = replace(context, found=tuple(found), applied=names)
        for rule in chosen:
            if rule.stage == stage:
                found += _guarded(rule, findings, so_far)
    found = [_as_configured(diagnostic, settings) for diagnostic in found]
    found = [d for d in found if not any(s.covers(d.rule, d.range) for s in ignored)]
    return tuple(sorted(found, key=lambda d: (d.range, SEVERITIES.index(d.severity), d.rule)))


def selected(settings: Settings) -> tuple[Rule, ...]:
    """The rules the settings ask for; names that no rule has are left out."""
    off = [name for name, severity in settings.severity.items() if severity == OFF]
    return _selected(settings.select, frozenset({*settings.ignore, *off}))


@lru_cache(maxsize=16)  # the settings of a project are the same for all of its migrations
def _selected(select: tuple[str, ...], left_out: frozenset[str]) -> tuple[Rule, ...]:
    known = rules()
    chosen = [known[name] for name in select or known if name in known]
    chosen += [rule for rule in known.values() if rule.always and rule not in chosen]
    return tuple(rule for rule in chosen if rule.name not in left_out)


def check_names(settings: Settings) -> None:
    """Raises `UnknownRuleError` where a rule or a severity is named that there is not."""
    for mistake in mistaken_names(settings):
        told = mistake.sentence
        raise UnknownRuleError(
            told if mistake.near else f"{told}; `alembic-roundtrip explain` lists them"
        )


def _as_configured(diagnostic: Diagnostic, settings: Settings) -> Diagnostic:
    severity = settings.severity.get(diagnostic.rule)
    if severity not in SEVERITIES:
        return diagnostic
    return replace(diagnostic, severity=SEVERITIES[SEVERITIES.index(severity)])


def _guarded(
    rule: Rule, findings: Callable[[Rule, C], Sequence[Diagnostic]], context: C
) -> Sequence[Diagnostic]:
    try:
        return findings(rule, context)
    except Exception:
        file = context.migration if isinstance(context, Context) else context.file
        logger.exception("rule %s failed on %s", rule.name, file.path)
        return ()
