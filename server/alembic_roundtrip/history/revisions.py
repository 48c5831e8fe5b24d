"""The revision graph, with Alembic's semantics and without importing Alembic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alembic_roundtrip.history import graph
from alembic_roundtrip.history.resolution import Resolution, resolve

ILLEGAL_CHARACTERS = "@-+:"
SYMBOLS = ("base", "head", "heads")
"""What Alembic takes for other revisions wherever one is named."""
_REFUSED = frozenset(
    {
        "dependency-cycle",
        "duplicate-label",
        "duplicate-revision",
        "illegal-revision",
        "revision-cycle",
    }
)

Edges = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Revision:
    """The identifiers of one migration script, as they are written in it."""

    id: str
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    path: Path | None = None
    computed: tuple[str, ...] = ()
    """Names of the identifiers that are no literals, and so are not known here."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a history, at one revision or file.

    `kind` is `duplicate-revision`, `unknown-down-revision`, `unknown-dependency`,
    `revision-cycle`, `dependency-cycle`, `duplicate-label`, `illegal-revision`, or, of a file that
    is no revision, `unreadable-migration` or `unidentified-migration`; `others` are the
    identifiers it is about.
    """

    kind: str
    message: str
    path: Path | None
    revision: Revision | None = None
    others: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What is wrong, and in which file."""
        if self.path is None or f"`{self.path.name}`" in self.message:
            return self.message
        return f"`{self.path.name}`: {self.message}"


