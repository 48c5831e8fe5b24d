"""The naming convention of a project's metadata, as far as it is a literal in its own files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from alembic_roundtrip.project.modules import Module, Modules

_NONE: Mapping[str, str] = {}
"""SQLAlchemy's own convention."""
_CLASSES = {
    "Index": "ix",
    "UniqueConstraint": "uq",
    "CheckConstraint": "ck",
    "ForeignKeyConstraint": "fk",
    "PrimaryKeyConstraint": "pk",
}
_PLAIN = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta", "SQLModel", "MappedAsDataclass"})
"""Classes whose metadata has no convention of its own."""
_MAKERS = frozenset({"declarative_base", "automap_base", "generate_base", "SQLAlchemy"})
_DEEPEST = 12
_ELSEWHERE = frozenset({"site-packages", "node_modules", "tests", "test", "docs", "versions"})
_FLASK = re.compile(r"SQLAlchemy\(|class (\w+)\(SQLAlchemy\)")
_MOST = 1_000  # files looked through for Flask-SQLAlchemy's extension


def naming_convention(env_py: Path | None, folder: Path) -> Mapping[str, str] | None:
    """The templates for names of constraints; None where reading cannot tell.

    An empty one stands for SQLAlchemy's own. `folder` is where the project's modules are looked
    for, besides the folders above env.py.
    """
    module = Modules(env_py, folder).module(env_py) if env_py else None
    if module is None:
        return None
    targets = list(module.targets())
    found = [_Search(module.modules).convention(module, target) for target in targets]
    if not found:
        return _NONE
    return found[0] if all(each == found[0] for each in found) else None


class _UnknownError(Exception):
    pass


