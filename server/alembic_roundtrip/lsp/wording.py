"""What was measured and what operations do, in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from alembic_roundtrip.evidence import Loss, Residue, RevisionEvidence, Verdict
from alembic_roundtrip.measurements import conditions, count, database_name
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.project import Environment
from alembic_roundtrip.wording import details

Measured = tuple[RevisionEvidence, bool] | None
"""Evidence, and whether it still holds."""

NEVER = "round trip: never rehearsed"


def duration(seconds: float) -> str:
    """A time as people read it."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def outcome(evidence: RevisionEvidence) -> str:
    """The verdict in a few words, with its number."""
    match evidence.verdict:
        case Verdict.LOSSY:
            return f"loses {_lost(evidence.old_losses())}"
        case Verdict.RESIDUE:
            return _residue([one for one in evidence.residue if one.grade != "cosmetic"])
        case Verdict.FAILED:
            failed = next((step for step in evidence.steps if step.error), None)
            return f"{failed.name} failed" if failed else "failed"
        case Verdict.IRREVERSIBLE:
            return "irreversible by design"
        case Verdict.SKIPPED:
            return f"not rehearsed: {evidence.reason or 'skipped'}"
    return "lossless"


def _lost(losses: Iterable[Loss]) -> str:
    losses = list(losses)
    columns = {(loss.table, loss.column) for loss in losses if loss.column is not None}
    tables = {loss.table for loss in losses if loss.column is None}
    parts = [count(len(columns), "column")] if columns else []
    parts += [f"rows of {count(len(tables), 'table')}"] if tables else []
    return " and ".join(parts) or "data"


def _residue(residue: list[Residue]) -> str:
    left = sum(one.change == "left" for one in residue)
    other = len(residue) - left
    if not other:
        return f"leaves {count(left, 'object')} behind"
    if not left:
        return f"does not restore {count(other, 'object')}"
    return f"leaves {count(left, 'object')} behind, does not restore {other}"


def lens(measured: Measured) -> str:
    """Title of the code lens over a downgrade."""
    if measured is None:
        return NEVER
    evidence, current = measured
    name = database_name(evidence.database)
    facts = [outcome(evidence), duration(evidence.seconds)]
    facts += [count(evidence.rows, "row")] if evidence.rows else []
    facts += [name]
    facts += [] if evidence.baseline is None else ["from today's models"]
    facts += [] if current else ["stale: edited since"]
    return "round trip: " + " · ".join(facts)


def report(measured: Measured) -> Iterator[str]:
    """The last rehearsal as lines of Markdown."""
    if measured is None:
        yield "Never rehearsed."
        return
    evidence, current = measured
    yield (
        f"**Round trip: {outcome(evidence)}** "
        f"({duration(evidence.seconds)}, {conditions(evidence)})"
    )
    if not current:
        yield "*Stale: the migration or one before it was edited since.*"
    if evidence.reason and evidence.verdict is not Verdict.SKIPPED:
        yield evidence.reason
    for step in evidence.steps:
        if step.error:
            yield f"- {step.name} failed: {step.error.type}: {step.error.message}"
    yield from (f"- {line}" for line in details(replace(evidence, reason=None)))


def effects(operation: Operation) -> list[str]:
    """What an operation does, a phrase for each change."""
    if operation.opaque:
        return [f"was not analysed: {operation.opaque}"]
    return [effect(change) for change in operation.changes]


def effect(change: c.Change) -> str:  # noqa: PLR0912 - one case a kind of change
    """What one change does."""
    match change:
        case c.CreateTable(table=table):
            return f"creates table `{table.name}` with {count(len(table.columns), 'column')}"
        case c.DropTable(table=name):
            return f"drops table `{name}` and its rows"
        case c.RenameEnum(name=name, new_name=new):
            return f"renames the type `{name}` to `{new}`"
        case c.RenameTable(table=name, new_schema=str(new)):
            return f"moves table `{name}` to the schema `{new}`"
        case c.RenameTable(table=name, new_name=new):
            return f"renames table `{name}` to `{new}`"
        case c.AddColumn(table=name, column=column):
            return f"adds column `{name}.{column.name}`"
        case c.DropColumn(table=name, column=column):
            return f"drops column `{name}.{column}` and its values"
        case c.AlterColumn(table=name, column=column, options=options):
            return f"alters column `{name}.{column}` ({', '.join(key for key, _ in options)})"
        case c.CreateIndex(index=index):
            return f"creates index `{index.name}` on `{index.table}`"
        case c.DropIndex(name=name):
            return f"drops index `{name}`"
        case c.RenameIndex(name=old, new_name=new):
            return f"renames index `{old}` to `{new}`"
        case c.AddConstraint(table=table, constraint=constraint):
            return f"adds {constraint.kind} constraint `{constraint.name}` to `{table}`"
        case c.DropConstraint(table=table, name=name):
            return f"drops constraint `{name}` of `{table}`"
        case c.RenameConstraint(table=table, name=old, new_name=new):
            return f"renames constraint `{old}` of `{table}` to `{new}`"
        case c.AddEnumValue(name=name, value=value):
            return f"adds the value `{value}` to the enum type `{name}`"
        case c.RenameEnumValue(name=name, value=value, new_value=new):
            return f"renames the value `{value}` of the enum type `{name}` to `{new}`"
        case c.SetEnumValues(name=name):
            return f"sets the values of the enum type `{name}`"
        case c.CreateEnum(enum=enum):
            return f"creates enum type `{enum.name}`"
        case c.DropEnum(name=name):
            return f"drops enum type `{name}`"
        case c.CreateObject(kind=kind, name=name):
            return f"creates {kind} `{name}`"
        case c.DropObject(kind=kind, name=name):
            return f"drops {kind} `{name}`"
        case c.ReplaceObject(kind=kind, name=name):
            return f"creates or replaces {kind} `{name}`"
        case c.WriteRows(verb=verb, table=name):
            return f"{verb}s rows of `{name}`" if name else f"{verb}s rows"
        case c.SetComment(table=name):
            return f"sets the comment of table `{name}`"
        case c.Unknown(tables=None):
            return "may change anything: it could not be read"
        case c.Unknown(tables=tables):
            return f"may change {', '.join(f'`{name}`' for name in sorted(tables or ()))}"


def tables(change: c.Change) -> set[str]:
    """Names of the tables that a change is about, by their definition or their rows."""
    if isinstance(change, c.WriteRows):
        return set() if change.table is None else {str(change.table)}
    return {str(name) for name in c.tables_of(change)}


def column(change: c.Change) -> str | None:
    """Name of the one column that a change is about."""
    match change:
        case c.AddColumn(column=added):
            return added.name
        case c.DropColumn(column=name) | c.AlterColumn(column=name):
            return name
    return None


def subject(migration: Migration) -> str:
    """What a migration says it is for: the first line of its docstring."""
    text = migration.docstring.text.strip() if migration.docstring else ""
    return text.partition("\n")[0].strip()


def dialects(environment: Environment) -> str:
    """Which dialects a migration is read for, and what says so."""
    signs = zip(environment.dialects, environment.dialect_sources, strict=True)
    named = ", ".join(f"{dialect} ({source})" for dialect, source in signs)
    return f"Read for {named or 'any dialect: the setting `dialects` names the right one'}."