class History:
    """Revisions and how they follow one another; a broken history has `problems`, never raises.

    Where an id occurs twice the last one counts, as in Alembic. Edges to revisions that do not
    exist are left out. Results keep the order in which the revisions were given.
    """

    def __init__(self, revisions: Iterable[Revision], problems: Iterable[Problem] = ()) -> None:
        self.revisions = tuple(revisions)
        self._given_problems = tuple(problems)
        self.by_id: dict[str, Revision] = {r.id: r for r in self.revisions}
        self.labelled: dict[str, str] = {}
        for revision in self.by_id.values():
            for label in revision.branch_labels:
                if label not in self.by_id:
                    self.labelled.setdefault(label, revision.id)
        self._parents: Edges = {
            r.id: _unique(filter(self.by_id.__contains__, r.down_revisions))
            for r in self.by_id.values()
        }
        self._dependencies: Edges = {
            r.id: _unique(i for i in map(self._dependency, r.depends_on) if i is not None)
            for r in self.by_id.values()
            if r.depends_on
        }
        self._children: Edges = graph.reverse(self._parents)
        self.all_parents, self.all_children = self._parents, self._children
        if self._dependencies:
            self.all_parents = {
                rev: _unique((*parents, *self.dependencies(rev)))
                for rev, parents in self._parents.items()
            }
            self.all_children = graph.reverse(self.all_parents)

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Revision]:
        return iter(self.by_id.values())

    def __contains__(self, rev: object) -> bool:
        return rev in self.by_id

    def _dependency(self, name: str) -> str | None:
        return name if name in self.by_id else self.labelled.get(name)

    def _where(self, test: Callable[[Revision], object]) -> tuple[str, ...]:
        return tuple(r.id for r in self.by_id.values() if test(r))

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Revisions that are no other's down revision."""
        return self._where(lambda r: not self._children[r.id])

    @cached_property
    def real_heads(self) -> tuple[str, ...]:
        """Heads that no other revision depends on either: Alembic's `heads`."""
        return self._where(lambda r: not self.all_children[r.id])

    @cached_property
    def bases(self) -> tuple[str, ...]:
        """Revisions without a down revision."""
        return self._where(_is_base)

    @cached_property
    def real_bases(self) -> tuple[str, ...]:
        """Bases that depend on nothing either."""
        return self._where(lambda r: _is_base(r) and not r.depends_on)

    @cached_property
    def branch_points(self) -> tuple[str, ...]:
        """Revisions that several others name as down revision."""
        return self._where(lambda r: len(self._children[r.id]) > 1)

    @cached_property
    def merge_points(self) -> tuple[str, ...]:
        """Revisions with several down revisions."""
        return self._where(lambda r: len(r.down_revisions) > 1)

    def parents(self, rev: str) -> tuple[str, ...]:
        """The down revisions that exist."""
        return self._parents[rev]

    def dependencies(self, rev: str) -> tuple[str, ...]:
        """The revisions meant by `depends_on`, labels resolved."""
        return self._dependencies.get(rev, ())

    def children(self, rev: str) -> tuple[str, ...]:
        """The revisions that name this one as down revision."""
        return self._children[rev]

    def dependents(self, rev: str) -> tuple[str, ...]:
        """The revisions that name this one, or a label of it, in `depends_on`."""
        return tuple(c for c in self.all_children[rev] if rev in self.dependencies(c))

    def ancestors(self, rev: str, *, dependencies: bool = True) -> frozenset[str]:
        """What must be applied before a revision; without itself."""
        edges = self.all_parents if dependencies else self._parents
        return graph.reachable(edges, (rev,)) - {rev}

    def descendants(self, rev: str, *, dependencies: bool = True) -> frozenset[str]:
        """What can be applied only after a revision; without itself."""
        edges = self.all_children if dependencies else self._children
        return graph.reachable(edges, (rev,)) - {rev}

    @cached_property
    def topological(self) -> tuple[str, ...]:
        """All revisions from the bases to the heads, in the order Alembic would upgrade them.

        Around a cycle, which Alembic refuses, the order of the files decides.
        """
        return tuple(reversed(self.downgrade_order(self.by_id)))

    @cached_property
    def positions(self) -> dict[str, int]:
        """Each revision's place in the topological order."""
        return {rev: place for place, rev in enumerate(self.topological)}

    def downgrade_order(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Revisions sorted from the heads to the bases, in the order Alembic would take."""
        return graph.downgrade_order(self._acyclic_parents, frozenset(ids))

    @cached_property
    def _acyclic_parents(self) -> Edges:
        loops = graph.cycles(self.all_parents)
        group = {rev: number for number, loop in enumerate(loops) for rev in loop}
        normal = self.nearest_parents
        if not group:
            return normal
        return {
            rev: tuple(p for p in ps if rev not in group or group.get(p) != group[rev])
            for rev, ps in normal.items()
        }

    @cached_property
    def nearest_parents(self) -> Edges:
        """Parents, and those dependencies that no ancestor has as well, by revision."""
        edges: dict[str, tuple[str, ...]] = dict(self._parents)
        for rev, wanted in self._dependencies.items():
            above = graph.reachable(self._parents, (rev,)) - {rev}
            known = {d for a in above for d in self.dependencies(a)}
            edges[rev] = _unique((*self._parents[rev], *(d for d in wanted if d not in known)))
        return edges

    def named(self, rev: str) -> tuple[Revision, ...]:
        """Every revision of that identifier: several where files share one by mistake."""
        return self._named.get(rev, ())

    @cached_property
    def _named(self) -> dict[str, tuple[Revision, ...]]:
        found: dict[str, list[Revision]] = {}
        for revision in self.revisions:
            found.setdefault(revision.id, []).append(revision)
        return {rev: tuple(revisions) for rev, revisions in found.items()}

    def labels(self, rev: str) -> frozenset[str]:
        """Branch labels that a revision has or takes over from its branch."""
        return self._labels.get(rev, frozenset())

    @cached_property
    def _labels(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for revision in self.by_id.values():
            if revision.branch_labels:
                for rev in self._branch_of(revision.id):
                    found.setdefault(rev, set()).update(revision.branch_labels)
        return {rev: frozenset(labels) for rev, labels in found.items()}

    def _branch_of(self, rev: str) -> set[str]:
        """All descendants and, where they are one line, ancestors up to the branch point."""
        branch = set(graph.reachable(self._children, (rev,)))
        if any(self._forks(member) for member in branch):
            return branch
        parents = self._parents[rev]
        while parents and parents[0] not in branch and not self._forks(parents[0]):
            branch.add(parents[0])
            parents = self._parents[parents[0]]
        return branch

    def _forks(self, rev: str) -> bool:
        return len(self.all_children[rev]) > 1 or len(self.by_id[rev].down_revisions) > 1

    def get(self, identifier: str) -> Revision | None:
        """The one revision an identifier means; None where it means none, several or the base."""
        found = self.resolve(identifier)
        return self.by_id[found.ids[0]] if len(found.ids) == 1 else None

    def resolve(self, identifier: str, current: Sequence[str] | None = None) -> Resolution:
        """What an identifier means: see `resolution.resolve`."""
        return resolve(self, identifier, current)

    def at(self, path: Path) -> Revision | None:
        """The revision in a file."""
        return self._by_path.get(path)

    @cached_property
    def _by_path(self) -> dict[Path, Revision]:
        return {r.path: r for r in self.revisions if r.path is not None}

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything for which Alembic would refuse this history, or warn of it."""
        return (
            *self._given_problems,
            *self._duplicates(),
            *self._illegal(),
            *self._unknown(),
            *self._double_labels(),
            *self._cycles(),
        )

    @property
    def refusal(self) -> Problem | None:
        """For what Alembic refuses this history, or leaves open which of two files it takes.

        A revision that no file seems to have may be in one that cannot be read.
        """
        unsure = self._given_problems or any(r.computed for r in self.revisions)
        refused = _REFUSED if unsure else _REFUSED | {"unknown-down-revision"}
        return next((problem for problem in self.problems if problem.kind in refused), None)

    def _duplicates(self) -> Iterator[Problem]:
        for rev, found in self._named.items():
            if len(found) > 1:
                files = " and ".join(f"`{r.path.name}`" for r in found if r.path) or "twice"
                for revision in found:
                    message = f"revision {rev} is present more than once: {files}"
                    yield _problem("duplicate-revision", revision, message, (rev,))

    def _illegal(self) -> Iterator[Problem]:
        for revision in self.revisions:
            bad = sorted(set(revision.id) & set(ILLEGAL_CHARACTERS))
            if bad and "revision" not in revision.computed:
                characters = " ".join(f"`{c}`" for c in bad)
                message = f"revision identifier `{revision.id}` has {characters}, not allowed there"
                yield _problem("illegal-revision", revision, message, tuple(bad))
            elif revision.id in SYMBOLS:
                message = f"revision identifier `{revision.id}` is Alembic's own word for others"
                yield _problem("illegal-revision", revision, message, (revision.id,))

    def _unknown(self) -> Iterator[Problem]:
        for revision in self.revisions:
            for down in _unique(revision.down_revisions):
                if down not in self.by_id:
                    message = f"revision {revision.id} revises {down}, which does not exist"
                    yield _problem("unknown-down-revision", revision, message, (down,))
            for name in _unique(revision.depends_on):
                if self._dependency(name) is None:
                    message = f"revision {revision.id} depends on {name}, which does not exist"
                    yield _problem("unknown-dependency", revision, message, (name,))

    def _double_labels(self) -> Iterator[Problem]:
        for revision in self.by_id.values():
            for label in revision.branch_labels:
                owner = label if label in self.by_id else self.labelled[label]
                if owner != revision.id or owner == label:
                    message = (
                        f"branch label {label} of revision {revision.id} is taken by "
                        f"revision {owner}"
                    )
                    yield _problem("duplicate-label", revision, message, (label, owner))

    def _cycles(self) -> Iterator[Problem]:
        plain = graph.cycles(self._parents)
        for loop in plain:
            yield self._cycle("revision-cycle", "follow one another in a circle", loop)
        if not self._dependencies:
            return
        known = {rev for loop in plain for rev in loop}
        for loop in graph.cycles(self.all_parents):
            if not known.issuperset(loop):
                yield self._cycle("dependency-cycle", "depend on one another in a circle", loop)

    def _cycle(self, kind: str, what: str, loop: tuple[str, ...]) -> Problem:
        names = " → ".join((*loop, loop[0]))
        return _problem(kind, self.by_id[loop[0]], f"revisions {what}: {names}", loop)


def _problem(kind: str, revision: Revision, message: str, others: tuple[str, ...]) -> Problem:
    return Problem(kind, message, revision.path, revision, others)


def _is_base(revision: Revision) -> bool:
    return not revision.down_revisions and "down_revision" not in revision.computed


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
