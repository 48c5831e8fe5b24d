"""Names to literals: what a migration's expressions come to without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from operator import is_
from pathlib import Path
from typing import Any, TypeVar, cast

from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.literals import dotted, value_of
from alembic_roundtrip.migration.models import assigned, table_of
from alembic_roundtrip.migration.records import Record
from alembic_roundtrip.text import Source

_COMPOUND = (list, ast.expr, ast.keyword, ast.comprehension)
_SCALARS = frozenset(
    {"arg", "attr", "conversion", "ctx", "id", "is_async", "kind", "op", "ops", "type_comment"}
)
_LARGEST = 5_000
_REMEMBERED = 5_000
# Tuples: a union is made anew, and asked more slowly, each time.
_PLAIN = (ast.Constant, ast.Starred)
_SEQUENCES = (ast.List, ast.Tuple, ast.Set)
_Node = TypeVar("_Node", bound=ast.AST)
_Memory = dict[tuple[type[ast.expr], str | None], tuple[Expression, frozenset[str]]]
"""Expressions by their text, and the names in them."""


@dataclass
class Scope:
    """Names in reach: what they are bound to, None where that is not an expression to put in.

    `functions` are the helpers a call may be read through; `imports` the statement that brings
    each imported name; `dialects` those that the migration is read for, none where not known;
    `classes` the constants of models and enums that the module defines; `records` the classes
    whose objects keep what they are made with.
    """

    source: Source
    names: dict[str, ast.expr | None] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    dialects: tuple[str, ...] = ()
    file: Path | None = None
    classes: dict[str, dict[str, ast.expr]] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)

    def inner(self, names: Mapping[str, ast.expr | None] | None = None) -> Scope:
        """A scope inside this one: what is bound there stays there."""
        bound = {**self.names, **(names or {})}
        return replace(self, names=bound, functions=dict(self.functions))

    def within(self, node: ast.Call) -> Scope:
        """The scope for the parts of a call as written: where no name is known, they have none."""
        words = (*self.names, *self.functions, *self.classes, *self.records)
        mentioned = self.source.mentions(node.lineno, node.end_lineno or node.lineno, words)
        return self if mentioned and self._binds(node) else self._unbound

    @cached_property
    def _unbound(self) -> Scope:
        return _Unbound(self.source, imports=self.imports, dialects=self.dialects, file=self.file)

    def resolve(self, node: ast.expr) -> ast.expr:
        """The expression with its known names put in; the node itself where there are none."""
        if isinstance(node, _PLAIN) or not self._binds(node):
            return node
        # Names that the expression binds itself, in a comprehension, are its own.
        own = {part.id: None for part in names_in(node) if isinstance(part.ctx, ast.Store)}
        try:
            return _Substitution(self, {**self.names, **own}).put_in(node)
        except (_TooLong, RecursionError):
            return node

    def _binds(self, node: ast.expr) -> bool:
        """Whether anything is known of a name in an expression."""
        return self._knows([part.id for part in names_in(node)])

    def _knows(self, names: Iterable[str]) -> bool:
        """Whether anything is known of one of these names."""
        bound, functions, classes = self.names, self.functions, self.classes
        for name in names:  # a loop: a generator takes twice as long
            if bound.get(name) is not None or name in functions or name in classes:
                return True
            if name in self.records:
                return True
        return False

    def expression(self, node: ast.expr) -> Expression:
        """The expression as a value that stands on its own.

        Migrations say the same few things, `sa.Integer()` or `nullable=False`, again and again:
        what was read once is known by its text.
        """
        text = self._line_text(node)
        memory = self._memory if text is not None else {}
        known = memory.get((type(node), text))
        if known is not None and not self._knows(known[1]):
            return known[0]
        resolved = self.resolve(node)
        if resolved is node and text is not None:
            names = frozenset(part.id for part in names_in(node))
            made = Expression(text, value_of(node), tuple(self._imports(names)))
            if len(memory) >= _REMEMBERED:
                memory.clear()
            memory[type(node), text] = (made, names)
            return made
        text = unparsed(resolved) or ast.get_source_segment(self.source.text, node) or "…"
        names = frozenset(part.id for part in names_in(resolved))
        return Expression(text, value_of(resolved), tuple(self._imports(names)))

    @cached_property
    def _memory(self) -> _Memory:
        return _memory_under(*self.imports.items())

    def _line_text(self, node: ast.expr) -> str | None:
        """As it is written; None where it stands on several lines, or nowhere."""
        if not 0 < node.lineno == node.end_lineno or node.end_col_offset is None:
            return None
        return self.source.bytes_of_line(node.lineno, node.col_offset, node.end_col_offset)

    def _imports(self, names: frozenset[str]) -> list[str]:
        return sorted({self.imports[name] for name in names if name in self.imports})


class _Unbound(Scope):
    """A scope for what has no known name in it."""

    def within(self, node: ast.Call) -> Scope:  # noqa: ARG002 - whatever it is
        return self

    def resolve(self, node: ast.expr) -> ast.expr:
        return node

    def _knows(self, names: Iterable[str]) -> bool:  # noqa: ARG002 - whatever they are
        return False


@lru_cache(maxsize=16)
def _memory_under(*imports: tuple[str, str]) -> _Memory:  # noqa: ARG001 - what names mean
    """What is known under these imports."""
    return {}


def constants_of(node: ast.ClassDef) -> dict[str, ast.expr]:
    """What a class gives its names: those of an enum by `red.value`, as each is an object."""
    suffix = ".value" if any("Enum" in dotted(base) for base in node.bases) else ""
    given = assigned(node.body)
    found = {name + suffix: value for name, value in given if value is not None}
    table = table_of(node)
    return found if table is None else {**found, "__table__": table}


def unparsed(node: ast.AST) -> str:
    """The source of what was put together; empty where there is none.

    Before Python 3.12 some f-strings cannot be written with what was put into them.
    """
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        return ""


def names_in(node: ast.expr) -> list[ast.Name]:
    """The names in an expression; several times faster than `ast.walk`, which reads every field."""
    found: list[ast.Name] = []
    pending: list[ast.AST] = [node]
    while pending:
        part = pending.pop()
        kind = type(part)
        if kind is ast.Constant:
            continue
        if kind is ast.Name:
            found.append(cast("ast.Name", part))
        elif kind is ast.Attribute:
            pending.append(cast("ast.Attribute", part).value)
        elif isinstance(part, ast.Call):
            pending.append(part.func)
            pending += part.args
            pending += [keyword.value for keyword in part.keywords]
        elif isinstance(part, _SEQUENCES):
            pending += part.elts
        elif isinstance(part, ast.BinOp):
            pending += (part.left, part.right)
        elif not isinstance(part, ast.expr_context):
            pending += ast.iter_child_nodes(part)
    return found


class _TooLong(Exception):
    pass


class _Substitution:
    """Puts expressions for names, and for calls of functions that only return one.

    Parts without such names are shared, not copied. No name is put into itself, so it comes to an
    end.
    """

    def __init__(self, scope: Scope, names: Mapping[str, ast.expr | None]) -> None:
        self._scope = scope
        self._names = names
        self._open: set[str] = set()
        self._size = 0

    def put_in(self, node: ast.expr) -> ast.expr:
        self._size += 1
        if self._size > _LARGEST:
            raise _TooLong
        if isinstance(node, ast.Constant):
            return node
        if isinstance(node, ast.Name):
            bound = self._names.get(node.id) if isinstance(node.ctx, ast.Load) else None
            return node if bound is None else self._opened(node.id, node, bound, self._names)
        if isinstance(node, ast.Attribute):
            constant = self._constant(node)
            if constant is not None:
                return self.put_in(constant)
        rebuilt = self._rebuilt(node)
        if isinstance(rebuilt, ast.JoinedStr):
            return _folded(rebuilt)
        if isinstance(rebuilt, ast.Attribute) and isinstance(rebuilt.value, ast.Call):
            return self._kept(rebuilt, rebuilt.value)
        return self._called(rebuilt) if isinstance(rebuilt, ast.Call) else rebuilt

    def _constant(self, node: ast.Attribute) -> ast.expr | None:
        """What `Model.__tablename__` or `Color.red.value` was given in the class."""
        attribute = node.attr
        owner: ast.expr = node.value
        if attribute == "value" and isinstance(owner, ast.Attribute):
            attribute = f"{owner.attr}.value"
            owner = owner.value
        constants = self._scope.classes.get(owner.id) if isinstance(owner, ast.Name) else None
        return constants.get(attribute) if constants else None

    def _kept(self, node: ast.Attribute, made: ast.Call) -> ast.expr:
        """What `View("v", "SELECT 1").name` was given."""
        name = made.func.id if isinstance(made.func, ast.Name) else ""
        record = self._scope.records.get(name)
        kept = record.attributes.get(node.attr) if record is not None else None
        if record is None or kept is None or any(k.arg is None for k in made.keywords):
            return node
        given = arguments_of(record.function, made)
        # An argument that is not given is not known, and neither is what is made of it.
        unknown = {part.id for part in names_in(kept) if given.get(part.id) is None}
        return node if unknown & given.keys() else self._opened(name, node, kept, given)

    def _rebuilt(self, node: _Node) -> _Node:
        """The node itself, or one of its kind where a part is another now."""
        new: dict[str, Any] = {}
        for name in _parts_of(node._fields):
            part = getattr(node, name, None)
            if isinstance(part, _COMPOUND) and part:
                made_part = self._part(part)
                if made_part is not part:
                    new[name] = made_part
        if not new:
            return node
        made = type(node)(**{**{name: getattr(node, name, None) for name in node._fields}, **new})
        if isinstance(made, ast.expr):
            # What is put together stands nowhere in the source.
            made.lineno = made.end_lineno = made.col_offset = made.end_col_offset = 0
        return made

    def _part(self, part: Any) -> Any:
        if isinstance(part, list):
            new = [self._part(item) for item in part]
            return part if all(map(is_, new, part)) else new
        if isinstance(part, ast.expr):
            return self.put_in(part)
        return self._rebuilt(part) if isinstance(part, ast.keyword | ast.comprehension) else part

    def _called(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        function = self._scope.functions.get(name)
        returned = _returned(function) if function is not None else None
        if function is None or returned is None:
            return node
        arguments = {**self._scope.names, **arguments_of(function, node)}
        return self._opened(name, node, returned, arguments)

    def _opened(
        self,
        name: str,
        node: ast.expr,
        replacement: ast.expr,
        names: Mapping[str, ast.expr | None],
    ) -> ast.expr:
        if name in self._open:
            return node
        self._open.add(name)
        outer, self._names = self._names, names
        try:
            return self.put_in(replacement)
        finally:
            self._names = outer
            self._open.discard(name)


@cache
def _parts_of(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a node's fields that can hold expressions."""
    return tuple(name for name in fields if name not in _SCALARS)


