"""Fixes that several rules offer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.differences import Difference, differences
from alembic_roundtrip.comparison.faults import Fault, faults
from alembic_roundtrip.comparison.renames import Rename
from alembic_roundtrip.comparison.symmetry import Leftover, Missing
from alembic_roundtrip.context import Context
from alembic_roundtrip.decisions import Part, is_given_up
from alembic_roundtrip.diagnostic import Finding, Fix, Related
from alembic_roundtrip.migration.changes import tables_of
from alembic_roundtrip.migration.editing import edits
from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.rewrite import AddWarning, InsertStatements, RewriteError
from alembic_roundtrip.prose import documentation, says_loss
from alembic_roundtrip.rules._databases import is_on_first, only_on
from alembic_roundtrip.scaffold.sql import sql_name
from alembic_roundtrip.schema import Key, Schema
from alembic_roundtrip.severity import Severity
from alembic_roundtrip.text import Position, Range, apply_edits


def first_line(migration: Migration) -> Range:
    """The docstring's first line; the first place of a file without one."""
    start = Position(1, 1)
    place = migration.docstring.range if migration.docstring else Range(start, start)
    if place.end.line > place.start.line:
        place = Range(place.start, migration.source.line_range(place.start.line).end)
    return place


def written_downgrade(context: Context) -> tuple[Fix, ...]:
    """The whole downgrade, written from the upgrade."""
    return context.memory("written downgrade", _written)


def _written(context: Context) -> tuple[Fix, ...]:
    from alembic_roundtrip.scaffold import fix as written

    fix = written(context)
    return () if fix is None else (fix,)


def dropped(context: Context, leftover: Leftover, statement: str) -> tuple[Fix, ...]:
    """The one operation that is missing, put where the reverse order has it, if it is then right."""
    rewrite = InsertStatements("downgrade", place_of(leftover), (statement,))
    title = f"Add `{statement.partition('(')[0]}(…)` to the downgrade"
    fix = Fix(title, (rewrite,), "unsafe")
    left = context.memory("faults", faults) - {("stays", leftover.key)}
    after = _faults_after(context, fix)
    return (fix,) if after is not None and after <= left else ()


def place_of(leftover: Leftover) -> int:
    """The index in the downgrade's statements before which a drop belongs.

    What the upgrade did later is undone earlier; docstrings stay first.
    """
    return 1 if leftover.downgrade.docstring is not None else 0


def at_downgrade(leftover: Leftover, context: Context) -> tuple[Related, ...]:
    """The downgrade, as the other place of a finding at the upgrade."""
    return (Related(context.migration.path, leftover.downgrade.header, "the downgrade"),)


def not_restored(context: Context, gone: Missing, message: str) -> Finding:
    """A finding on what does not come back; where the migration says so, that is a decision."""
    key = gone.key
    part = Part(str(key), key.kind, gone.operation.statement, _beside(key, gone.trip.before))
    owned = is_given_up(context.migration, part, _concerned(context), context.dialects)
    related = Related(context.migration.path, gone.downgrade.header, "the downgrade")
    return Finding(
        gone.operation.range,
        message,
        partial(_brought_back, context, gone),
        (related,),
        "information" if owned else None,
    )


def _beside(key: Key, schema: Schema) -> tuple[str, ...]:
    """What tells which index or constraint is meant: its table, its columns."""
    table = schema.table(key.table)
    if table is None or not key.name:
        return (key.table.name,)
    indexed = (i.columns for i in table.indexes if i.name == key.name)
    columns = [c.string for each in indexed for c in each if c.string is not None]
    columns += [c for each in table.constraints if each.name == key.name for c in each.columns]
    return (key.table.name, *columns)


def _concerned(context: Context) -> frozenset[str]:
    """The names of all that the revision is about."""
    return context.memory("concerned", _names)


def _names(context: Context) -> frozenset[str]:
    changes = [change for each in context.upgrade_operations for change in each.changes]
    parts = {getattr(change, "column", None) or getattr(change, "name", "") for change in changes}
    tables = frozenset(table.name for change in changes for table in tables_of(change))
    return tables.union(part for part in parts if isinstance(part, str) and part)


def _brought_back(context: Context, gone: Missing) -> tuple[Fix, ...]:
    return _settling(context, ("missing", gone.key), inverse_of(context, gone.operation))