@dataclass
class _Search:
    """Follows names through the project's modules to the MetaData."""

    modules: Modules
    depth: int = 0

    def convention(self, module: Module, node: ast.AST) -> Mapping[str, str] | None:
        try:
            return self.metadata(module, node)
        except _UnknownError:
            return None

    def metadata(self, module: Module, node: ast.AST) -> Mapping[str, str]:
        """The convention of the metadata that an expression gives."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _UnknownError
        if isinstance(node, ast.Constant | ast.List | ast.Tuple):
            # Alembic asks a list of several for no convention.
            return _NONE
        if isinstance(node, ast.Call):
            return self._called(module, node)
        if isinstance(node, ast.Attribute):
            return self._attribute(module, node)
        if isinstance(node, ast.Subscript):
            return self.metadata(module, node.value)
        if isinstance(node, ast.Name):
            return self.metadata(*self._followed(module, node.id))
        if isinstance(node, ast.ClassDef):
            return self._class(module, node)
        raise _UnknownError

    def _called(self, module: Module, node: ast.Call) -> Mapping[str, str]:
        name = _last(node.func)
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if name == "MetaData":
            return self._literal(module, given.get("naming_convention"))
        if name in _MAKERS:
            made = given.get("metadata")
            if made is not None:
                return self.metadata(module, made)
            model = given.get("model_class", given.get("cls"))
            return self._assigned(module) if model is None else self._model(module, model)
        if isinstance(node.func, ast.Name):
            found, function = self._followed(module, node.func.id)
            if isinstance(function, ast.FunctionDef):
                returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return)]
                return self._same(found, [value for value in returned if value is not None])
        raise _UnknownError

    def _model(self, module: Module, model: ast.expr) -> Mapping[str, str]:
        try:
            return self.metadata(module, model)
        except _UnknownError:
            return self._assigned(module)

    def _same(self, module: Module, values: list[ast.expr]) -> Mapping[str, str]:
        found = [self.metadata(module, value) for value in values]
        if not found or any(each != found[0] for each in found):
            raise _UnknownError
        return found[0]

    def _attribute(self, module: Module, node: ast.Attribute) -> Mapping[str, str]:
        text = ast.unparse(node)
        if "extensions[" in text or ".get_engine" in text:
            return self._flask()
        owner = node.value
        if isinstance(owner, ast.Name):
            try:
                found, value = self._followed(module, owner.id)
            except _UnknownError:
                if owner.id in _PLAIN:
                    return self._assigned(module)
                raise
            if isinstance(value, ast.Module):
                return self.metadata(*self._followed(found, node.attr))
            return self._of_owner(module, found, value)
        if isinstance(owner, ast.Attribute):
            found, value = self._path(module, owner)
            return self._of_owner(module, found, value)
        if isinstance(owner, ast.Subscript | ast.Call):
            return self.metadata(module, owner)
        raise _UnknownError

    def _of_owner(self, module: Module, found: Module, value: ast.AST) -> Mapping[str, str]:
        if isinstance(value, ast.Attribute) and "extensions[" in ast.unparse(value):
            return self._flask()
        here = self._assigned(module, otherwise=None)
        return here if here is not None else self.metadata(found, value)

    def _path(self, module: Module, node: ast.Attribute) -> tuple[Module, ast.AST]:
        """What a dotted path leads to."""
        if isinstance(node.value, ast.Name):
            found, value = self._followed(module, node.value.id)
        elif isinstance(node.value, ast.Attribute):
            found, value = self._path(module, node.value)
        else:
            raise _UnknownError
        if not isinstance(value, ast.Module):
            # An attribute of an object: `db.Model` has the metadata of `db`.
            return found, value
        if node.attr in found.bound:
            return self._followed(found, node.attr)
        return self._module(ast.unparse(node))

    def _class(self, module: Module, node: ast.ClassDef) -> Mapping[str, str]:
        for statement in node.body:
            targets: list[ast.expr] = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                targets = [statement.target]
            else:
                continue
            if any(isinstance(t, ast.Name) and t.id == "metadata" for t in targets):
                assert statement.value is not None
                return self.metadata(module, statement.value)
        for base in node.bases:
            plain = _last(base.value if isinstance(base, ast.Subscript) else base)
            if plain in _PLAIN:
                return self._assigned(module)
        for base in node.bases:
            try:
                return self.metadata(module, base)
            except _UnknownError:
                continue
        if any(_last(d) in {"as_declarative", "declarative_base"} for d in node.decorator_list):
            return self._assigned(module)
        raise _UnknownError

    def _assigned(
        self, module: Module, otherwise: Mapping[str, str] | None = _NONE
    ) -> Mapping[str, str]:
        """The convention that is set afterwards in a module, else no special one."""
        values = list(module.assigned())
        if not values:
            return otherwise  # type: ignore[return-value]
        return self._literal(module, values[-1])

    def _flask(self) -> Mapping[str, str]:
        """The convention of Flask-SQLAlchemy's extension, where the project makes just one."""
        texts = {path: _text(path) for path in self._python_files()}
        matches = {path: _FLASK.findall(text) for path, text in texts.items()}
        names = {"SQLAlchemy"}.union(*matches.values()) - {""}
        found: list[Mapping[str, str]] = []
        for path, text in texts.items():
            if not any(f"{name}(" in text for name in names):
                continue
            module = self.modules.module(path)
            if module is not None:
                found += self._extensions(module, names)
        if not found or any(each != found[0] for each in found):
            raise _UnknownError
        return found[0]

    def _extensions(self, module: Module, names: set[str]) -> Iterator[Mapping[str, str]]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _last(node.func) in names:
                yield self._extension(module, node)

    def _extension(self, module: Module, node: ast.Call) -> Mapping[str, str]:
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if "metadata" in given:
            return self.metadata(module, given["metadata"])
        return self._assigned(module)

    def _python_files(self) -> Iterator[Path]:
        left = _MOST
        for path in sorted(self.modules.top.rglob("*.py")):
            relative = path.relative_to(self.modules.top).parts
            if _ELSEWHERE & {*relative} or any(part.startswith(".") for part in relative):
                continue
            left -= 1
            if left < 0:
                raise _UnknownError
            yield path

    def _literal(self, module: Module, node: ast.expr | None) -> Mapping[str, str]:
        if node is None or (isinstance(node, ast.Constant) and node.value is None):
            return _NONE
        found: ast.AST = node
        if isinstance(node, ast.Name):
            module, found = self._followed(module, node.id)
        elif isinstance(node, ast.Attribute):
            module, found = self._path(module, node)
        if isinstance(found, ast.Call) and _last(found.func) in {"immutabledict", "dict"}:
            found = found.args[0] if found.args else found
            if isinstance(found, ast.Call):
                pairs = {k.arg: k.value for k in found.keywords if k.arg}
                return self._templates(module, pairs)
        if not isinstance(found, ast.Dict):
            raise _UnknownError
        named: dict[str, ast.expr] = {}
        for key, value in zip(found.keys, found.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                named[key.value] = value
            elif isinstance(key, ast.Name | ast.Attribute) and _last(key) in _CLASSES:
                named[_CLASSES[_last(key)]] = value
            else:
                raise _UnknownError
        return self._templates(module, named)

    def _templates(self, module: Module, named: Mapping[str, ast.expr]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for key, value in named.items():
            text: ast.AST = value
            if isinstance(text, ast.Name):
                _, text = self._followed(module, text.id)
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[key] = text.value
            elif key in _CLASSES.values():
                raise _UnknownError
        return found

    def _followed(self, module: Module, name: str) -> tuple[Module, ast.AST]:
        """What a name is bound to, in the module that binds it."""
        for _ in range(_DEEPEST):
            node = module.bound.get(name)
            if node is None:
                break
            if isinstance(node, ast.Name):
                name = node.id
                continue
            if not isinstance(node, ast.Import | ast.ImportFrom):
                return module, node
            package, member = module.imported(node, name)
            if not member:
                return self._module(package)
            importer = module
            try:
                module, _ = self._module(package)
            except _UnknownError:
                if member in _PLAIN:
                    return module, ast.ClassDef(member, [ast.Name(member)], [], [], [])
                raise
            if member not in module.bound or module is importer:
                return self._module(f"{package}.{member}")
            name = member
        raise _UnknownError

    def _module(self, name: str) -> tuple[Module, ast.AST]:
        found = self.modules.named(name)
        if found is None:
            raise _UnknownError
        return found, found.tree


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # gone since it was listed: it makes nothing
        return ""


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
