"""What a rehearsal measured, as values; where it is kept."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from alembic_roundtrip.databases import named
from alembic_roundtrip.project import Environment

logger = logging.getLogger(__name__)

FORMAT = 1
OVERDUE = "Overdue"
"""The type of the error that a step ends with when its time is up."""


class Verdict(str, Enum):
    """What a round trip of one revision came to; the worst of its findings wins."""

    LOSSLESS = "lossless"
    LOSSY = "lossy"
    RESIDUE = "residue"
    FAILED = "failed"
    IRREVERSIBLE = "irreversible"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StepError:
    """An exception a step ended with, mapped to the migration's own line where there is one."""

    type: str
    message: str
    path: str | None = None
    line: int | None = None
    source: str | None = None
    """The text of that line, by which it is found again after an edit that changes no code."""
    statement: str | None = None
    """What the database refused, where it was a statement."""

    @property
    def first_line(self) -> str:
        """Its message as a reason has it; what databases add to it comes in lines below."""
        return self.message.partition("\n")[0] or self.type


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that a step sent, and the seconds that all its executions took."""

    sql: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a round trip: its name, how long it took, what it raised.

    `statements` are the few that took longest, of downgrades.
    """

    name: str
    seconds: float
    error: StepError | None = None
    statements: tuple[Statement, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Step:
        """From plain JSON values; those kept by older versions have no statements."""
        error = StepError(**data["error"]) if data["error"] else None
        statements = tuple(Statement(**each) for each in data.get("statements", ()))
        return cls(data["name"], data["seconds"], error, statements)


@dataclass(frozen=True, slots=True)
class Residue:
    """A schema object (or rows) that the downgrade left, lost or changed.

    `change` is `left` (exists now, not before), `missing` or `changed`; `grade` is `broken` (the
    next upgrade fails), `different` or `cosmetic` (never changes a verdict).
    """

    kind: str
    object: str
    change: str
    before: str | None = None
    after: str | None = None
    grade: str = "different"


@dataclass(frozen=True, slots=True)
class Loss:
    """Values of one column (or whole rows, `column` None) that did not survive.

    `lost` of `rows` values; `step` is `upgrade` (old data lost going up), `round trip` (old data
    lost going up and down) or `downgrade` (data written since the upgrade lost).
    """

    table: str
    column: str | None
    lost: int
    rows: int
    step: str
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know that decides no verdict.

    `kind` is `unfilled` (no rows could be made for `table`, so nothing of it was measured),
    `guarded` (the downgrade looks at the rows first, and refused those made up) or `other`.
    """

    text: str
    kind: str = "other"
    table: str | None = None


@dataclass(frozen=True, slots=True)
class RevisionEvidence:
    """What one rehearsal measured of one revision."""

    revision: str
    path: str | None
    verdict: Verdict
    seconds: float
    steps: tuple[Step, ...] = ()
    residue: tuple[Residue, ...] = ()
    losses: tuple[Loss, ...] = ()
    notes: tuple[Note, ...] = ()
    reason: str | None = None
    half_done: str | None = None
    """What a failing step left half done, where nothing undoes changes of the schema."""
    database: str = "sqlite"
    database_version: str = ""
    rows: int = 0
    baseline: str | None = None
    """What made the schema that it began with, where the history does not and no setting says."""

    def old_losses(self) -> tuple[Loss, ...]:
        """Losses of values that existed before the upgrade: those that make a verdict lossy."""
        return tuple(loss for loss in self.losses if loss.step != "downgrade")

    def new_losses(self) -> tuple[Loss, ...]:
        """Losses of what was written since the upgrade.

        What the upgrade itself changes, upgrading again changes too: no rollback dropped that.
        """
        upgraded = {(x.table, x.column) for x in self.losses if x.step == "upgrade"}
        written = (x for x in self.losses if x.step == "downgrade")
        return tuple(x for x in written if (x.table, x.column) not in upgraded)

    def of_engine(self, engine: str) -> RevisionEvidence:
        """What it says of one of several databases, under the names that they have there."""
        mark = f"{named(engine)}."
        losses = [
            replace(each, table=each.table.removeprefix(mark))
            for each in self.losses
            if each.table.startswith(mark)
        ]
        residue = [
            replace(each, object=each.object.removeprefix(mark))
            for each in self.residue
            if each.object.startswith(mark)
        ]
        return replace(self, losses=tuple(losses), residue=tuple(residue))

    def decisive_step(self) -> Step | None:
        """The step whose exception the reason of the verdict is about."""
        reason = self.reason or ""
        failed = (step for step in self.steps if step.error and step.error.first_line in reason)
        return next(failed, None)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values: dict[str, Any] = _plain(self)
        return values | {"verdict": self.verdict.value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RevisionEvidence:
        """Back from `to_json`; raises `KeyError`, `TypeError` or `ValueError` on anything else."""
        steps = tuple(map(Step.from_json, data["steps"]))
        return cls(
            **dict(data)
            | {
                "verdict": Verdict(data["verdict"]),
                "steps": steps,
                "residue": tuple(Residue(**r) for r in data["residue"]),
                "losses": tuple(Loss(**loss) for loss in data["losses"]),
                "notes": tuple(Note(**note) for note in data["notes"]),
            }
        )


def _plain(value: Any) -> Any:
    """As `dataclasses.asdict` does it, which copies what cannot change."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    fields = getattr(value, "__dataclass_fields__", None)
    return value if fields is None else {name: _plain(getattr(value, name)) for name in fields}


@dataclass(frozen=True, slots=True)
class EvidenceStore:
    """Evidence on disk: one file a revision, named by the revision, holding the key it is for.

    `key` is the hash of the migration and of its ancestors: evidence whose key differs from the
    present one is stale.
    """

    folder: Path
    _suffix: str = field(default=".json", repr=False)

    def _file(self, revision: str) -> Path:
        return self.folder / self.name_of(revision)

    def save(self, key: str, evidence: RevisionEvidence) -> None:
        """Keep evidence, where there is room; what was there for the revision is replaced."""
        target = self._file(evidence.revision)
        temporary = target.with_name(f"{target.name}.{os.getpid()}")
        content = json.dumps({"format": FORMAT, "key": key, "evidence": evidence.to_json()})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(content, encoding="utf-8")
            temporary.replace(target)
        except OSError as error:
            # A user without a home, a full disk: what was measured is told all the same.
            logger.info("the evidence of %s is not kept: %s", evidence.revision, error)
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def load(self, revision: str) -> tuple[str, RevisionEvidence] | None:
        """The key and evidence last kept for a revision; None where there is none to read."""
        if not os.path.exists(f"{self.folder}/{self.name_of(revision)}"):  # noqa: PTH110
            return None  # as of most revisions, which is to be known soon
        try:
            data = json.loads(self._file(revision).read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                return None
            return data["key"], RevisionEvidence.from_json(data["evidence"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def states(self) -> Mapping[str, tuple[int, int]]:
        """Time and size of every file, by its name: another one is another evidence."""
        try:
            with os.scandir(self.folder) as found:
                return {f.name: (f.stat().st_mtime_ns, f.stat().st_size) for f in found}
        except OSError:
            return {}

    def name_of(self, revision: str) -> str:
        """The name of the file that holds a revision's evidence."""
        if not revision.isalnum():
            revision = "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):x}" for c in revision)
        return revision + self._suffix

    def clear(self) -> int:
        """Forget everything; gives the number of revisions forgotten."""
        files = list(self.folder.glob(f"*{self._suffix}")) if self.folder.is_dir() else []
        for file in files:
            file.unlink(missing_ok=True)
        return len(files)


def evidence_store(environment: Environment) -> EvidenceStore:
    """Where the evidence of one Alembic environment is kept: in the user's cache, by its path."""
    from platformdirs import user_cache_dir

    identity = f"{environment.script_location.resolve()}\0{environment.section}"
    name = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = Path(user_cache_dir("alembic-roundtrip", appauthor=False)) / "evidence"
    return EvidenceStore(folder / f"{environment.folder.name}-{name}")


_PROSE = re.compile(
    rb"""\A(?P<before>(?:\#[^\n]*\n|\s)*)[rR]?(?P<quote>\"{3}|'{3}|"|')"""
    rb"""(?:\\.|(?!(?P=quote)).)*(?P=quote)""",
    re.DOTALL,
)
_MARKS = re.compile(
    rb"^[ \t]*#[ \t]*(?:DESTRUCTIVE:|(?i:roundtrip):)[^\r\n]*(?:\r?\n)?", re.MULTILINE
)


def measured_part(content: bytes) -> bytes:
    """A migration without what no rehearsal measures: its docstring, and the marks we write.

    They are what is edited once a rehearsal is over, to say what it has found.
    """
    return _MARKS.sub(b"", _PROSE.sub(rb"\g<before>", content, count=1))


def evidence_keys(
    files: Mapping[str, tuple[bytes, tuple[str, ...]]], known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The key of each revision: a hash of its file's content and of its ancestors' keys.

    `files` gives content and ancestors (what `down_revision` and `depends_on` name) by revision;
    ancestors that are not in it count by their key in `known`, else by their name, as every
    revision of a loop does. What is in `known` is in the result too.
    """
    keys: dict[str, str] = dict(known or {})
    for start in files:
        pending = [start]
        waiting: set[str] = set()
        while pending:
            revision = pending[-1]
            content, ancestors = files[revision]
            missing = [a for a in ancestors if a in files and a not in keys and a not in waiting]
            if revision not in keys and missing:
                waiting.add(revision)
                pending += missing
                continue
            pending.pop()
            if revision not in keys:
                above = sorted(keys.get(ancestor, ancestor) for ancestor in ancestors)
                digest = hashlib.sha256(measured_part(content))
                digest.update("\0".join(above).encode())
                keys[revision] = digest.hexdigest()[:32]
    return keys
