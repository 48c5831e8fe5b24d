"""The words that the code of a function has, with that of whatever it names in its file."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterator

from alembic_roundtrip.migration.syntax import parse
from alembic_roundtrip.text import Source

_WORD = re.compile(r"\w+")
_SILENT = (ast.Import, ast.ImportFrom)


def words_of(
    source: Source, function: str, *, apart: Collection[str] = (), calls: Collection[str] = ()
) -> frozenset[str] | None:
    """Names that a function has, and words of its texts; None if not all of it can be read.

    Texts that are the same as one of those `apart`, and calls of methods named in `calls`, do not
    count. What no name stands for runs whenever the script is loaded.
    """
    syntax = parse(source)
    bound: dict[str, list[ast.stmt]] = defaultdict(list)
    left: list[ast.stmt] = []
    for node in syntax.tree.body:
        names = [*_names(node)]
        for name in names:
            bound[name].append(node)
        if not names and not isinstance(node, _SILENT) and not _is_text(node):
            left.append(node)
    if syntax.error is not None or function not in bound:
        return None
    words: set[str] = set()
    left += bound.pop(function)
    while left:
        for word in _said(left.pop(), apart, calls):
            words.add(word)
            left += bound.pop(word, ())
    return frozenset(words)


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (n.id for each in targets for n in ast.walk(each) if isinstance(n, ast.Name))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _said(node: ast.AST, apart: Collection[str], calls: Collection[str]) -> Iterator[str]:
    method = node.func if isinstance(node, ast.Call) else None
    if isinstance(method, ast.Attribute) and method.attr in calls:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from () if node.value in apart else _WORD.findall(node.value)
    for name in ("id", "attr", "arg", "name"):
        word = getattr(node, name, None)
        if isinstance(word, str):
            yield word
    for child in ast.iter_child_nodes(node):
        yield from _said(child, apart, calls)
