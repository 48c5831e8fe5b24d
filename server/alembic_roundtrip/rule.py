"""What a rule is: its page, its check and its examples."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from alembic_roundtrip.diagnostic import Diagnostic, Finding, Fix, Fixes
from alembic_roundtrip.engines import in_words_of
from alembic_roundtrip.severity import Severity

if TYPE_CHECKING:
    from alembic_roundtrip.context import Context
    from alembic_roundtrip.evidence import RevisionEvidence
    from alembic_roundtrip.filecontext import FileContext
    from alembic_roundtrip.migration.changes import Change, Kinds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """A migration (or its two functions) with carets under what the rule finds.

    `history` holds the migrations before it, oldest first, each written the same way; `fixed` is
    the source after the first fix, `created` the file that it makes. `deployed` is what git has of
    it on the default branch, and `deleted` are migrations that git has and that are gone. With
    `file` the source is that of a file beside the migrations, of that name. `evidence` is what the
    last rehearsal measured; with `stale` it was measured before an edit. `beside` are other files
    of the project, by their path in it.
    """

    title: str
    source: str
    fixed: str | None = None
    history: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()
    deployed: str | None = None
    deleted: tuple[str, ...] = ()
    file: str = ""
    evidence: RevisionEvidence | None = None
    stale: bool = False
    created: str | None = None
    beside: Mapping[str, str] = field(default_factory=dict)


Check = Callable[["Context"], Iterator[Finding]]
FileCheck = Callable[["FileContext"], Iterator[Finding]]


@dataclass(eq=False)
class Rule:
    """One rule: made with `Rule(__name__, …)` in a module of its own, named after the module.

    It checks migrations, files beside them (scripts, workflows, settings), or both.
    """

    module: str
    severity: Severity
    stage: int = 0
    """Where it judges what other rules found, it comes after those of the stages before."""
    measured: bool = False
    """Whether it tells what a rehearsal measured, and so is silent where there was none."""
    of_ignores: bool = False
    """Whether it judges comments that ignore rules, and so is silent where there are none."""
    always: bool = False
    """Whether it applies though others are selected; only to be ignored by its name."""
    upgrade: Kinds | None = None
    downgrade: Kinds | None = None
    """The changes without which it finds nothing, in the one direction or the other: a migration
    that has none of them is not shown to it. Where neither is given it looks at every migration."""
    examples: list[Example] = field(default_factory=list)
    _check: Check | None = None
    _check_file: FileCheck | None = None

    @cached_property
    def name(self) -> str:
        """The rule's name, from its module's."""
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def page(self) -> str:
        """The rule's documentation, in Markdown: its module's docstring."""
        return (sys.modules[self.module].__doc__ or "").strip()

    @property
    def summary(self) -> str:
        """The first line of the page."""
        return self.page.partition("\n")[0]

    def check(self, function: Check) -> Check:
        """Decorator of the function that yields findings in a migration."""
        self._check = function
        return function

    def check_file(self, function: FileCheck) -> FileCheck:
        """Decorator of the function that yields findings in a file that is no migration."""
        self._check_file = function
        return function

    def example(
        self,
        title: str,
        source: str,
        *,
        fixed: str | None = None,
        history: tuple[str, ...] = (),
        dialects: tuple[str, ...] = (),
        deployed: str | None = None,
        deleted: tuple[str, ...] = (),
        file: str = "",
        evidence: RevisionEvidence | None = None,
        stale: bool = False,
        created: str | None = None,
        beside: Mapping[str, str] | None = None,
    ) -> None:
        """Document and test the rule with one example."""
        project = (history, dialects, deployed, deleted, file, evidence, stale, created)
        example = Example(title, source, fixed, *project, beside or {})
        self.examples.append(example)

    def concerns(
        self, upgrade: frozenset[type[Change]], downgrade: frozenset[type[Change]]
    ) -> bool:
        """Whether it may find something where each direction has changes of these kinds."""
        if self._check is None:
            return False
        if self.upgrade is None and self.downgrade is None:
            return True
        return not (
            upgrade.isdisjoint(self.upgrade or ()) and downgrade.isdisjoint(self.downgrade or ())
        )

    def diagnostics(self, context: Context) -> Sequence[Diagnostic]:
        """What the rule finds in one migration; what a loop repeats at one place, once."""
        if self._check is None:
            return ()
        findings = [*self._check(context)]
        if not findings:  # of nearly every rule in nearly every migration
            return ()
        found = {(finding.range, finding.message): finding for finding in findings}
        migration = context.migration
        fitting = in_words_of(migration)
        return [
            self._diagnostic(fitting(finding), migration.path, migration.id)
            for finding in found.values()
        ]

    def file_diagnostics(self, context: FileContext) -> Sequence[Diagnostic]:
        """What the rule finds in a file that is no migration."""
        if self._check_file is None:
            return ()
        return [self._diagnostic(f, context.file.path, "") for f in self._check_file(context)]

    def _diagnostic(self, finding: Finding, path: Path, revision: str) -> Diagnostic:
        return Diagnostic(
            rule=self.name,
            severity=finding.severity or self.severity,
            message=finding.message,
            path=path,
            revision=revision,
            range=finding.range,
            offered=self._guarded(finding.fixes, path),
            related=finding.related,
        )

    def _guarded(self, fixes: Fixes, path: Path) -> Fixes:
        """Fixes that are made once; none, and a word in the log, where making them fails."""
        if not callable(fixes):
            return fixes

        @cache
        def made() -> tuple[Fix, ...]:
            try:
                return fixes()
            except Exception:
                logger.exception("the fixes of rule %s failed on %s", self.name, path)
                return ()

        return made


_PACKAGE = "alembic_roundtrip.rules"


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by name: one for each module in `alembic_roundtrip.rules`."""
    return _loaded(_modules())


@cache
def rules_of_files() -> Mapping[str, Rule]:
    """Those that judge files which are no migrations, by name.

    Their text tells: to load all others takes longer than everything else that a file needs.
    """
    return _loaded(name for name in _modules() if _may_judge_files(name))


def _modules() -> list[str]:
    package = importlib.import_module(_PACKAGE)
    found = (info.name for info in pkgutil.iter_modules(package.__path__))
    return [name for name in found if not name.startswith("_")]


def _may_judge_files(name: str) -> bool:
    try:
        text = pkgutil.get_data(_PACKAGE, f"{name}.py")
    except OSError:  # installed without its text
        return True
    return text is None or b"@rule.check_file" in text


def _loaded(names: Iterable[str]) -> Mapping[str, Rule]:
    modules = (importlib.import_module(f"{_PACKAGE}.{name}") for name in names)
    return MappingProxyType({module.rule.name: module.rule for module in modules})
