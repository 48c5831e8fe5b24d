"""(migration, history, evidence) in, diagnostics out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from alembic_roundtrip.config import Settings
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.engines import together
from alembic_roundtrip.filecontext import FileContext
from alembic_roundtrip.rule import Rule, rules, rules_of_files
from alembic_roundtrip.rulenames import OFF
from alembic_roundtrip.severity import SEVERITIES
from alembic_roundtrip.suppression import (
    Suppression,
    file_suppressions,
    may_ignore,
    suppressions,
)

if TYPE_CHECKING:
    from alembic_roundtrip.context import Context
    from alembic_roundtrip.migration.changes import Change
    from alembic_roundtrip.migration.model import Operation

C = TypeVar("C", "Context", FileContext)
Kinds: TypeAlias = "frozenset[type[Change]]"
"""What kinds of changes there are in a direction."""
Stages = tuple[tuple[int, tuple[Rule, ...]], ...]
"""Rules by their stages."""
Known = Callable[[], Mapping[str, Rule]]

logger = logging.getLogger(__name__)


def check(
    context: Context, settings: Settings, chosen: Choice | None = None
) -> tuple[Diagnostic, ...]:
    """What the selected rules, or those that are given, find in a migration, in its order.

    A rule that fails on a document is logged and left out; the others go on.
    """
    chosen = chosen or selected(settings)
    ignored = suppressions(context.migration)
    kinds = _kinds_in(context)
    for part in context.parts:
        kinds = tuple(some | more for some, more in zip(kinds, _kinds_in(part), strict=True))
    stages = chosen.concerned(
        *kinds,
        rehearsed=context.evidence is not None or context.stale is not None,
        ignoring=bool(ignored) or may_ignore(context.migration.text),
    )
    return _check(context, chosen, stages, found_by, ignored, settings)


def found_by(rule: Rule, context: Context) -> Sequence[Diagnostic]:
    """What a rule finds in a migration, of each engine where there are several databases.

    A rehearsal has measured all of these at once, and a comment may stand in the functions of any.
    """
    if rule.measured or rule.of_ignores or not context.parts:
        return rule.diagnostics(context)
    return together(
        (part.migration, rule.diagnostics(part) if rule.concerns(*_kinds_in(part)) else ())
        for part in context.parts
    )


def _kinds_in(context: Context) -> tuple[Kinds, ...]:
    return _kinds(context.upgrade_operations), _kinds(context.downgrade_operations)


def check_file(context: FileContext, settings: Settings) -> tuple[Diagnostic, ...]:
    """What the selected rules find in a file that is no migration, in the order of the text."""
    ignored = file_suppressions(context.file)
    # Whoever judges comments asks which rules there are.
    asked = bool(ignored) or may_ignore(context.file.text)
    chosen = selected(settings, rules if asked else rules_of_files)
    return _check(context, chosen, chosen.stages, Rule.file_diagnostics, ignored, settings)


def _kinds(operations: Sequence[Operation]) -> Kinds:
    return frozenset([type(change) for operation in operations for change in operation.changes])


def _check(
    context: C,
    chosen: Choice,
    stages: Stages,
    findings: Callable[[Rule, C], Sequence[Diagnostic]],
    ignored: Sequence[Suppression],
    settings: Settings,
) -> tuple[Diagnostic, ...]:
    found: list[Diagnostic] = []
    for number, stage in stages:
        so_far = context
        if number > 0:
            so_far = replace(context, found=tuple(found), applied=chosen.names)
        for rule in stage:
            found += _guarded(rule, findings, so_far)
    if not found:
        return ()
    found = [_as_configured(diagnostic, settings) for diagnostic in found]
    found = [d for d in found if not any(s.covers(d.rule, d.range) for s in ignored)]
    return tuple(sorted(found, key=lambda d: (d.range, SEVERITIES.index(d.severity), d.rule)))


class Choice:
    """The rules that settings ask for."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.names = frozenset(rule.name for rule in self.rules)
        self.stages = _in_stages(self.rules)
        self._concerned: dict[object, Stages] = {}

    def concerned(
        self, upgrade: Kinds, downgrade: Kinds, *, rehearsed: bool, ignoring: bool
    ) -> Stages:
        """Those that may find something in a migration of such changes.

        `rehearsed` says that something was measured, `ignoring` that comments ignore rules. Most
        look at changes that most migrations do not have; there are few kinds of migrations.
        """
        key = (upgrade, downgrade, rehearsed, ignoring)
        if key not in self._concerned:
            concerned = [
                rule
                for rule in self.rules
                if (rehearsed or not rule.measured)
                and (ignoring or not rule.of_ignores)
                and rule.concerns(upgrade, downgrade)
            ]
            self._concerned[key] = _in_stages(concerned)
        return self._concerned[key]


def _in_stages(rules: Sequence[Rule]) -> Stages:
    stages = sorted({rule.stage for rule in rules})
    return tuple((stage, tuple(rule for rule in rules if rule.stage == stage)) for stage in stages)


def selected(settings: Settings, known: Known = rules) -> Choice:
    """The rules the settings ask for; names that no rule has are left out."""
    off = [name for name, severity in settings.severity.items() if severity == OFF]
    return _selected(settings.select, frozenset({*settings.ignore, *off}), known)


@lru_cache(maxsize=16)  # the settings of a project are the same for all of its migrations
def _selected(select: tuple[str, ...], left_out: frozenset[str], loaded: Known) -> Choice:
    known = loaded()
    chosen = [known[name] for name in select or known if name in known]
    chosen += [rule for rule in known.values() if rule.always and rule not in chosen]
    return Choice(rule for rule in chosen if rule.name not in left_out)


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
        file = context.file if isinstance(context, FileContext) else context.migration
        logger.exception("rule %s failed on %s", rule.name, file.path)
        return ()
