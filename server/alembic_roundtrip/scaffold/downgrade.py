"""The downgrade that an upgrade's operations and the parent's schema ask for."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby

from alembic_roundtrip.context import Context
from alembic_roundtrip.losses import documentation, says_loss
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import literal
from alembic_roundtrip.migration.model import Batch, Body, Guard, GuardKind, Migration, Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.rewrite import AddWarning, Rewrite, WriteBody
from alembic_roundtrip.rule import Fix
from alembic_roundtrip.scaffold.enums import replacements
from alembic_roundtrip.scaffold.inverse import Inverter
from alembic_roundtrip.scaffold.step import PLACEHOLDER, Inverse, Step
from alembic_roundtrip.schema import Schema, applied
from alembic_roundtrip.text import Range

_KEPT_IN_BATCH = ("recreate", "naming_convention", "reflect_args", "reflect_kwargs", "table_kwargs")
_NEVER = literal("never")
_SHOWN = 50


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
    """The fix that writes the downgrade; None where there is nothing to write."""
    if not can_be_written(context):
        return None
    return as_fix(context, scaffold(context), "Write the downgrade from the upgrade")


def can_be_written(context: Context) -> bool:
    """Whether a downgrade may be written into this migration."""
    migration = context.migration
    if migration.upgrade is None or migration.problems:
        return False
    if migration.downgrade is None and migration.imported_downgrade:
        return False
    return not _of_several_databases(context)


def as_fix(context: Context, written: Scaffold, title: str) -> Fix | None:
    """The fix that writes this; None where there is nothing to write."""
    migration = context.migration
    if not written.statements and migration.downgrade is not None:
        return None
    statements = written.statements or ("pass",)
    rewrites: list[Rewrite] = [WriteBody("downgrade", statements, written.imports)]
    if written.lost and not says_loss(documentation(migration)):
        rewrites.append(AddWarning(written.lost))
    empty = migration.downgrade is None or migration.downgrade.kind is Body.NOTHING
    if not written.complete:
        title += ", with a TODO for what is not known"
    # What is half written is no answer that anybody should get unasked.
    return Fix(title, tuple(rewrites), "safe" if empty and written.complete else "unsafe")


def why_nothing(context: Context) -> str:
    """Why `fix` has nothing to write, as what follows a file's name."""
    migration = context.migration
    if migration.problems:
        return "the migration has mistakes that `lint` names; put them right first"
    if _of_several_databases(context):
        return "its upgrade is for several databases, and such downgrades are not written"
    if migration.downgrade is None and migration.imported_downgrade:
        return "its downgrade is imported from another module"
    return "there is nothing to undo"


def scaffold(context: Context, only: Range | None = None) -> Scaffold:
    """The inverse of the upgrade's operations, the last first; or only of those at one place."""
    walk = _walked(context)
    steps = [
        step
        for step, made in walk.steps
        if _needed(step.change, made, walk.gone) and only in {None, step.operation.range}
    ]
    final = next(iter(walk.schemas.values()))
    migration = context.migration
    render = Renderer(migration)
    inverter = Inverter(render, context.dialects, final)
    undone = list(_undone(steps, inverter, migration))
    statements: list[str] = []
    for key, group in groupby(undone, key=lambda part: part.place):
        statements += key.block(list(group), render)
    statements = _once(statements)
    if any("op." in statement for statement in statements):
        render.need_operations()
    lost = dict.fromkeys(sentence for part in undone for sentence in part.inverse.lost)
    lost |= dict.fromkeys(_moved(steps, walk))
    complete = not any(PLACEHOLDER in statement for statement in statements)
    about_rows = (line for part in undone if part.of_rows for line in part.inverse.inner)
    unread = frozenset(line for line in about_rows if line.startswith("#"))
    return Scaffold(tuple(statements), tuple(render.imports), tuple(lost), complete, unread)


def _undone(steps: list[Step], inverter: Inverter, migration: Migration) -> Iterator[_Undone]:
    """The inverses of steps, the last first; what only goes back as a whole at its last step."""
    whole = {id(part): found for found in replacements(steps) for part in found.steps}
    for step in reversed(steps):
        found = whole.get(id(step))
        if found is None:
            yield _Undone.of(step, inverter, migration)
        elif step is found.steps[-1]:
            yield _Undone(_Place.of(step, migration), found.back(inverter.render))


def _of_several_databases(context: Context) -> bool:
    guards = (guard for operation in context.upgrade_operations for guard in operation.guards)
    return any(guard.kind is GuardKind.ENGINE for guard in guards)


