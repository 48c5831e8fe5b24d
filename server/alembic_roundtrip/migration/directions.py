"""`upgrade()` or `downgrade()` as a whole."""

from __future__ import annotations

import ast

from alembic_roundtrip.migration.changes import Unknown
from alembic_roundtrip.migration.evaluation import Scope, unparsed
from alembic_roundtrip.migration.literals import value_of
from alembic_roundtrip.migration.model import Body, Direction, Guard, GuardKind, Operation
from alembic_roundtrip.migration.reach import Place
from alembic_roundtrip.migration.statements import Reader
from alembic_roundtrip.migration.syntax import docstring_of, range_of
from alembic_roundtrip.text import Range


def read_direction(
    node: ast.FunctionDef, module: Scope, blanked: frozenset[int], engine: str | None = None
) -> Direction:
    """Read one of the two functions; `blanked` are the lines the parser could not take.

    With an engine it is read as it is called for that one of several databases.
    """
    reader = Reader(module, engine)
    lost = blanked & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    parameters: dict[str, ast.expr | None] = {each.arg: None for each in node.args.args}
    if engine is not None:
        named = [each.arg for each in (*node.args.args, *node.args.kwonlyargs)]
        name = "engine_name" if "engine_name" in named or not named else named[0]
        parameters[name] = ast.Constant(engine)
    # What a decorator makes of the function is not read: it may well not run it.
    guards = (Guard(GuardKind.OTHER),) if node.decorator_list else ()
    reader.block(node.body, Place(module.inner(parameters), guards))
    source = module.source
    operations = list(reader.operations)
    if lost:
        operations += [_lost(source.line_range(min(lost)))]
    first, final = node.body[0], node.body[-1]
    docstring = docstring_of(source, node)
    if docstring is not None and len(node.body) > 1:
        first = node.body[1]
    header = source.position_of_bytes(node.lineno, node.col_offset + len("def "))
    return Direction(
        name=node.name,
        range=range_of(source, node),
        header=Range(header, header._replace(column=header.column + len(node.name))),
        body=Range(range_of(source, first).start, range_of(source, final).end),
        kind=_kind(node.body, operations, effects=reader.effects),
        operations=tuple(operations),
        docstring=docstring,
        message=_message(node.body, module),
        statements=tuple(range_of(source, statement) for statement in node.body),
        uses=tuple(dict.fromkeys(reader.uses)),
        swallowed=tuple(dict.fromkeys(reader.swallowed)),
    )


def _lost(place: Range) -> Operation:
    return Operation("unparsed", place, place, (Unknown(),), opaque="the statement does not parse")


def _kind(body: list[ast.stmt], operations: list[Operation], *, effects: bool) -> Body:
    raises = [statement for statement in body if isinstance(statement, ast.Raise)]
    if raises and not operations:
        return Body.RAISES
    return Body.CODE if operations or effects else Body.NOTHING


def _message(body: list[ast.stmt], scope: Scope) -> str | None:
    for statement in body:
        if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call):
            parts = [value_of(scope.resolve(argument)) for argument in statement.exc.args]
            text = " ".join(part for part in parts if isinstance(part, str)).strip()
            unread = unparsed(statement.exc.args[0]) if statement.exc.args and not text else ""
            return text or unread or None
    return None
