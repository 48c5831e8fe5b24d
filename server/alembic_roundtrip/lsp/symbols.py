"""The outline of a migration: its revision, its directions and their operations."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from alembic_roundtrip.lsp import wording
from alembic_roundtrip.lsp.convert import Converter
from alembic_roundtrip.lsp.session import Session, path_of
from alembic_roundtrip.measurements import count
from alembic_roundtrip.migration.model import Direction, Migration, Operation
from alembic_roundtrip.text import within


def listed(
    session: Session, uri: str
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """The symbols of a document, nested where the client can show that."""
    path = path_of(uri)
    migration = session.migration(path)
    if path is None or migration is None:
        return []
    symbols = list(_symbols(migration, session.converter(path)))
    if session.client.nests_symbols:
        return symbols
    return [
        types.SymbolInformation(types.Location(uri, symbol.range), symbol.name, symbol.kind)
        for symbol in symbols
    ]


def _symbols(migration: Migration, converter: Converter) -> Iterator[types.DocumentSymbol]:
    if migration.revision and migration.id:
        place = converter.lsp_range(migration.revision.range)
        yield types.DocumentSymbol(
            name=f"revision {migration.id}",
            detail=wording.subject(migration),
            kind=types.SymbolKind.Constant,
            range=place,
            selection_range=place,
        )
    for direction in migration.functions:
        yield _direction(direction, converter)


def _direction(direction: Direction, converter: Converter) -> types.DocumentSymbol:
    # One that only calls each engine's own function has what these do beside it, not in it.
    own = [each for each in direction.operations if within(each.range, direction.range)]
    return types.DocumentSymbol(
        name=direction.name,
        detail=count(len(own), "operation"),
        kind=types.SymbolKind.Function,
        range=converter.lsp_range(direction.range),
        selection_range=converter.lsp_range(direction.header),
        children=[_operation(operation, converter) for operation in own],
    )


def _operation(operation: Operation, converter: Converter) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=operation.name or "operation",
        detail="; ".join(wording.effects(operation)),
        kind=types.SymbolKind.Method,
        range=converter.lsp_range(operation.statement),
        selection_range=converter.lsp_range(operation.range),
    )
