"""Text in, `Migration` out; never fails and never runs anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from alembic_roundtrip.migration.callables import as_function, called_on, synchronous
from alembic_roundtrip.migration.directions import read_direction
from alembic_roundtrip.migration.evaluation import Scope, constants_of
from alembic_roundtrip.migration.expression import UNKNOWN
from alembic_roundtrip.migration.iteration import bindings
from alembic_roundtrip.migration.literals import dotted, value_of
from alembic_roundtrip.migration.model import (
    Direction,
    Identifier,
    Import,
    Migration,
    Problem,
    Use,
)
from alembic_roundtrip.migration.parts import Engines, read_parts
from alembic_roundtrip.migration.records import (
    Record,
    changed_attributes,
    entity_record,
    named_tuple,
    record_of,
)
from alembic_roundtrip.migration.syntax import Syntax, docstring_of, parse, range_of
from alembic_roundtrip.text import Position, Range, Source

_ONE_DATABASE: Engines = MappingProxyType({})
_INDENTED_IMPORT = re.compile(r"^[ \t]+(?:from|import)[ \t]", re.MULTILINE)
_IDENTIFIERS = frozenset({"revision", "down_revision", "depends_on", "branch_labels"})


def read(
    text: str, path: Path, dialects: tuple[str, ...] = (), engines: Engines = _ONE_DATABASE
) -> Migration:
    """Read a migration script; what could not be read is in its `problems`.

    SQL in it is read as that of the dialects, which are SQLAlchemy's names; none: of any. Of
    `engines`, what each does is read for its own.
    """
    source = Source(text)
    syntax = parse(source)
    module = _Module(source, syntax, Scope(source, dialects=dialects, file=path))
    found = module.identifiers
    return Migration(
        path=path,
        source=source,
        text=text,
        revision=found.get("revision"),
        down_revision=found.get("down_revision"),
        depends_on=found.get("depends_on"),
        branch_labels=found.get("branch_labels"),
        docstring=docstring_of(source, syntax.tree),
        upgrade=module.direction("upgrade"),
        downgrade=module.direction("downgrade"),
        imported_downgrade=module.binds("downgrade"),
        problems=_problems(syntax),
        imports=tuple(module.imports),
        imported=(*module.imported, *module.imports_inside()),
        module_uses=tuple(module.uses),
        parts=read_parts(syntax, module.scope, engines),
    )


def unreadable(path: Path, message: str) -> Migration:
    """A migration whose bytes or file could not be read."""
    place = Range(Position(1, 1), Position(1, 1))
    return Migration(path, Source(""), "", problems=(Problem(message, place),))


def _problems(syntax: Syntax) -> tuple[Problem, ...]:
    if syntax.error is None or syntax.place is None:
        return ()
    return (Problem(f"the file does not parse: {syntax.error}", syntax.place),)


def _written(statement: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> str:
    """An import of these names; many times faster than `ast.unparse`."""
    listed = ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in names)
    if isinstance(statement, ast.Import):
        return f"import {listed}"
    return f"from {'.' * statement.level}{statement.module or ''} import {listed}"


def _never_runs(test: ast.expr) -> bool:
    """Whether a condition holds for type checkers only."""
    return dotted(test).rpartition(".")[2] == "TYPE_CHECKING"


class _Module:
    """The names of a migration's module, gathered in one pass over its statements."""

    def __init__(self, source: Source, syntax: Syntax, scope: Scope) -> None:
        self.source = source
        self.syntax = syntax
        self.scope = scope
        self.identifiers: dict[str, Identifier] = {}
        self.imports: list[str] = []
        self.imported: list[Import] = []
        self.uses: list[Use] = []
        for statement in syntax.tree.body:
            self._read(statement)

    def _read(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            self.scope.functions[statement.name] = synchronous(statement)
            self._record(statement.name, None)
        elif isinstance(statement, ast.ClassDef):
            self.scope.classes[statement.name] = constants_of(statement)
            self.scope.functions |= {each.name: each for each in called_on(statement)}
            self._record(statement.name, record_of(statement, self.scope.records))
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            self._import(statement)
        elif isinstance(statement, ast.Expr):
            self._use(statement.value)
        elif isinstance(statement, ast.Assign):
            self._use(statement.value)
            for target in statement.targets:
                self._assign(target, statement.value)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._use(statement.value)
            self._assign(statement.target, statement.value)
        elif isinstance(statement, ast.If) and _never_runs(statement.test):
            for inner in statement.body:
                self._import_name(inner)
        elif isinstance(statement, ast.If | ast.Try):
            for inner in statement.body:
                self._read(inner)

    def _use(self, node: ast.expr) -> None:
        name = dotted(node.func) if isinstance(node, ast.Call) else ""
        if name.startswith("op.") and name != "op.f":
            self.uses.append(Use(name, range_of(self.source, node)))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name) and target.id in _IDENTIFIERS:
            self.identifiers[target.id] = self._identifier(value)
        function = as_function(target.id, value) if isinstance(target, ast.Name) else None
        if function is not None:
            self.scope.functions[function.name] = function
        made = named_tuple(value) if isinstance(target, ast.Name) else None
        if made is None:
            self.scope.names |= bindings(target, self.scope.resolve(value))
        if isinstance(target, ast.Name):
            self._record(target.id, made)

    def _record(self, name: str, record: Record | None) -> None:
        """What a name stands for from here on: the objects of a class, or anything else."""
        self.scope.records.pop(name, None)
        if record is None or self._changed is None:
            return
        kept = {key: v for key, v in record.attributes.items() if key not in self._changed}
        self.scope.records[name] = Record(record.function, kept)

    @cached_property
    def _changed(self) -> frozenset[str] | None:
        return changed_attributes(self.syntax.tree)

    def _identifier(self, node: ast.expr) -> Identifier:
        value = value_of(self.scope.resolve(node))
        place = range_of(self.source, node)
        if value is None:
            return Identifier((), place)
        if isinstance(value, str):
            return Identifier((value,), place)
        if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
            return Identifier(value, place)
        return Identifier((), place, literal=value is not UNKNOWN)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        self.imports.append(_written(statement, statement.names))
        self.imported += self._imports_of(statement)
        self._import_name(statement)

    def _imports_of(self, statement: ast.Import | ast.ImportFrom) -> Iterator[Import]:
        place = range_of(self.source, statement)
        if isinstance(statement, ast.Import):
            yield from (Import(alias.name, (), place) for alias in statement.names)
        else:
            module = "." * statement.level + (statement.module or "")
            yield Import(module, tuple(alias.name for alias in statement.names), place)

    def imports_inside(self) -> Iterator[Import]:
        """What functions import when they run."""
        if not _INDENTED_IMPORT.search(self.source.text):
            return
        for statement in self.syntax.tree.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for node in ast.walk(statement):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        yield from self._imports_of(node)

    def _import_name(self, statement: ast.stmt) -> None:
        """Note what an import's names stand for."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                name = alias.asname or alias.name.partition(".")[0]
                self.scope.imports[name] = _written(statement, [alias])
                module = statement.module if isinstance(statement, ast.ImportFrom) else None
                self._record(name, entity_record(module or "", alias.name))

    def binds(self, name: str) -> bool:
        """Whether a function of that name comes from an import or assignment."""
        return name in self.scope.names or name in self.scope.imports

    def direction(self, name: str) -> Direction | None:
        """The function of that name, read."""
        node = self.scope.functions.get(name)
        if node is None:
            return None
        return read_direction(node, self.scope, self.syntax.blanked)
