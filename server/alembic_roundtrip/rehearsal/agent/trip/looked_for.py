"""Which texts a script's own code looks for in what it has read: no row without one is touched."""

from __future__ import annotations

import ast
from typing import Any, Iterator, List, Optional

_MOST = 12
_LONGEST = 60
_PARTS = {"get", "pop", "setdefault"}
_INSIDE = {"replace", "split", "rsplit", "partition", "rpartition", "find", "index", "count"}
_ENDS = {"startswith": "{}b", "removeprefix": "{}b", "endswith": "a{}", "removesuffix": "a{}"}
_COMPARING = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


def texts(path: str) -> List[str]:
    """Those that an upgrade, or what it may call, compares with or looks up."""
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return []
    found: List[str] = []
    for part in tree.body:
        if not getattr(part, "name", "").startswith("downgrade"):
            found += [text for node in ast.walk(part) for text in _in(node)]
    return [text for text in dict.fromkeys(found) if text and len(text) <= _LONGEST][:_MOST]


def _in(node: Any) -> Iterator[str]:
    if isinstance(node, ast.Compare):
        if all(isinstance(each, _COMPARING) for each in node.ops):
            for side in (node.left, *node.comparators):
                yield from _listed(side)
    elif isinstance(node, ast.Subscript):
        yield from _listed(node.slice)
    elif isinstance(node, ast.Dict):
        if all(_text(each) is not None for each in (*node.keys, *node.values)):
            yield from filter(None, map(_text, node.keys))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        yield from _argument(node.func.attr, node.args[0])


def _argument(method: str, given: Any) -> Iterator[str]:
    text = _text(given)
    if text is None:
        return
    if method in _PARTS:
        yield text
    elif method in _INSIDE:
        yield f"a{text}b"
    elif method in _ENDS:
        yield _ENDS[method].format(text)


def _listed(node: Any) -> Iterator[str]:
    elements = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    for element in elements:
        text = _text(element)
        if text is not None:
            yield text


def _text(node: Optional[Any]) -> Optional[str]:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
