"""A piece of a migration's Python, kept as text that stands on its own."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Missing(Enum):
    """Marks a value that is not a literal; unlike None it is never a value itself."""

    UNKNOWN = "unknown"


UNKNOWN = Missing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Expression:
    """Python source on one line, its literal value, and the imports its names need.

    Lists and tuples of literals have a tuple as their value.
    """

    text: str
    value: Any = UNKNOWN
    imports: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether the value is known without running anything."""
        return self.value is not UNKNOWN

    @property
    def string(self) -> str | None:
        """The value, where it is a string."""
        return self.value if isinstance(self.value, str) else None

    @property
    def sql(self) -> str | None:
        """The SQL that it is: a string, or what `text(…)` is given; None for other constructs."""
        if self.known or "text(" not in self.text:
            return self.string
        try:
            node = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError):
            return None
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != "text":
            return None
        given = node.args[0] if len(node.args) == 1 else None
        value = given.value if isinstance(given, ast.Constant) else None
        return value if isinstance(value, str) else None

    @property
    def final(self) -> bool:
        """Whether it is `op.f(…)`, a name that naming conventions are not applied to."""
        return ".f(" in self.text and self.string is not None

    @property
    def strings(self) -> tuple[str, ...] | None:
        """The values, where it is a list or tuple of strings."""
        if isinstance(self.value, tuple) and all(isinstance(item, str) for item in self.value):
            return self.value
        return None


def literal(value: Any) -> Expression:
    """Expression of a plain value, written with double quotes as formatters do."""
    if isinstance(value, str) and '"' not in value and "\\" not in repr(value):
        return Expression(f'"{value}"', value)
    return Expression(repr(value), value)
