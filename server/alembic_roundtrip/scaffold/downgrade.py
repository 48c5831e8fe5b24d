"""The downgrade that an upgrade's operations and the parent's schema ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby

from alembic_roundtrip.comparison.faults import faults
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.engines import fix_of_part
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Batch, Body, Migration, Operation
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.migration.rewrite import AddWarning, Rewrite, WriteBody
from alembic_roundtrip.prose import documentation, says_loss
from alembic_roundtrip.scaffold.authored import with_authored
from alembic_roundtrip.scaffold.beside import left_by
from alembic_roundtrip.scaffold.enums import remodelled
from alembic_roundtrip.scaffold.existence import Existence
from alembic_roundtrip.scaffold.inverse import Inverter
from alembic_roundtrip.scaffold.place import NEVER_RECREATED, Place
from alembic_roundtrip.scaffold.recreation import (
    Forgotten,
    copies_generated,
    hides_behind_a_view,
    may_copy_generated,
    stands_behind_a_broken_view,
)
from alembic_roundtrip.scaffold.step import PLACEHOLDER, Inverse, Step
from alembic_roundtrip.scaffold.told import DESTRUCTIVE, by_hand, values_lost
from alembic_roundtrip.scaffold.walk import goes_with_its_column, moved, needed, walked
from alembic_roundtrip.schema.recreation import is_recreated
from alembic_roundtrip.text import Range


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A downgrade: its statements, the imports they need, and what it cannot bring back.

    `complete` is false where a placeholder says that something is left to write. Without
    statements there is nothing to undo.
    """

    statements: tuple[str, ...]
    imports: tuple[str, ...]
    lost: tuple[str, ...]
    complete: bool
    unread: frozenset[str] = frozenset()
    """The comments that stand for what may have changed rows."""


def fix(context: Context) -> Fix | None:
    """The fix that writes the downgrade, or each engine's; None where there is nothing to write."""
    if context.parts:
        return _of_engines(context.parts)
    if not can_be_written(context):
        return None
    return as_fix(context, scaffold(context), "Write the downgrade from the upgrade")


def _of_engines(parts: Sequence[Context]) -> Fix | None:
    """One fix for all engines; a downgrade that is right already stays as somebody wrote it."""
    wanted = [part for part in parts if not part.written_downgrade or faults(part)] or parts
    found = [(part.migration, fix(part)) for part in wanted]
    written = [made for whose, one in found if one and (made := fix_of_part(whose, one))]
    if not written:
        return None
    unsafe = [one for one in written if one.safety == "unsafe"]
    titled = next((one for one in written if one.title.endswith("known")), written[0])
    rewrites = tuple(rewrite for one in written for rewrite in one.rewrites)
    return Fix(titled.title, rewrites, "unsafe" if unsafe else "safe")


def can_be_written(context: Context) -> bool:
    """Whether a downgrade may be written into this migration."""
    migration = context.migration
    if migration.upgrade is None or migration.problems:
        return False
    if migration.downgrade is None and migration.imported_downgrade:
        return False
    return not migration.of_several_databases


def as_fix(context: Context, written: Scaffold, title: str) -> Fix | None:
    """The fix that writes this; None where there is nothing to write."""
    migration = context.migration
    if not written.statements and migration.downgrade is not None:
        return None
    statements, lost = with_authored(context, written.statements or ("pass",), written.lost)
    complete = not any(PLACEHOLDER in statement for statement in statements)
    rewrites: list[Rewrite] = [WriteBody("downgrade", statements, written.imports)]
    if lost and not says_loss(documentation(migration)):
        rewrites.append(AddWarning(lost))
    empty = migration.downgrade is None or migration.downgrade.kind is Body.NOTHING
    if not complete:
        title += ", with a TODO for what is not known"
    # What is half written is no answer that anybody should get unasked.
    return Fix(title, tuple(rewrites), "safe" if empty and complete else "unsafe")


def why_nothing(context: Context, *, from_database: bool = False) -> str:
    """Why `fix` has nothing to write, as what follows a file's name."""
    migration = context.migration
    if migration.problems:
        return "the migration has mistakes that `lint` names; put them right first"
    own = [part for part in migration.parts if "downgrade" in part.own]
    if from_database and own:
        return "it is of several databases, whose downgrades are written from the upgrade only"
    if migration.of_several_databases and not own:
        return (
            "its upgrade is for several databases, whose directions reading does not tell apart; "
            "each engine's downgrade is left to you"
        )
    if migration.downgrade is None and migration.imported_downgrade:
        return "its downgrade is imported from another module"
    return "there is nothing to undo"


def scaffold(context: Context, only: Range | None = None) -> Scaffold:
    """The inverse of the upgrade's operations, the last first; or only of those at one place."""
    walk = walked(context)
    migration = context.migration
    render = Renderer(migration)
    existence = Existence(migration, (step for step, _ in walk.steps), render)
    steps = [
        step
        for number, (step, made) in enumerate(walk.steps)
        if needed(step.change, made, walk.gone)
        and not goes_with_its_column(step, walk)
        and number not in walk.became
        and only in {None, step.operation.range}
        and not existence.undone(step)
    ]
    inverter = Inverter(render, context.dialects, next(iter(walk.schemas.values())))
    undone = list(_Undoing(migration, inverter, existence, steps).all())
    statements: list[str] = []
    for place, group in groupby(undone, key=lambda part: part.place):
        statements += place.block([part.inverse for part in group], render)
    statements = _once(statements)
    if any("op." in statement for statement in statements):
        render.need_operations()
    lost = dict.fromkeys(sentence for part in undone for sentence in part.inverse.lost)
    lost |= dict.fromkeys(moved(steps, walk))
    complete = not any(PLACEHOLDER in statement for statement in statements)
    about_rows = (line for part in undone if part.of_rows for line in part.inverse.inner)
    unread = frozenset(line for line in about_rows if line.startswith("#"))
    return Scaffold(tuple(statements), tuple(render.imports), tuple(lost), complete, unread)


