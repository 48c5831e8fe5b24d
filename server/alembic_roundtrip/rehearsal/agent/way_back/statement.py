"""One statement of a downgrade."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import List

from .marks import Mark

_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")


@dataclass
class Statement:
    """Python, with the imports it needs and what is to be said of it."""

    text: str
    imports: List[str] = field(default_factory=list)
    marks: List[Mark] = field(default_factory=list)
    otherwise: List[Statement] = field(default_factory=list)
    """What does the same where this does not work."""


def sql(text: str, *marks: Mark) -> Statement:
    """A statement that executes SQL."""
    # A name after a colon would be a parameter.
    text = _PARAMETER.sub(r"\\:", text.strip().rstrip(";"))
    if "\n" not in text:
        return Statement(f"op.execute({text!r})", marks=list(marks))
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return Statement(f'op.execute("""\n{escaped}\n""")', marks=list(marks))
