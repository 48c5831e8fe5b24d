"""Names, values and statements as text in the SQL of MariaDB and MySQL."""

from __future__ import annotations

import re
from typing import Any, Iterator, List

STRING = r"'(?:[^'\\]|''|\\.)*'"
QUOTED = r"`(?:[^`]|``)*`"
_PIECE = re.compile(rf"{STRING}|{QUOTED}|\"(?:[^\"\\]|\"\"|\\.)*\"|[(),]|[^'`\"(),]+", re.DOTALL)
_STATEMENT = re.compile(
    rf"{STRING}|{QUOTED}|\"(?:[^\"\\]|\"\"|\\.)*\"|--[ \t][^\n]*|\#[^\n]*|/\*(?!!).*?\*/|.",
    re.DOTALL,
)
_DELIMITER = re.compile(r"^[ \t]*DELIMITER[ \t]+(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)


def quote(name: str) -> str:
    """A name as it can stand in a statement."""
    return "`{}`".format(name.replace("`", "``"))


def unquote(name: str) -> str:
    """The name that a quoted one means."""
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def literal(value: Any) -> str:
    """A value as it can stand in a statement, whatever the column's type."""
    if value is None:
        return "NULL"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "x'{}'".format(bytes(value).hex())
    return "'{}'".format(str(value).replace("\\", "\\\\").replace("'", "''"))


def unescape(text: str) -> str:
    """What a string literal of a definition means."""
    return re.sub(r"\\(.)", r"\1", text[1:-1].replace("''", "'"), flags=re.DOTALL)


def closing(text: str, start: int) -> int:
    """Where the parenthesis closes that opens at `start`."""
    depth = 0
    for match in _PIECE.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if depth == 0:
            return match.start()
    return len(text)


def split(text: str) -> List[str]:
    """The parts between the commas that stand in no parenthesis."""
    parts, depth, start = [], 0, 0
    for match in _PIECE.finditer(text):
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if match.group() == "," and depth == 0:
            parts.append(text[start : match.start()].strip())
            start = match.end()
    return [*parts, text[start:].strip()]


def statements(script: str) -> List[str]:
    """The statements of a script, also of one that changes the delimiter as the clients do."""
    parts = _DELIMITER.split(script)
    found = list(_divided(parts[0], ";"))
    for delimiter, part in zip(parts[1::2], parts[2::2]):
        found.extend(_divided(part, delimiter))
    return found


def _divided(script: str, delimiter: str) -> Iterator[str]:
    current, at = "", 0
    while at < len(script):
        if script.startswith(delimiter, at):
            piece, at = "", at + len(delimiter)
            if current.strip():
                yield current.strip()
            current = ""
        else:
            match = _STATEMENT.match(script, at)
            assert match is not None
            piece, at = match.group(), match.end()
            current += " " if piece.startswith(("-- ", "#", "/*")) and piece[:3] != "/*!" else piece
    if current.strip():
        yield current.strip()
