"""What is written where every downgrade of a history is deleted, and what it is worth."""

from __future__ import annotations

import ast
import asyncio
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alembic_roundtrip.migration import editing
from alembic_roundtrip.migration.changes import Unknown
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.rewrite import WriteBody
from alembic_roundtrip.rehearsal.events import NoWayBack, WayBackFound
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.rehearsal.way_back import plan_of
from alembic_roundtrip.restoration import Restoration
from alembic_roundtrip.scaffold import PLACEHOLDER, can_be_written, fix, fix_from_database
from alembic_roundtrip.text import apply_edits
from alembic_roundtrip.workspace import Workspace
from benchmarks import histories
from corpus.install import Installed
from corpus.runs import Run, command_line

_NOT_RESTORED = frozenset({"residue", "failed"})


@dataclass(frozen=True)
class Written:
    """A migration whose downgrade was deleted and written anew."""

    revision: str
    parses: bool
    opaque: bool
    placeholders: int
    fragile: int
    """Comments that name rows which would stop it."""


@dataclass
class Measure:
    """Counts over any number of histories, of the revisions whose upgrade runs and can be read."""

    revisions: int = 0
    unparsable: list[str] = field(default_factory=list)
    measured: int = 0
    restored: int = 0
    could_be_lossless: int = 0
    lossless: int = 0
    overclaiming: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    placeholders: int = 0
    source: str = "code"

    def add(self, written: Written, found: dict[str, Any]) -> None:
        """Count one revision in, with what its rehearsal found."""
        self.revisions += 1
        self.placeholders += written.placeholders
        if not written.parses:
            self.unparsable.append(written.revision)
        if not _upgrade_runs(found):
            return
        broken = _broken(found)
        stopped = broken and written.fragile and _stops_at_new_rows(found)
        if broken and not stopped and not written.placeholders:
            self.overclaiming.append(written.revision)
        if written.opaque:
            return
        self.measured += 1
        self.restored += not broken
        if stopped:
            self.stopped.append(written.revision)
        elif broken and written.placeholders:
            self.by_hand.append(written.revision)
        if not any(loss["step"] == "upgrade" for loss in found["losses"]):
            self.could_be_lossless += 1
            self.lossless += found["verdict"] == "lossless"

    def include(self, other: Measure) -> None:
        """Count in what another one has counted."""
        for name, value in vars(other).items():
            if name != "source":
                setattr(self, name, getattr(self, name) + value)

    @property
    def share(self) -> float:
        """Of the revisions that were measured, those that are restored; from 0 to 1."""
        return self.restored / max(1, self.measured)

    @property
    def share_but_for_new_rows(self) -> float:
        """The same with those that only stop where they say: at rows the parent has no room for."""
        return (self.restored + len(self.stopped)) / max(1, self.measured)

    def lines(self) -> Iterator[str]:
        """As sentences."""
        parsing = self.revisions - len(self.unparsable)
        yield (
            f"scaffolds from {self.source}: {parsing} of {self.revisions} parse, "
            f"{self.placeholders} placeholders; of {self.measured} whose upgrade runs and can be "
            f"read, {self.restored} ({self.share:.0%}) leave no residue, and {len(self.stopped)} "
            f"more only stop at rows that they name ({self.share_but_for_new_rows:.0%})"
        )
        kept = self.lossless / max(1, self.could_be_lossless)
        yield (
            f"  lossless: {self.lossless} of {self.could_be_lossless} ({kept:.0%}) whose upgrade "
            "loses nothing"
        )
        claims = ", ".join(self.overclaiming) or "-"
        yield f"  claim more than they do: {claims}; left to do by hand: {len(self.by_hand)}"

    def row(self, name: str) -> str:
        """As a line of the report's table."""
        cells = [
            name,
            self.source,
            f"{self.revisions - len(self.unparsable)} of {self.revisions}",
            f"{self.measured}",
            f"{self.restored} ({self.share:.0%})",
            f"{len(self.stopped)} ({self.share_but_for_new_rows:.0%})",
            f"{len(self.by_hand)}",
            f"{self.lossless} of {self.could_be_lossless}",
            ", ".join(f"`{revision}`" for revision in self.overclaiming) or "-",
        ]
        return f"| {' | '.join(cells)} |"