def restored_otherwise(context: Context, aspect: str) -> Iterator[Finding]:
    """Findings on what comes back otherwise; where the migration says so, that is a decision."""
    for found in differences(context, aspect):
        owner = found.subject.rpartition(".")[0] or found.subject
        place = found.operation.statement
        part = Part(found.subject, found.aspect, place, (owner,), missing=False)
        owned = is_given_up(context.migration, part, _concerned(context), context.dialects)
        related: tuple[Related, ...] = ()
        if found.direction is not found.downgrade:
            header = found.downgrade.header
            related = (Related(context.migration.path, header, "the downgrade"),)
        severity: Severity | None = "information" if owned else None
        if severity is None and not is_on_first(context, found.dialects):
            severity = "warning"
        where = only_on(context, found.dialects)
        yield Finding(
            found.operation.range,
            f"after the downgrade `{found.subject}` {found.sentence}{where}",
            partial(_set_back, context, found),
            related,
            severity,
        )


def _set_back(context: Context, found: Difference) -> tuple[Fix, ...]:
    """The value that the parent has, at the call that says another; else the inverse of all."""
    from alembic_roundtrip.scaffold.corrections import correction

    value = correction(context, found)
    corrected = Fix("Set what the parent revision has", (value,), "unsafe") if value else None
    fault = (found.aspect, found.subject)
    return _settling(context, fault, corrected, inverse_of(context, found.operation))


def inverse_of(context: Context, operation: Operation) -> Fix | None:
    """One operation of the upgrade undone, at the end that is nearer to its place in reverse."""
    from alembic_roundtrip.scaffold import scaffold

    downgrade, operations = context.migration.downgrade, context.upgrade_operations
    if downgrade is None or operation not in operations:
        return None
    written = scaffold(context, operation.range)
    if not written.complete or not written.statements:
        return None
    early = 2 * operations.index(operation) + 1 < len(operations)
    place = len(downgrade.statements) if early else int(downgrade.docstring is not None)
    insert = InsertStatements("downgrade", place, written.statements, written.imports)
    unsaid = written.lost and not says_loss(documentation(context.migration))
    rewrites = (insert, AddWarning(written.lost)) if unsaid else (insert,)
    return Fix("Undo this operation in the downgrade", rewrites, "unsafe")


def _settling(context: Context, fault: Fault, *small: Fix | None) -> tuple[Fix, ...]:
    """The first small fix that settles a fault and makes no other; then the whole downgrade.

    A downgrade that somebody has written is only written anew where nothing is left to do in it.
    """
    left = context.memory("faults", faults) - {fault}
    made = ((fix, _faults_after(context, fix)) for fix in small if fix is not None)
    first = next(((fix,) for fix, after in made if after is not None and after <= left), ())
    whole, after = context.memory("the whole downgrade", _whole)
    return (*first, *(whole if after is not None and after <= left else ()))


def _whole(context: Context) -> tuple[tuple[Fix, ...], frozenset[Fault] | None]:
    """The whole downgrade written anew, if that is all of it, and what is wrong with it then."""
    from alembic_roundtrip.scaffold import scaffold

    fixes = written_downgrade(context) if scaffold(context).complete else ()
    return fixes, _faults_after(context, fixes[0]) if fixes else None


def _faults_after(context: Context, fix: Fix) -> frozenset[Fault] | None:
    """What is wrong with the downgrade after a fix; None where it cannot be made."""
    try:
        made = edits(context.migration, fix.rewrites)
    except RewriteError:
        return None
    after = context.after(apply_edits(context.migration.text, made))
    return None if after is None else faults(after)


def renamed_back(rename: Rename) -> Fix:
    """The inverse rename, first in the downgrade: nothing there expects the old name yet."""
    old, new = rename.old, rename.new
    schema = f', schema="{new.table.schema}"' if new.table.schema else ""
    if new.table.schema != old.table.schema:
        moved = f"{sql_name(new.table)} SET SCHEMA {sql_name(Name(old.table.schema or 'public'))}"
        statement = f"op.execute({'ALTER TABLE ' + moved!r})"
    elif new.kind == "table":
        statement = f'op.rename_table("{new.table.name}", "{old.table.name}"{schema})'
    elif rename.operation.batch is not None:
        statement = (
            f'with op.batch_alter_table("{new.table.name}"{schema}) as batch_op:\n'
            f'    batch_op.alter_column("{new.name}", new_column_name="{old.name}")'
        )
    else:
        arguments = f'"{new.table.name}", "{new.name}", new_column_name="{old.name}"{schema}'
        statement = f"op.alter_column({arguments})"
    place = 1 if rename.downgrade.docstring is not None else 0
    rewrite = InsertStatements("downgrade", place, (statement,), ())
    return Fix(f"Rename `{rename.new}` back in the downgrade", (rewrite,), "unsafe")
