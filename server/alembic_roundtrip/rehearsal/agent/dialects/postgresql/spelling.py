"""One spelling of what the server writes in several ways.

What `x IN ('a', 'b')` becomes is written otherwise once it was read again from the server's own
words: a cast of the whole array has become one of each element. A column that was `varchar`, then
`text` and `varchar` again leaves casts of each to the other around what it is compared with.
"""

from __future__ import annotations

import re

_PUBLIC = re.compile(r"\bpublic\.(?=[\w\"])")
_TYPE = r"(?:[a-z][a-z ]*[a-z0-9]|\"char\")(?:\(\d+\))?"
_ELEMENT = re.compile(rf"'(?:[^']|'')*'::{_TYPE}")
_ARRAY = re.compile(rf"\(ARRAY\[((?:{_ELEMENT.pattern}(?:, )?)+)\]\)::({_TYPE})\[\]")
_RECAST = re.compile(
    r"\(('(?:[^']|'')*')::(?:text|character varying)\)::(text|character varying)(?![\w(\[])"
)


def one(text: str) -> str:
    """A definition without the schema that everybody means, and with casts at the elements."""
    if "public." in text:
        text = _PUBLIC.sub("", text)
    if "(ARRAY[" in text:
        text = _ARRAY.sub(_each_cast, text)
    found = text.count(")::")
    while found:
        text, found = _RECAST.subn(r"\1::\2", text)
    return text


def _each_cast(array: re.Match[str]) -> str:
    elements, kind = array.groups()
    return f"ARRAY[{', '.join(f'({each})::{kind}' for each in _ELEMENT.findall(elements))}]"
