"""The statements of a script in PostgreSQL's SQL."""

from __future__ import annotations

import re
from typing import List

_STATEMENT = re.compile(
    r"(?:\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|[^;])+", re.DOTALL
)


def statements(text: str) -> List[str]:
    """The statements of a script; some drivers take only one at a time."""
    found = (match.group().strip() for match in _STATEMENT.finditer(text))
    return [statement for statement in found if statement]
