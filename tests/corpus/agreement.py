"""How what reading announces agrees with what rehearsals measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from corpus.reasons import REASONS
from corpus.runs import Run

_FAULTY = frozenset({"failed", "residue", "lossy"})
_TO_ANNOUNCE = frozenset({"failed", "residue"})
_LOUD = ("error", "warning", "information")
_OF_DATA = frozenset(
    {"lossy-downgrade", "lossy-type-change", "lossy-upgrade", "one-way-update"}
    | {"rows-not-removed", "undocumented-data-loss"}
)
_BESIDE_THE_POINT = frozenset(
    {"docstring-header-mismatch", "imports-application-code", "invented-revision-id"}
    | {
        "new-data-lost",
        "undocumented-data-loss",
        "unread-operation",
        "unmarked-destructive-operation",
    }
)
"""Rules that do not say that a downgrade fails or leaves something."""
_INTRODUCTION = """\
# How reading and rehearsing agree

<!-- Written by `make corpus`; do not edit. -->

Every revision of some published histories is read (`lint`) and rehearsed on SQLite (`test`), and
the two are held against each other. *Right* is an error in a revision that the rehearsal finds
fault with; *announced* is a revision that fails or leaves residue and of which reading says so,
louder than in a hint; that some operation could not be read, or that data goes, does not count. Of
data, hints do count: they are what is said of migrations that were deployed long ago. What does
not agree is listed with its reason.
"""


@dataclass(frozen=True)
class Judged:
    """What is read of one revision, beside what is measured of it."""

    project: str
    revision: str
    verdict: str
    lost: bool
    """Whether older data was lost."""
    said: Counter[tuple[str, str]]
    """How often each rule speaks, with its severity."""

    def rules(self, *severities: str) -> list[str]:
        """The rules that speak in one of these severities."""
        return sorted({rule for rule, severity in self.said if severity in severities})

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return sum(n for (_, severity), n in self.said.items() if severity == "error")

    @property
    def wrong(self) -> bool:
        """Whether there are errors, and nothing to find fault with."""
        return self.errors > 0 and self.verdict not in _FAULTY

    @property
    def missed(self) -> bool:
        """Whether it is to be announced, and is not."""
        return self.verdict in _TO_ANNOUNCE and not set(self.rules(*_LOUD)) - _BESIDE_THE_POINT

    @property
    def speaks_of_data(self) -> bool:
        """Whether a rule says that older data goes."""
        return any(rule in _OF_DATA for rule, _ in self.said)

    @property
    def data_missed(self) -> bool:
        """Whether older data was lost and nothing says so, nor that nothing is undone."""
        return self.lost and not self.speaks_of_data and "empty-downgrade" not in self.rules(*_LOUD)

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to explain."""
        return not (self.wrong or self.missed or self.data_missed)


@dataclass
class Agreement:
    """Counts over any number of histories.

    Precision: of the errors, those in revisions that a rehearsal finds fault with. Recall: of the
    revisions that fail or leave residue, those that reading announces.
    """

    judged: list[Judged] = field(default_factory=list)

    def add(self, project: str, lint: Run, rehearsal: Run) -> None:
        """Count one history in."""
        said: dict[str, Counter[tuple[str, str]]] = {}
        for diagnostic in lint.document["diagnostics"]:
            found = (diagnostic["rule"], diagnostic["severity"])
            said.setdefault(diagnostic["revision"], Counter())[found] += 1
        for measured in rehearsal.document["revisions"]:
            name = measured["revision"]
            lost = any(loss["step"] != "downgrade" for loss in measured["losses"])
            verdict = measured["verdict"]
            self.judged.append(Judged(project, name, verdict, lost, said.get(name, Counter())))

    @property
    def errors(self) -> int:
        """All errors in revisions that were rehearsed."""
        return sum(one.errors for one in self.judged)

    @property
    def right(self) -> int:
        """Errors in revisions that a rehearsal finds fault with."""
        return sum(one.errors for one in self.judged if not one.wrong)

    @property
    def faults(self) -> list[Judged]:
        """The revisions to announce."""
        return [one for one in self.judged if one.verdict in _TO_ANNOUNCE]

    @property
    def announced(self) -> int:
        """How many of them are announced; hints, which nobody sees unasked, do not count."""
        return sum(not one.missed for one in self.faults)

    @property
    def precision(self) -> float:
        """From 0 to 1."""
        return self.right / max(1, self.errors)

    @property
    def recall(self) -> float:
        """From 0 to 1."""
        return self.announced / max(1, len(self.faults))

    def lines(self) -> Iterator[str]:
        """As sentences."""
        yield f"precision {self.precision:.1%}: {self.right} of {self.errors} errors right"
        yield (
            f"recall {self.recall:.1%}: {self.announced} of {len(self.faults)} failed or residue "
            "revisions announced"
        )
        lost = [one for one in self.judged if one.lost]
        told = sum(not one.data_missed for one in lost)
        spoken = [one for one in self.judged if one.speaks_of_data]
        measured = sum(one.lost or one.verdict == "failed" for one in spoken)
        yield f"data: {told} of {len(lost)} revisions that lose older data are told of"
        yield (
            f"data: {measured} of {len(spoken)} revisions that are told of lose older data, or "
            "fail before that shows"
        )

    def disagreements(self) -> list[Judged]:
        """What is to be explained."""
        return [one for one in self.judged if not one.agrees]


def report(agreement: Agreement, sections: Sequence[str]) -> str:
    """The whole report in Markdown."""
    summary = "\n".join(f"- {line}" for line in agreement.lines())
    return "\n".join([_INTRODUCTION, summary, "", *sections])


def section(title: str, agreement: Agreement) -> str:
    """One project's part of the report: what is at fault or told of, and what does not agree."""
    rows = [
        f"| `{one.revision}` | {one.verdict}{_data(one)} | {_rules(one)} |"
        for one in agreement.judged
        if one.verdict != "lossless" or one.rules("error", "warning")
    ]
    told = [f"- `{one.revision}`: {REASONS[one.project, one.revision]}" for one in _told(agreement)]
    table = ["| revision | rehearsal | read |", "| --- | --- | --- |", *rows]
    return "\n".join([f"## {title}", "", *table, "", *(told or ["Nothing disagrees."]), ""])


def _told(agreement: Agreement) -> list[Judged]:
    return [one for one in agreement.disagreements() if (one.project, one.revision) in REASONS]


def _data(one: Judged) -> str:
    return " (and loses data)" if one.lost and one.verdict != "lossy" else ""


def _rules(one: Judged) -> str:
    loud, hints = one.rules(*_LOUD), one.rules("hint")
    shown = [f"`{rule}`" for rule in loud] + [f"({rule})" for rule in hints if rule not in loud]
    return ", ".join(shown) or "-"
