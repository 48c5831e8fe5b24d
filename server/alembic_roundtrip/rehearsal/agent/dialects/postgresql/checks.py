"""CHECK constraints as PostgreSQL writes them, said plainly enough to look for hints."""

from __future__ import annotations

import re

# `('a'::character varying)::text`, `(ARRAY['a'::text, 'b'::text])::text[]`
_CAST = re.compile(
    r"::(?:character varying|double precision|(?:timestamp|time)(?:\(\d+\))? with(?:out)? time zone"
    r"|bit varying|\"(?:[^\"]|\"\")+\"|[\w.]+)(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*"
)
_ANY = re.compile(r"= ANY \(+ARRAY\[(.*?)\]\)+", re.DOTALL)
_ALL = re.compile(r"<> ALL \(+ARRAY\[(.*?)\]\)+", re.DOTALL)
_RANGES = (("!~~", "NOT LIKE"), ("~~", "LIKE"))


def plain(definition: str) -> str:
    """The condition without casts, with `IN` and `LIKE` for the operators they become."""
    text = _CAST.sub("", definition)
    text = _ANY.sub(r"IN (\1)", text)
    text = _ALL.sub(r"NOT IN (\1)", text)
    for operator, word in _RANGES:
        text = text.replace(f" {operator} ", f" {word} ")
    return text.removeprefix("CHECK ").strip()