def _folded(node: ast.JoinedStr) -> ast.expr:
    """An f-string whose parts are known is one string."""
    value = value_of(node)
    if not isinstance(value, str):
        return node
    return ast.Constant(value, lineno=0, end_lineno=0, col_offset=0, end_col_offset=0)


def _returned(function: ast.FunctionDef) -> ast.expr | None:
    """What a function returns that does nothing else."""
    *before, final = function.body
    quiet = all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in before)
    return final.value if quiet and isinstance(final, ast.Return) else None


def arguments_of(function: ast.FunctionDef, call: ast.Call) -> dict[str, ast.expr | None]:
    """What a call binds a function's parameters to; None where it cannot be told."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    bound: dict[str, ast.expr | None] = dict.fromkeys(names)
    defaults = function.args.defaults
    if defaults:
        bound |= dict(zip(names[-len(defaults) :], defaults, strict=True))
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        bound[argument.arg] = default
    bound |= dict(zip(names, call.args, strict=False))
    given = {k.arg: k.value for k in call.keywords if k.arg in bound}
    return bound | given | _others(function, call, names, bound)


def _others(
    function: ast.FunctionDef, call: ast.Call, names: list[str], bound: Mapping[str, object]
) -> dict[str, ast.expr | None]:
    """What `*args` and `**kwargs` of a function get, where the call says all of it."""
    others: dict[str, ast.expr | None] = {}
    said = {"lineno": 0, "end_lineno": 0, "col_offset": 0, "end_col_offset": 0}
    if function.args.vararg is not None:
        starred = any(isinstance(argument, ast.Starred) for argument in call.args)
        rest = None if starred else ast.Tuple(call.args[len(names) :], ast.Load(), **said)
        others[function.args.vararg.arg] = rest
    if function.args.kwarg is not None:
        left = [(k.arg, k.value) for k in call.keywords if k.arg not in bound]
        keys = [ast.Constant(name, None, **said) for name, _ in left if name]
        known = len(keys) == len(left)
        rows = ast.Dict(list(keys), [value for _, value in left], **said) if known else None
        others[function.args.kwarg.arg] = rows
    return others
