"""(migration, history, evidence) in, diagnostics out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from alembic_roundtrip.config import Settings
from alembic_roundtrip.context import Context
from alembic_roundtrip.rule import SEVERITIES, Diagnostic, Rule, rules
from alembic_roundtrip.suppression import suppressions

OFF = "off"
"""The severity, in the settings, of a rule that is not applied."""

logger = logging.getLogger(__name__)


class UnknownRuleError(ValueError):
    """A rule named in the settings does not exist."""


def check(context: Context, settings: Settings) -> tuple[Diagnostic, ...]:
    """What the selected rules find in a migration, in the order of the text.

    A rule that fails on a document is logged and left out; the others go on.
    """
    chosen = selected(settings)
    found = [d for rule in chosen if not rule.last for d in _findings(rule, context)]
    names = frozenset(rule.name for rule in chosen)
    after = replace(context, found=tuple(found), applied=names)
    found += [d for rule in chosen if rule.last for d in _findings(rule, after)]
    found = [_as_configured(diagnostic, settings) for diagnostic in found]
    ignored = suppressions(context.migration)
    found = [d for d in found if not any(s.covers(d.rule, d.range) for s in ignored)]
    return tuple(sorted(found, key=lambda d: (d.range, SEVERITIES.index(d.severity), d.rule)))


def selected(settings: Settings) -> tuple[Rule, ...]:
    """The rules the settings ask for; raises `UnknownRuleError` for a name that is none.

    So it does for a severity that is none.
    """
    known = rules()
    for name, severity in settings.severity.items():
        if severity not in (*SEVERITIES, OFF):
            wanted = ", ".join((*SEVERITIES, OFF))
            raise UnknownRuleError(f"`{severity}` for `{name}` is no severity: use {wanted}")
    off = [name for name, severity in settings.severity.items() if severity == OFF]
    for name in (*settings.select, *settings.ignore, *settings.severity):
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise UnknownRuleError(f"there is no rule `{name}`{hint}")
    chosen = settings.select or tuple(known)
    return tuple(known[name] for name in chosen if name not in (*settings.ignore, *off))


def _as_configured(diagnostic: Diagnostic, settings: Settings) -> Diagnostic:
    severity = settings.severity.get(diagnostic.rule)
    if severity is None:
        return diagnostic
    return replace(diagnostic, severity=SEVERITIES[SEVERITIES.index(severity)])


def _findings(rule: Rule, context: Context) -> Iterator[Diagnostic]:
    try:
        yield from rule.diagnostics(context)
    except Exception:
        logger.exception("rule %s failed on %s", rule.name, context.migration.path)
