"""The modules of a project that env.py may import, parsed and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_HIGHEST = 12
"""Folders above env.py that are looked into."""


@dataclass
class Modules:
    """Modules of the project by their names, parsed when they are asked for."""

    env_py: Path | None
    folder: Path

    def __post_init__(self) -> None:
        self.parsed: dict[Path, Module | None] = {}

    @cached_property
    def roots(self) -> list[Path]:
        """Where a module may be imported from."""
        above: list[Path] = []
        for parent in self.env_py.parents if self.env_py else ():
            above.append(parent)
            if parent == self.folder or (parent / ".git").exists():
                break
            if parent == Path.home() or len(above) >= _HIGHEST:
                break
        found = [self.folder, *above]
        return [*dict.fromkeys([*found, *(root / "src" for root in found)])]

    @cached_property
    def top(self) -> Path:
        """The project's folder, or the outermost package of an env.py that lies elsewhere."""
        above = self.env_py.parents if self.env_py else ()
        if not above or self.folder in above:
            return self.folder
        packages = [parent for parent in above if (parent / "__init__.py").is_file()]
        return packages[-1] if packages else above[0]

    def module(self, path: Path) -> Module | None:
        """A file, parsed; None where it is not there or does not parse."""
        if path not in self.parsed:
            self.parsed[path] = self._parse(path)
        return self.parsed[path]

    def _parse(self, path: Path) -> Module | None:
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):
            return None
        return Module(path, tree, self)

    def named(self, name: str) -> Module | None:
        """The module of a dotted name."""
        relative = Path(*name.split("."))
        for root in self.roots:
            for path in (root / relative / "__init__.py", root / f"{relative}.py"):
                if path.is_file():
                    return self.module(path)
        return None


@dataclass
class Module:
    """A module of the project, by its syntax tree."""

    path: Path
    tree: ast.Module
    modules: Modules

    @cached_property
    def bound(self) -> dict[str, ast.AST]:
        """What its names are bound to last, at the top or in functions: a value or statement."""
        found: dict[str, ast.AST] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found[target.id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found |= {node.target.id: node.value} if node.value else {}
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name] = node
            elif isinstance(node, ast.ImportFrom | ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.partition(".")[0]] = node
        return found

    def targets(self) -> Iterator[ast.expr]:
        """What is given to Alembic as `target_metadata`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.keyword) and node.arg == "target_metadata":
                yield node.value

    def assigned(self) -> Iterator[ast.expr]:
        """Conventions that are assigned: `….metadata.naming_convention = …`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Attribute) and target.attr == "naming_convention"
                for target in node.targets
            ):
                yield node.value

    def imported(self, node: ast.Import | ast.ImportFrom, name: str) -> tuple[str, str]:
        """The module, and the name in it (empty for the module itself), behind a name."""
        if isinstance(node, ast.Import):
            alias = next(a for a in node.names if (a.asname or a.name.partition(".")[0]) == name)
            return (alias.name if alias.asname else name), ""
        alias = next(a for a in node.names if (a.asname or a.name) == name)
        return self._absolute(node), alias.name

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.path.parent
        for _ in range(node.level - 1):
            package = package.parent
        for root in self.modules.roots:
            if root in package.parents:
                parts = [*package.relative_to(root).parts, *(node.module or "").split(".")]
                return ".".join(part for part in parts if part)
        return node.module or ""
