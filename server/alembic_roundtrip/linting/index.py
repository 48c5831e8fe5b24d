"""Diagnostics from the last time, for as long as nothing changed that they depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from alembic_roundtrip.config import Settings
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.index.store import Store, digest
from alembic_roundtrip.linting.records import Detail, packed, unpacked
from alembic_roundtrip.scripts import Scripts

_NAME = "diagnostics"

HISTORY_FACTS = frozenset(
    {"by_id", "children", "descendants", "get", "heads", "labelled", "labels", "named", "problems"}
)
"""What rules may ask of the history: all that is part of what a diagnostic depends on here."""


class DiagnosticIndex:
    """The diagnostics of one environment's files under some settings."""

    def __init__(self, store: Store, scripts: Scripts, settings: Settings) -> None:
        self._store = store
        self._scripts = scripts
        # With paths of this machine, defaults and all: what is not said counts as well.
        self._settings = repr((settings, scripts.environment))
        self._since = settings.since
        known = store.load(_NAME)
        self._known: dict[str, list[Any]] = known if isinstance(known, dict) else {}
        self._kept: dict[str, list[Any]] = {}
        self._news = False

    def find(self, path: Path, detail: Detail) -> tuple[Diagnostic, ...] | None:
        """The diagnostics of a file; None where they have to be found anew."""
        entry = self._known.get(str(path))
        try:
            key, revision, has, found = entry or ("", "", 0, [])
            if has < detail or key != self._key(path, revision):
                return None
            diagnostics = unpacked(path, revision, found)
        except (TypeError, ValueError):
            return None
        assert entry is not None
        self._kept[str(path)] = entry
        return diagnostics

    def keep(self, path: Path, revision: str, detail: Detail, found: Iterable[Diagnostic]) -> None:
        """Remember the diagnostics of a file, its revision as it was read."""
        self._kept[str(path)] = [self._key(path, revision), revision, detail, packed(found)]
        self._news = True

    def save(self, files: Iterable[Path]) -> None:
        """Keep what is known of these files on disk; others are forgotten."""
        names = {str(path) for path in files}
        if self._news or self._known.keys() - names:
            rest = {name: entry for name, entry in self._known.items() if name in names}
            self._store.save(_NAME, rest | self._kept)

    def _key(self, path: Path, revision: str) -> str:
        """A hash of everything that the diagnostics of a file depend on."""
        scripts = self._scripts
        history = scripts.history
        facts = (
            self._common,
            str(path),
            scripts.digest(path),
            revision,
            scripts.digest_before(revision),
            history.children(revision) if revision in history else (),
            tuple(str(other.path) for other in history.named(revision)),
            self._heads if revision in history.heads else (),
            self._evidence.get(scripts.evidence_store.name_of(revision)),
            bool(self._since) and revision in scripts.up_to(self._since),
            scripts.deployed_facts(path, revision),
        )
        return digest(repr(facts).encode())

    @cached_property
    def _common(self) -> str:
        """What the diagnostics of all files depend on."""
        scripts = self._scripts
        history = scripts.history
        count = len(history) if scripts.upgrade_only else None
        parts: list[object] = [
            self._settings,
            count,
            scripts.convention,
            scripts.in_transaction,
        ]
        if history.problems or any(revision.computed for revision in history.revisions):
            # What is wrong somewhere may be said, or its remedy looked for, anywhere.
            parts += [history.revisions, history.problems]
        return digest(repr(parts).encode())

    @cached_property
    def _heads(self) -> tuple[tuple[str, Path | None, list[str]], ...]:
        history = self._scripts.history
        return tuple(
            (head, history.by_id[head].path, sorted(history.labels(head))) for head in history.heads
        )

    @cached_property
    def _evidence(self) -> Mapping[str, tuple[int, int]]:
        return self._scripts.evidence_store.states()
