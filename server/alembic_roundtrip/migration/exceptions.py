"""Which exceptions of operations pass unseen."""

from __future__ import annotations

import ast

from alembic_roundtrip.migration.definitions import last

_EVERYTHING = frozenset({"Exception", "BaseException"})


def swallows(handler: ast.ExceptHandler) -> bool:
    """Whether it takes every exception and lets none out again."""
    broad = handler.type is None or last(handler.type) in _EVERYTHING
    return broad and not any(isinstance(part, ast.Raise) for part in ast.walk(handler))


def suppresses(context: ast.expr) -> bool:
    """Whether it is `contextlib.suppress` of every exception."""
    if not isinstance(context, ast.Call) or last(context.func) != "suppress":
        return False
    return any(last(part) in _EVERYTHING for part in context.args)