_SECTION = """\
## What is written where the downgrade was deleted

Every downgrade is deleted, written from the code or from a scratch database, and rehearsed with
made-up rows. *Counted* are revisions whose upgrade runs and can be read. *Restored* are those that
leave no residue, whatever rows there are. *Stopped* are refused, as a comment says, where rows
written since the upgrade have no place in the parent's schema; the second share counts them in.
*By hand* is left what a comment marks. *Lossless* is counted where the upgrade loses nothing. One
that leaves residue without saying what is left to do *claims more* than it does.

| history | from | parse | counted | restored | stopped | by hand | lossless | claims more |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def section(measures: Iterable[tuple[str, Measure]]) -> str:
    """The part of the report that tells what written downgrades are worth."""
    return _SECTION + "".join(f"{measure.row(name)}\n" for name, measure in measures)


def own_copy(installed: Installed, workspace: Path) -> Path:
    """A package's migrations as a project's own files, in a folder that is made; the versions."""
    migrations = workspace / "migrations"
    shutil.copytree(installed.migrations, migrations)
    (migrations / "alembic.ini").unlink(missing_ok=True)
    replace(installed.project, location="migrations").write(workspace, installed.python)
    return migrations / "versions"


Ways = Mapping[str, Restoration | None]
"""The way back from each revision, where a database was asked for it."""


def rewritten(workspace: Path, versions: Path, *, database: bool) -> list[Written]:
    """Delete every downgrade, and write it from the upgrade or from the database."""
    reader = Workspace([workspace])
    for path in sorted(versions.glob("*.py")):
        migration = reader.migration(path)
        if migration is not None and migration.downgrade is not None:
            deleted = WriteBody("downgrade", ("pass",))
            text = apply_edits(migration.text, editing.edits(migration, [deleted]))
            path.write_text(text, encoding="utf-8")
            reader.changed_on_disk(path)
    paths = sorted(versions.glob("*.py"))
    ways = _ways_back(reader, paths) if database else {}
    return [*_scaffolded(reader, paths, ways)]


def _ways_back(workspace: Workspace, paths: list[Path]) -> Ways:
    """All in one run; None for a revision whose upgrade fails."""
    (environment,) = workspace.environments
    contexts = [context for path in paths if (context := workspace.context(path)) is not None]
    plan = plan_of(
        environment, workspace.settings_of(environment), filter(can_be_written, contexts)
    )

    async def ask() -> dict[str, Restoration | None]:
        found: dict[str, Restoration | None] = {}
        async with aclosing(rehearse(plan)) as events:
            async for event in events:
                if isinstance(event, WayBackFound):
                    found[event.revision] = event.restoration
                elif isinstance(event, NoWayBack):
                    found.setdefault(event.revision, None)
        return found

    return asyncio.run(ask())


def _scaffolded(workspace: Workspace, paths: list[Path], ways: Ways) -> Iterator[Written]:
    for path in paths:
        context = workspace.context(path)
        if context is None or not context.migration.id:
            continue
        migration = context.migration
        way = ways.get(migration.id)
        made = fix(context) if way is None else fix_from_database(context, way)
        text = migration.text
        if made is not None:
            text = apply_edits(text, editing.edits(migration, made.rewrites))
            path.write_text(text, encoding="utf-8")
        marks = text.count(PLACEHOLDER), text.count("# FRAGILE:")
        yield Written(migration.id, _parses(text), opaque(migration), *marks)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def opaque(migration: Migration) -> bool:
    """Whether reading does not tell all that the upgrade does."""
    operations = migration.upgrade.operations if migration.upgrade else ()
    return any(
        operation.opaque is not None or any(isinstance(c, Unknown) for c in operation.changes)
        for operation in operations
    )


def _broken(found: dict[str, Any]) -> bool:
    """Whether the downgrade does not restore; of extensions a scaffold says that they stay."""
    if found["verdict"] not in _NOT_RESTORED:
        return False
    failed = {step["name"] for step in found["steps"] if step["error"]}
    left = [each for each in found["residue"] if each["grade"] != "cosmetic"]
    return any(name.startswith(("downgrade", "upgrade again")) for name in failed) or any(
        each["kind"] != "extension" for each in left
    )


def _upgrade_runs(found: dict[str, Any]) -> bool:
    """Whether the first upgrade passes; what comes after it is the downgrade's doing."""
    if found["verdict"] == "skipped":
        return False
    passed = {step["name"] for step in found["steps"] if not step["error"]}
    with_rows = {name for name in passed if name.startswith("upgrade with ")}
    tried = any(step["name"].startswith("upgrade with ") for step in found["steps"])
    return "upgrade" in passed and (bool(with_rows) or not tried)


def _stops_at_new_rows(found: dict[str, Any]) -> bool:
    """Whether the downgrade fails only over rows that were not legal before the upgrade."""
    errors = {step["name"]: bool(step["error"]) for step in found["steps"]}
    old = ("downgrade with old tame rows only", "downgrade with old rows only")
    tried = [errors[name] for name in old if name in errors]
    return not errors.get("downgrade", True) and bool(tried) and not tried[-1]


def measured(installed: Installed, folder: Path, *, database: bool = False) -> tuple[Measure, Run]:
    """Rehearse a package's history with written downgrades."""
    workspace = folder / f"writing-{database}"
    workspace.mkdir()
    return _measured(workspace, own_copy(installed, workspace), database=database)


GENERATED = {"sqlite": "sqlite:///nowhere.db", "postgresql": "postgresql+psycopg://app@nowhere/app"}
"""What the benchmarks' history is measured on."""


def generated(kind: str, count: int, folder: Path, *, database: bool = False) -> Measure:
    """The same of the history that the benchmarks generate, of so many revisions."""
    workspace = folder / f"generated-{kind}-{database}"
    histories.write(workspace, count, GENERATED[kind])
    settings = f'[tool.alembic-roundtrip]\ndialects = ["{kind}"]\npython = "{sys.executable}"\n'
    (workspace / "pyproject.toml").write_text(settings, encoding="utf-8")
    return _measured(workspace, workspace / "migrations" / "versions", database=database)[0]


def _measured(workspace: Path, versions: Path, *, database: bool) -> tuple[Measure, Run]:
    written = rewritten(workspace, versions, database=database)
    run = command_line("test", "--format", "json", cwd=workspace, home=workspace.parent / "home")
    verdicts = {found["revision"]: found for found in run.document["revisions"]}
    measure = Measure(source="database" if database else "code")
    for each in written:
        measure.add(each, verdicts[each.revision])
    return measure, run