@dataclass(frozen=True)
class _Undone:
    """The inverse of a step, and where it stands."""

    place: Place
    inverse: Inverse
    of_rows: bool = False
    """Whether the step may have changed rows."""


class _Undoing:
    """Undoes the steps of one upgrade."""

    def __init__(
        self, migration: Migration, inverter: Inverter, existence: Existence, steps: list[Step]
    ) -> None:
        self._migration = migration
        self._inverter = inverter
        self._existence = existence
        self._steps = steps
        self._on_sqlite = "sqlite" in inverter.dialects
        self._forgotten: dict[Batch, Forgotten | None] = {}

    def all(self) -> Iterator[_Undone]:
        """The inverses, the last first; what only goes back as a whole at its last step."""
        whole: dict[int, Inverse | None] = {}
        for found in remodelled(self._steps):
            with suppress(NotKnownError):
                back = found.back(self._inverter.render)
                whole |= {id(part): back if part is found.place else None for part in found.steps}
        at_last: list[_Undone] = []
        for step in reversed(self._steps):
            if isinstance(step.change, c.CreateObject) and step.change.kind == "schema":
                yield from at_last
                at_last.clear()
            known = whole.get(id(step))
            if known is not None:
                yield _Undone(replace(self._place(step), autocommit=False), known)
            elif id(step) not in whole:
                undone = self._undone(step)
                if self._inverter.is_used_before(step):
                    at_last.append(undone)
                else:
                    yield undone
        yield from at_last

    def _place(self, step: Step) -> Place:
        place, existence = Place.of(step), self._existence
        asked = existence.question(step) if step.operation.conditional else None
        place = replace(place, question=asked, unclear=existence.unclear(step))
        if place.batch is not None:
            place = replace(place, left=self._left_by(place.batch))
        if place.batch is None or not self._on_sqlite:
            return place
        only = self._inverter.dialects == ("sqlite",)
        return replace(place, forgotten=self._forgotten_by(place.batch), only_sqlite=only)

    def _left_by(self, batch: Batch) -> tuple[str, ...]:
        block = [step for step in self._steps if step.operation.batch == batch]
        operations = [*dict.fromkeys(step.operation for step in block)]
        anew = self._on_sqlite and is_recreated(batch, operations, "sqlite")
        table, later = block[0].before.table(batch.table), block[-1].after.table(batch.table)
        # What goes with a column comes back with it.
        kept = (
            [index for index in table.indexes if index in later.indexes] if table and later else []
        )
        return tuple(left_by(batch, table, kept, self._inverter.dialects, anew=anew))

    def _forgotten_by(self, batch: Batch) -> Forgotten | None:
        """What batch mode forgets of a table; None where that cannot be told."""
        if batch not in self._forgotten:
            block = [step for step in self._steps if step.operation.batch == batch]
            self._forgotten[batch] = None
            with suppress(NotKnownError):
                self._forgotten[batch] = Forgotten.of(batch, block, self._inverter.render)
        return self._forgotten[batch]

    def _undone(self, step: Step) -> _Undone:
        operation, place = step.operation, self._place(step)
        copies = self._on_sqlite and copies_generated(step)
        alone = copies or (
            self._on_sqlite and (may_copy_generated(step) or hides_behind_a_view(step))
        )
        if place.batch is not None and alone and isinstance(step.change, c.AddColumn):
            never = replace(place.batch, options=NEVER_RECREATED)
            place, copies = replace(place, batch=never), False
        inverse: Inverse | None = None
        unread = isinstance(step.change, c.Unknown) and _says_more(operation, self._migration)
        broken = isinstance(step.change, c.AddColumn) and stands_behind_a_broken_view(step)
        if not (copies or unread or broken):
            with suppress(NotKnownError):
                inverse = self._inverter.invert(step.change, step)
        rows = isinstance(step.change, c.Unknown | c.WriteRows)
        if inverse is not None:
            return _Undone(place, inverse, of_rows=rows)
        text = by_hand(operation, self._migration)
        lost = _lost(step.change)
        marks = [f"{DESTRUCTIVE}{sentence}" for sentence in lost]
        bare = Place(place.guards, autocommit=False, batch=None)
        return _Undone(bare, Inverse([*marks, text], lost=list(lost)), of_rows=rows)


def _says_more(operation: Operation, migration: Migration) -> bool:
    """Whether a call of which not all was read names a schema or may make an enum type."""
    text = migration.source.slice(operation.range)
    return any(word in text for word in ("schema=", "Enum(", "ENUM(", "index=True"))


def _lost(change: c.Change) -> tuple[str, ...]:
    if isinstance(change, c.DropTable):
        return (f"The rows of {change.table} cannot be restored.",)
    if isinstance(change, c.DropColumn):
        return (values_lost(f"{change.table}.{change.column}"),)
    return ()


def _once(statements: Sequence[str]) -> list[str]:
    """One placeholder for each operation, however many changes it makes; one mark for each loss."""
    seen: set[str] = set()
    above: set[str] = set()
    kept = []
    for statement in statements:
        comment = statement.startswith("#")
        if comment and (
            statement in above or (statement.endswith(" by hand") and statement in seen)
        ):
            continue
        above = {*above, statement} if comment else set()
        seen.add(statement)
        kept.append(statement)
    return kept
