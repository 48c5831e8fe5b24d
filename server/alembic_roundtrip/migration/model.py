"""A migration script as plain frozen values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from itertools import chain
from pathlib import Path

from alembic_roundtrip.migration.changes import Change, Unknown
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Name, Options
from alembic_roundtrip.migration.sql.words import has_words, says
from alembic_roundtrip.text import Range, Source

_WORD = re.compile(r"\w+")
DIRECTIONS = ("upgrade", "downgrade")


class GuardKind(str, Enum):
    """What a condition around an operation asks."""

    DIALECT = "dialect"
    ENGINE = "engine"
    EXISTENCE = "existence"
    LOOP = "loop"
    EXCEPTION = "exception"
    OTHER = "other"


_DOUBTFUL = frozenset({GuardKind.OTHER, GuardKind.EXCEPTION})


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that an operation stands under.

    `names` are the dialects (or engines) it is for; `negated` means all but those.
    """

    kind: GuardKind
    names: frozenset[str] = frozenset()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """The `batch_alter_table` block an operation stands in."""

    table: Name
    options: Options
    range: Range
    sure: bool = True
    """Whether all of its options are written out, none handed over in a dictionary."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One `op.…()` call, or what has the effect of one.

    `range` is the call, `statement` the whole statement that holds it. Operations from one call in
    a loop share their ranges. `opaque` says in a few words why it could not be read, else None.
    """

    name: str
    range: Range
    statement: Range
    changes: tuple[Change, ...] = ()
    arguments: tuple[tuple[str, Expression], ...] = ()
    guards: tuple[Guard, ...] = ()
    batch: Batch | None = None
    opaque: str | None = None
    autocommit: bool = False
    missing: tuple[str, ...] = ()
    """Arguments that the operation cannot do without and is not given."""

    def __hash__(self) -> int:
        """By its place: what it says is long, and the same place seldom says two things."""
        start = self.statement.start
        return hash((start.line, start.column, self.name))

    def runs_on(self, dialect: str | None) -> bool:
        """Whether dialect guards let it run there; None stands for any dialect."""
        return not self.guards or all(
            dialect is None or (dialect in guard.names) != guard.negated
            for guard in self.guards
            if guard.kind is GuardKind.DIALECT
        )

    @property
    def sql(self) -> str:
        """The SQL that it executes; empty where it executes none that is known."""
        return next((v.string or "" for key, v in self.arguments if key == "sqltext"), "")

    def says(self, *words: str, mysql: bool = False) -> bool:
        """Whether its SQL has these words one after the other, not in a comment or in quotes.

        Of SQL that is computed all words count that its Python has.
        """
        if self.sql:
            return says(self.sql, *words, mysql=mysql)
        written = (value.text for key, value in self.arguments if key == "sqltext")
        return any(has_words(tuple(_WORD.findall(text.upper())), *words) for text in written)

    @property
    def conditional(self) -> bool:
        """Whether it stands under a condition whose outcome reading cannot tell."""
        certain = (GuardKind.DIALECT, GuardKind.ENGINE)
        return any(guard.kind not in certain for guard in self.guards)

    @property
    def doubtful(self) -> bool:
        """Whether it stands under a condition that reading knows nothing of."""
        return bool(self.guards) and any(guard.kind in _DOUBTFUL for guard in self.guards)

    @property
    def may_do_anything(self) -> bool:
        """Whether its effect is not limited to tables that can be named."""
        return any(isinstance(change, Unknown) and change.tables is None for change in self.changes)


@dataclass(frozen=True, slots=True)
class Use:
    """A call that is no operation: the dotted name of what is called, as written."""

    name: str
    range: Range


@dataclass(frozen=True, slots=True)
class Import:
    """An import, at the head of the file or in a function: the module, the names taken from it."""

    module: str
    names: tuple[str, ...]
    range: Range


class Body(str, Enum):
    """What a direction's body comes to."""

    CODE = "code"
    NOTHING = "nothing"
    RAISES = "raises"


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring: its value and the range of its literal."""

    text: str
    range: Range


@dataclass(frozen=True, slots=True)
class Direction:
    """`upgrade()` or `downgrade()`.

    `range` is the whole definition, `header` its name, `body` its statements without the docstring
    (with it where there is nothing else).
    """

    name: str
    range: Range
    header: Range
    body: Range
    kind: Body
    operations: tuple[Operation, ...] = ()
    docstring: Docstring | None = None
    message: str | None = None
    """What it says when it raises, for `Body.RAISES`; None where it says nothing."""
    statements: tuple[Range, ...] = ()
    """The ranges of its top-level statements, docstring included."""
    uses: tuple[Use, ...] = ()
    """Calls that reach outside of the migration: the environment, the clock, files, the network."""
    swallowed: tuple[Range, ...] = ()
    """`except` clauses that let every failure of an operation pass."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a migration of several databases does to one of them.

    `engine` is the name that env.py gives the database; `own` has the directions that are
    functions for it alone, such as `upgrade_engine1()`.
    """

    engine: str
    upgrade: Direction | None
    downgrade: Direction | None
    own: frozenset[str] = frozenset(DIRECTIONS)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Those that there are."""
        return tuple(each for each in (self.upgrade, self.downgrade) if each is not None)

    @property
    def own_directions(self) -> tuple[Direction, ...]:
        """Those of them that are its own."""
        both = zip(DIRECTIONS, (self.upgrade, self.downgrade), strict=True)
        return tuple(each for name, each in both if each is not None and name in self.own)


