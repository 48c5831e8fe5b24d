"""Extensions of a PostgreSQL server: those that it has, and those that migrations create."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_IN_SQL = re.compile(
    r"\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w[\w-]*)", re.IGNORECASE
)
_ENTITY = "PGExtension"
_MENTIONED = re.compile(rb"CREATE\s+EXTENSION|PGExtension", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extensions:
    """What a server can add to a database, and what of that is asked for."""

    available: Mapping[str, str]
    """The version that each would be created in."""
    created: tuple[str, ...]
    """Those that migrations create, whichever of them are rehearsed."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Those that migrations create and the server has not."""
        return tuple(name for name in self.created if name not in self.available)


def created_by(scripts: Iterable[bytes]) -> tuple[str, ...]:
    """The names of extensions that scripts create, as far as they are written out."""
    return tuple(sorted({name for text in scripts for name in _created(text)}))


def _created(text: bytes) -> Iterator[str]:
    if not _MENTIONED.search(text):
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    told = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
            yield from _IN_SQL.findall(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == _ENTITY:
            arguments = {each.arg: each.value for each in node.keywords}
            name = arguments.get("signature", node.args[1] if len(node.args) > 1 else None)
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value
