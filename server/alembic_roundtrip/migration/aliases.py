"""Other names for `op`: what they name is read as if it were written `op.…`."""

from __future__ import annotations

import ast
import re

_SUSPECT = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (r"op\s+as\s", r"alembic\s*\.\s*op\b", r"=\s*op\s*(?:\.\s*\w+\s*)?$")
)
"""Each begins with what is looked for fast; as one pattern they take as long as parsing."""


def with_op(tree: ast.Module, text: str) -> ast.Module:
    """The module with `op` for what it is imported or assigned as; positions stay."""
    if not any(suspect.search(text) for suspect in _SUSPECT):
        return tree
    found = _Aliases()
    try:
        found.visit(tree)
        named = {name: path for name, path in found.paths.items() if name not in found.taken}
        return _Renamed(named).visit(tree) if named else tree
    except RecursionError:  # nested beyond any use
        return tree


class _Aliases(ast.NodeVisitor):
    """Names that stand for `op` or one of its operations, and those that stand for more."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}
        self.taken: set[str] = set()

    def _bind(self, name: str, path: str) -> None:
        if self.paths.setdefault(name, path) != path:
            self.taken.add(name)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name == "alembic.op" and alias.asname:
                self._bind(alias.asname, "op")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if node.module == "alembic" and alias.name == "op" and alias.asname:
                self._bind(alias.asname, "op")
            elif node.module == "alembic.op" and alias.name != "*":
                self._bind(alias.asname or alias.name, f"op.{alias.name}")

    def visit_Assign(self, node: ast.Assign) -> None:
        path = _path(node.value)
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if not path or len(names) < len(node.targets):
            self.generic_visit(node)
            return
        for name in names:
            self._bind(name, path)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.taken.add(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.taken.add(node.name)
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self.taken.add(node.arg)


def _path(node: ast.expr) -> str:
    """`op` or `op.name`, where an expression is that and no more."""
    if isinstance(node, ast.Name):
        return "op" if node.id == "op" else ""
    inner = _path(node.value) if isinstance(node, ast.Attribute) else ""
    return f"op.{node.attr}" if isinstance(node, ast.Attribute) and inner == "op" else ""


class _Renamed(ast.NodeTransformer):
    def __init__(self, paths: dict[str, str]) -> None:
        self._paths = paths

    def visit_Name(self, node: ast.Name) -> ast.expr:
        path = self._paths.get(node.id)
        if path is None or not isinstance(node.ctx, ast.Load):
            return node
        root, _, name = path.partition(".")
        op = ast.copy_location(ast.Name(root, ast.Load()), node)
        return ast.copy_location(ast.Attribute(op, name, ast.Load()), node) if name else op
