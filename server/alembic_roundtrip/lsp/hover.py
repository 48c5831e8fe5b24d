"""What stands under the pointer: an operation, a direction or a revision identifier."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.lsp import wording
from alembic_roundtrip.lsp.code_lens import evidence
from alembic_roundtrip.lsp.session import Session, path_of
from alembic_roundtrip.measurements import conditions, count, loss_line
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Direction, Identifier, Migration, Operation, Part
from alembic_roundtrip.text import Position, Range


def at(session: Session, params: types.HoverParams) -> types.Hover | None:
    """The hover at a position; None where there is nothing to say."""
    path = path_of(params.text_document.uri)
    migration = session.migration(path)
    if path is None or migration is None:
        return None
    converter = session.converter(path)
    position = converter.position(params.position)
    for place, lines in _candidates(session, migration, position):
        if place.start <= position <= place.end:
            text = "\n\n".join(lines)
            content = types.MarkupContent(types.MarkupKind.Markdown, text)
            return types.Hover(content, converter.lsp_range(place)) if text else None
    return None


def _candidates(
    session: Session, migration: Migration, position: Position
) -> Iterator[tuple[Range, Iterator[str]]]:
    for identifier in (migration.revision, migration.down_revision, migration.depends_on):
        if identifier:
            yield identifier.range, _revisions(session, migration, identifier, position)
    for engine in (*_engines(migration), migration):
        part = Part("", engine.upgrade, engine.downgrade) if engine.part is None else engine.part
        for direction in part.own_directions:
            yield direction.header, _direction(session, engine, direction)
            for operation in direction.operations:
                yield operation.range, _operation(session, engine, direction, operation)


def _engines(migration: Migration) -> Iterator[Migration]:
    """The migration as each of several databases meets it."""
    for part in migration.parts:
        found = migration.of_engine(part.engine) if part.own else None
        if found is not None:
            yield found


def _revisions(
    session: Session, migration: Migration, identifier: Identifier, position: Position
) -> Iterator[str]:
    word = _word(migration, identifier.range, position)
    named = [one for one in identifier.values if one == word] or identifier.values
    others = _by_id(session, migration)
    for revision in named:
        other = migration if revision == migration.id else others.get(revision)
        if other is None:
            yield f"`{revision}`: there is no such revision in this history"
            continue
        yield f"`{revision}` {wording.subject(other)}".rstrip() + f" ({other.path.name})"
        yield from wording.report(evidence(session, other))
        environment = session.environment_of(other.path)
        if other is migration and environment is not None:
            yield wording.dialects(environment)


def _word(migration: Migration, range: Range, position: Position) -> str:
    """The string literal around a position, within a range."""
    line = migration.source.line(position.line)
    start = end = position.column - 1
    while start > 0 and line[start - 1] not in "\"'":
        start -= 1
    while end < len(line) and line[end] not in "\"'":
        end += 1
    inside = range.start.line <= position.line <= range.end.line
    return line[start:end] if inside else ""


def _by_id(session: Session, migration: Migration) -> dict[str, Migration]:
    workspace = session.workspace
    environment = workspace.environment_of(migration.path)
    if environment is None:
        return {}
    return {
        other.id: other
        for path in workspace.scripts(environment).paths
        if (other := session.migration(path))
    }


def _direction(session: Session, migration: Migration, direction: Direction) -> Iterator[str]:
    operations = len(direction.operations)
    yield f"`{direction.name}()` of `{migration.id}`: {count(operations, 'operation')}"
    yield from wording.report(evidence(session, migration))


def _operation(
    session: Session, migration: Migration, direction: Direction, operation: Operation
) -> Iterator[str]:
    phrases = wording.effects(operation) or ["does not change the schema"]
    yield f"`{operation.name}` " + "; ".join(phrases)
    yield from _undone(migration, direction, operation)
    measured = evidence(session, migration)
    if measured:
        found = measured[0]
        if migration.part is not None:
            found = found.of_engine(migration.part.engine)
        yield from _measured(found, operation, current=measured[1])


def _undone(migration: Migration, direction: Direction, operation: Operation) -> Iterator[str]:
    """Which operation of the other direction is its plain inverse."""
    backwards = direction is migration.downgrade
    other = migration.upgrade if backwards else migration.downgrade
    wanted = {inverse for change in operation.changes if (inverse := _signature(change)[::-1])}
    for candidate in other.operations if other else ():
        if wanted & {_signature(change) for change in candidate.changes if _signature(change)}:
            verb = "Undoes" if backwards else "Undone by"
            yield f"{verb} `{candidate.name}` at line {candidate.range.start.line}"


def _signature(change: c.Change) -> tuple[str, ...]:  # noqa: PLR0912 - one case a kind of change
    """`(before, after)` of an object's name, so that reversing it is undoing it."""
    match change:
        case c.CreateTable(table=table):
            return ("", f"table {table.name}")
        case c.DropTable(table=name):
            return (f"table {name}", "")
        case c.RenameTable(table=name, new=new):
            return (f"table {name}", f"table {new}")
        case c.AddColumn(table=name, column=column):
            return ("", f"column {name}.{column.name}")
        case c.DropColumn(table=name, column=column):
            return (f"column {name}.{column}", "")
        case c.CreateIndex(index=index):
            return ("", f"index {index.name}")
        case c.DropIndex(name=name):
            return (f"index {name}", "")
        case c.AddConstraint(table=name, constraint=constraint):
            return ("", f"constraint {name}.{constraint.name}")
        case c.DropConstraint(table=name, name=constraint_name):
            return (f"constraint {name}.{constraint_name}", "")
        case c.CreateEnum(enum=enum):
            return ("", f"enum {enum.name}")
        case c.DropEnum(name=name):
            return (f"enum {name}", "")
        case c.CreateObject(kind=kind, name=name):
            return ("", f"{kind} {name}")
        case c.DropObject(kind=kind, name=name):
            return (f"{kind} {name}", "")
    return ()


def _measured(found: RevisionEvidence, operation: Operation, *, current: bool) -> Iterator[str]:
    """What the last rehearsal measured of the table or column that an operation is about."""
    about = {
        (table, wording.column(change))
        for change in operation.changes
        for table in wording.tables(change)
    }
    when = "The last rehearsal" if current else "The last rehearsal, before the latest edits"
    for loss in found.losses:
        if any(loss.table == table and column in (None, loss.column) for table, column in about):
            yield f"{when} ({conditions(found)}): {loss_line(loss)}"
