"""On which of a project's databases a finding holds."""

from __future__ import annotations

from collections.abc import Collection

from alembic_roundtrip.context import Context
from alembic_roundtrip.measurements import DATABASES


def only_on(context: Context, dialects: Collection[str | None]) -> str:
    """Words for some of a project's dialects, such as ` (on MySQL and MariaDB)`; none for all."""
    if all(dialect in dialects for dialect in context.parents):
        return ""
    names = [DATABASES.get(each, each) for each in context.dialects if each in dialects]
    return f" (on {', '.join(names[:-1])} and {names[-1]})" if names[1:] else f" (on {names[0]})"


def is_on_first(context: Context, dialects: Collection[str | None]) -> bool:
    """Whether a finding holds on the dialect that the project is for in the first place."""
    return next(iter(context.parents)) in dialects