@dataclass(frozen=True, slots=True)
class Identifier:
    """`revision = …` and its relatives: the value and where the value stands."""

    values: tuple[str, ...]
    range: Range
    literal: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file, or a part of it, could not be read: a sentence."""

    message: str
    range: Range


@dataclass(frozen=True)
class Migration:
    """One migration script; what could not be read is in `problems` and in opaque operations."""

    path: Path
    source: Source = field(repr=False, compare=False)
    text: str
    revision: Identifier | None = None
    down_revision: Identifier | None = None
    depends_on: Identifier | None = None
    branch_labels: Identifier | None = None
    docstring: Docstring | None = None
    upgrade: Direction | None = None
    downgrade: Direction | None = None
    imported_downgrade: bool = False
    """Whether `downgrade` is a name that something else than a `def` binds."""
    problems: tuple[Problem, ...] = ()
    imports: tuple[str, ...] = ()
    imported: tuple[Import, ...] = ()
    module_uses: tuple[Use, ...] = ()
    """Calls on `op` outside of any function."""
    parts: tuple[Part, ...] = ()
    """What it does to each of several databases; none where there is but one."""
    part: Part | None = None
    """That one whose directions these are, where somebody looks at no other."""

    @property
    def id(self) -> str:
        """The revision identifier; empty where there is none."""
        return self.revision.values[0] if self.revision and self.revision.values else ""

    @cached_property
    def of_several_databases(self) -> bool:
        """Whether its directions run a function of its own for each engine."""
        if self.parts:
            return True
        directions = (self.upgrade, self.downgrade)
        operations = (o for each in directions if each is not None for o in each.operations)
        return any(g.kind is GuardKind.ENGINE for o in operations for g in o.guards)

    def of_engine(self, engine: str) -> Migration | None:
        """The same as one of the databases meets it; None where it has nothing for that one."""
        part = next((part for part in self.parts if part.engine == engine), None)
        if part is None:
            return None
        return replace(self, upgrade=part.upgrade, downgrade=part.downgrade, parts=(), part=part)

    @property
    def functions(self) -> tuple[Direction, ...]:
        """The directions that there are, with those of single engines."""
        both = Part("", self.upgrade, self.downgrade).directions
        own = (part.own_directions for part in self.parts)
        return (*both, *chain.from_iterable(own))

    def function(self, direction: str) -> str:
        """The name of the function that is, or would be, its `upgrade` or `downgrade`."""
        if self.part is None or direction not in self.part.own:
            return direction
        return f"{direction}_{self.part.engine}"

    def direction(self, name: str) -> Direction | None:
        """A direction by the name of its function."""
        if name in DIRECTIONS:
            return self.upgrade if name == "upgrade" else self.downgrade
        return next((each for each in self.functions if each.name == name), None)

    @cached_property
    def prose(self) -> str:
        """Everything it says in prose: docstrings, comments at statements, raise messages.

        Each is a paragraph of its own at least.
        """
        parts = [self.docstring.text if self.docstring else ""]
        for direction in self.functions:
            docstring = direction.docstring
            parts += [docstring.text if docstring else "", direction.message or ""]
            parts += [self.comment_at(place) for place in direction.statements]
            parts += [self.comment_at(o.statement) for o in direction.operations]
        return "\n\n".join(filter(None, parts))

    @cached_property
    def _marked(self) -> frozenset[int]:
        """The lines that may have a comment."""
        numbers = range(1, self.source.line_count + 1)
        return frozenset(number for number in numbers if "#" in self.source.line(number))

    def comment_at(self, range: Range) -> str:
        """Comments that belong to a statement: the lines above it and at its line ends."""
        first, final = range.start.line, range.end.line
        if self._marked.isdisjoint((first - 1, first, final)):
            return ""
        lines = []
        number = first - 1
        while number >= 1 and self.source.line(number).lstrip().startswith("#"):
            lines.append(self.source.line(number).strip())
            number -= 1
        for number in {first, final}:
            _, mark, comment = self.source.line(number).partition("#")
            lines += [mark + comment] if mark else []
        return "\n".join(reversed(lines))