@dataclass
class _Walk:
    """The schemas an upgrade goes through, and which tables and columns are its own."""

    schemas: dict[str | None, Schema]
    steps: list[tuple[Step, int | None]] = field(default_factory=list)
    made: dict[Name, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    filled: set[tuple[Name, str]] = field(default_factory=set)

    def take(self, operation: Operation, change: c.Change) -> None:
        running = [dialect for dialect in self.schemas if operation.runs_on(dialect)]
        before = self.schemas[running[0] if running else next(iter(self.schemas))]
        for dialect in running:
            self.schemas[dialect] = applied(self.schemas[dialect], change)
        own, filled = frozenset(self.made), frozenset(self.filled)
        step = Step(operation, change, before, applied(before, change), own, filled)
        self.steps.append((step, self._table_made(change)))

    def _table_made(self, change: c.Change) -> int | None:
        """The number of the step that made the table a change is about; None for older ones."""
        number = len(self.steps)
        if isinstance(change, c.CreateTable):
            self.made[change.table.name] = number
            return number
        if isinstance(change, c.DropTable):
            found = self.made.pop(change.table, None)
            self.gone |= set() if found is None else {found}
            return found
        if isinstance(change, c.RenameTable) and change.table in self.made:
            new = Name(change.new_name, change.table.schema)
            self.made[new] = self.made.pop(change.table)
            return self.made[new]
        if isinstance(change, c.AddColumn):
            self.filled.add((change.table, change.column.name))
        table = _table_of(change)
        return self.made.get(table) if table is not None else None


def _walked(context: Context) -> _Walk:
    walk = _Walk(dict(context.parents))
    for operation in context.upgrade_operations:
        for change in operation.changes:
            walk.take(operation, change)
    return walk


def _needed(change: c.Change, made: int | None, gone: set[int]) -> bool:
    """Whether a change is not undone already by dropping the table that it is about."""
    if made is None:
        return True
    if made in gone:
        return False
    if isinstance(change, c.AddConstraint):
        # Two new tables may refer to each other.
        return change.constraint.kind == "foreignkey" and change.constraint.name is not None
    return isinstance(change, c.CreateTable | c.RenameTable)


def _table_of(change: c.Change) -> Name | None:
    if isinstance(change, c.CreateIndex):
        return change.index.table
    if isinstance(change, c.Unknown):
        return next(iter(change.tables)) if change.tables and len(change.tables) == 1 else None
    table = getattr(change, "table", None)
    return table if isinstance(table, Name) else None


@dataclass(frozen=True)
class _Place:
    """What a group of inverse statements stands in."""

    guards: tuple[Guard, ...]
    conditional: bool
    autocommit: bool
    batch: Batch | None

    @classmethod
    def of(cls, step: Step, migration: Migration) -> _Place:
        """Where a step stands in the upgrade."""
        operation = step.operation
        return cls(
            tuple(guard for guard in operation.guards if guard.kind is GuardKind.DIALECT),
            _conditional(operation, step, migration),
            operation.autocommit,
            operation.batch,
        )

    def block(self, parts: Sequence[_Undone], render: Renderer) -> list[str]:
        """The statements of a group inside their batch block and conditions."""
        if self.batch is None:
            lines = [
                line
                for part in parts
                for line in (*part.inverse.before, *part.inverse.inner, *part.inverse.after)
            ]
        else:
            before = [line for part in parts for line in part.inverse.before]
            after = [line for part in parts for line in part.inverse.after]
            header = self._batch(self.batch, render)
            blocks = [line for inner in _blocks(parts) for line in _inside(header, inner)]
            lines = [*before, *blocks, *after]
        if self.autocommit:
            lines = _inside("with op.get_context().autocommit_block():", lines)
        if self.guards:
            lines = _inside(f"if {self._condition(render)}:", lines)
        if self.conditional and not all(line.startswith("#") for line in lines):
            lines = [f"{PLACEHOLDER} undo this only where upgrade() did it", *lines]
        return lines

    @staticmethod
    def _batch(batch: Batch, render: Renderer) -> str:
        said = [render.text(batch.table.name), *render.schema(batch.table)]
        options = tuple(pair for pair in batch.options if pair[0] in _KEPT_IN_BATCH)
        try:
            said += render.options(options)
        except NotKnownError:
            # Without its options a batch block reflects the table, which is always right.
            said = said[:2]
        return f"{call('with op.batch_alter_table', said)} as batch_op:"

    def _condition(self, render: Renderer) -> str:
        parts = []
        for guard in self.guards:
            names = [render.text(name) for name in sorted(guard.names)]
            if len(names) == 1:
                sign, value = ("!=" if guard.negated else "=="), names[0]
            else:
                sign, value = ("not in" if guard.negated else "in"), f"({', '.join(names)})"
            parts.append(f"op.get_context().dialect.name {sign} {value}")
        return " and ".join(parts)


@dataclass(frozen=True)
class _Undone:
    """The inverse of a step, and where it stands."""

    place: _Place
    inverse: Inverse
    of_rows: bool = False
    """Whether the step may have changed rows."""

    @classmethod
    def of(cls, step: Step, inverter: Inverter, migration: Migration) -> _Undone:
        operation, place = step.operation, _Place.of(step, migration)
        copies = "sqlite" in inverter.dialects and _copies_generated(step)
        alone = copies or ("sqlite" in inverter.dialects and _may_copy_generated(step))
        if place.batch is not None and alone and isinstance(step.change, c.AddColumn):
            never = replace(place.batch, options=(("recreate", _NEVER),))
            place, copies = replace(place, batch=never), False
        inverse: Inverse | None = None
        unread = isinstance(step.change, c.Unknown) and _says_more(operation, migration)
        if not copies and not unread:
            with suppress(NotKnownError):
                inverse = inverter.invert(step.change, step)
        rows = isinstance(step.change, c.Unknown | c.WriteRows)
        if inverse is not None:
            return cls(place, inverse, of_rows=rows)
        text = f"{PLACEHOLDER} undo {_shown(operation, migration)} by hand"
        lost = _lost(step.change)
        marks = [f"# DESTRUCTIVE: {sentence}" for sentence in lost]
        bare = _Place(place.guards, conditional=False, autocommit=False, batch=None)
        return cls(bare, Inverse([*marks, text], lost=list(lost)), of_rows=rows)


def _copies_generated(step: Step) -> bool:
    """Whether undoing the step in its batch block copies a table with generated columns on SQLite.

    Alembic copies the values of all columns then, and these cannot be written.
    """
    batch = step.operation.batch
    table = step.after.table(batch.table) if batch is not None else None
    if table is None or isinstance(step.change, c.CreateIndex | c.DropIndex | c.DropColumn):
        return False
    return any("Computed(" in part.text for column in table.columns for part in column.arguments)


def _may_copy_generated(step: Step) -> bool:
    """Whether a table is not known whose plain new column can go without copying the table."""
    change = step.change
    if not isinstance(change, c.AddColumn) or change.constraints or change.column.arguments:
        return False
    return step.after.table(change.table) is None


def _blocks(parts: Sequence[_Undone]) -> Iterator[list[str]]:
    """Statements for one batch block each: one that has renamed a column does not know it yet."""
    block: list[str] = []
    for part in parts:
        lines = part.inverse.inner
        renamed = any("new_column_name=" in line for line in block)
        if renamed and any(line.startswith("batch_op.create_") for line in lines):
            yield block
            block = []
        block = [*block, *lines]
    yield block


def _says_more(operation: Operation, migration: Migration) -> bool:
    """Whether a call of which not all was read names a schema or may make an enum type."""
    text = migration.source.slice(operation.range)
    return any(word in text for word in ("schema=", "Enum(", "ENUM(", "index=True"))


def _conditional(operation: Operation, step: Step, migration: Migration) -> bool:
    if operation.conditional:
        return True
    text = migration.source.slice(operation.range).upper()
    # What CREATE … IF NOT EXISTS did not make is not known to be ours.
    if isinstance(step.change, c.CreateObject):
        return "IF NOT EXISTS" in text and step.change.kind != "extension"
    if isinstance(step.change, c.CreateTable | c.CreateIndex | c.AddColumn):
        return "IF NOT EXISTS" in text or "IF_NOT_EXISTS=TRUE" in text.replace(" ", "")
    return False


def _lost(change: c.Change) -> tuple[str, ...]:
    if isinstance(change, c.DropTable):
        return (f"The rows of {change.table} cannot be restored.",)
    if isinstance(change, c.DropColumn):
        return (f"The values of {change.table}.{change.column} cannot be restored.",)
    return ()


def _shown(operation: Operation, migration: Migration) -> str:
    """An operation in a few words: the beginning of its code."""
    text = " ".join(migration.source.slice(operation.range).split())
    named = option(operation.arguments, "sqltext")
    if named is not None and named.string:
        text = f"op.execute({' '.join(named.string.split())!r})"
    return f"`{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}`"


def _moved(steps: Sequence[Step], walk: _Walk) -> Iterator[str]:
    """Older rows that the upgrade moved into its own tables go when these are dropped."""
    destroyed = any(isinstance(s.change, c.DropTable | c.DropColumn) for s in steps)
    written = {
        step.change.table
        for step, made in walk.steps
        if isinstance(step.change, c.WriteRows)
        and step.change.verb == "insert"
        and made is not None
    }
    for step in steps:
        if isinstance(step.change, c.CreateTable) and destroyed:
            name = step.change.table.name
            yield from [f"The rows of {name} are lost."] * (name in written)


def _inside(header: str, lines: Sequence[str]) -> list[str]:
    """Lines as a block; comments alone need none."""
    if all(line.startswith("#") for line in lines):
        return list(lines)
    indented = [_indented(line) for line in lines]
    return ["\n".join([header, *indented])]


def _indented(statement: str) -> str:
    """A statement one level deeper; lines that are part of a string stay."""
    lines = statement.split("\n")
    if '"""' in statement:
        tokens = tokenize.generate_tokens(io.StringIO(statement).readline)
        for token in tokens:
            if token.type == tokenize.STRING:
                for number in range(token.start[0] + 1, token.end[0] + 1):
                    lines[number - 1] = "\0" + lines[number - 1]
    return "\n".join(f"    {line}".removeprefix("    \0") for line in lines)


def _once(statements: Sequence[str]) -> list[str]:
    """One placeholder for each operation, however many changes it makes."""
    seen: set[str] = set()
    kept = []
    for statement in statements:
        if statement.endswith(" by hand") and statement in seen:
            continue
        seen.add(statement)
        kept.append(statement)
    return kept
