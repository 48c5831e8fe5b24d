"""Statements followed to the operations they perform."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from alembic_roundtrip.migration.callables import as_function, synchronous
from alembic_roundtrip.migration.calls import (
    LIBRARIES,
    calls_in,
    created_enum,
    forget_changed,
    hands_on,
    is_harmless,
    is_of_library,
    looks_first,
    mutates,
)
from alembic_roundtrip.migration.changes import Change, CreateEnum, DropEnum, Unknown
from alembic_roundtrip.migration.conditions import (
    alternatives,
    asks_rows,
    chosen,
    guards_of,
    outcome,
)
from alembic_roundtrip.migration.constructs import element
from alembic_roundtrip.migration.definitions import Definitions, last
from alembic_roundtrip.migration.engines import dispatched
from alembic_roundtrip.migration.evaluation import (
    Scope,
    arguments_of,
    constants_of,
    unparsed,
)
from alembic_roundtrip.migration.exceptions import suppresses, swallows
from alembic_roundtrip.migration.files import with_texts
from alembic_roundtrip.migration.iteration import as_condition, as_loop, bindings, iterations
from alembic_roundtrip.migration.literals import dotted, value_of
from alembic_roundtrip.migration.model import (
    Batch,
    Guard,
    GuardKind,
    Operation,
    Use,
)
from alembic_roundtrip.migration.objects import Name, Options
from alembic_roundtrip.migration.operations import (
    QUIET,
    SIGNATURES,
    call_of,
    changes_of_call,
    executed,
    said_sql,
)
from alembic_roundtrip.migration.reach import Place
from alembic_roundtrip.migration.sessions import WRITERS, Sessions
from alembic_roundtrip.migration.syntax import range_of
from alembic_roundtrip.migration.uses import reaches_outside
from alembic_roundtrip.text import Range

_DEPTH = 8
_EXECUTES = frozenset({"execute", "execute_sql", "exec_driver_sql", "scalar", "scalars"})
_REMADE = frozenset({"copy_from", "table_args", "table_kwargs"})
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_QUIET = (ast.Pass, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom)
_LEAVING = (ast.Raise, ast.Return, ast.Continue, ast.Break)


@dataclass
class Reader:
    """Collects operations; `effects` says whether a statement did anything but be quiet."""

    module: Scope
    engine: str | None = None
    """The only one of several databases that it is read for."""
    operations: list[Operation] = field(default_factory=list)
    effects: bool = False
    following: list[str] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    swallowed: list[Range] = field(default_factory=list)
    left: type[ast.stmt] | None = None
    """The last statement that nothing after it followed."""
    _bound: dict[ast.stmt, frozenset[str]] = field(default_factory=dict)

    def block(self, body: Iterable[ast.stmt], place: Place) -> Place | None:
        """Read statements in order; gives the place after them, None where none is reached."""
        for statement in body:
            after = self._statement(statement, place)
            if after is None:
                return None
            place = after
        return place

    def _statement(self, node: ast.stmt, place: Place) -> Place | None:
        if isinstance(node, ast.Expr):
            self._standing_alone(node, place)
        elif isinstance(node, _ASSIGNMENTS):
            self._assignment(node, place)
        elif isinstance(node, ast.With | ast.AsyncWith):
            return place if self._with_block(node, place) is not None else None
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            self._loop(node, place)
        elif isinstance(node, ast.If):
            return self._condition(node, place)
        elif isinstance(node, ast.Try):
            self._attempt(node, place)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            place.scope.functions[node.name] = synchronous(node)
        elif isinstance(node, ast.ClassDef):
            place.scope.classes = {**place.scope.classes, node.name: constants_of(node)}
            self._unread(node, place)
        elif isinstance(node, _LEAVING):
            self._leave(node, place)
            return None
        elif isinstance(node, ast.Match):
            self._expression(node.subject, node, place, top=False)
            return self.block(alternatives(node), place)
        elif isinstance(node, ast.Assert):
            self._expression(node.test, node, place)
        elif not isinstance(node, _QUIET):
            self._unread(node, place)
        return place

    def _standing_alone(self, node: ast.Expr, place: Place) -> None:
        """An expression that is a statement."""
        looped = as_loop(node.value)
        if looped is not None:
            self._loop(looped, place)
        elif (asked := as_condition(node)) is not None:
            self._condition(asked, place)
        else:
            self._expression(node.value, node, place)

    def _leave(self, node: ast.stmt, place: Place) -> None:
        """A statement that nothing after it follows."""
        self.left = type(node)
        if isinstance(node, ast.Raise):
            self.effects = self.effects or bool(place.guards)
        elif isinstance(node, ast.Return) and node.value is not None:
            self._expression(node.value, node, place)

    def _unread(self, node: ast.stmt, place: Place) -> None:
        """A statement that is not followed: what names `op` in it may do anything."""
        self.effects = True
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == "op"]
        if names:
            why = "such a statement is not read"
            self._add("unread", names[0], node, place, (Unknown(),), opaque=why)

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, place: Place) -> None:
        if node.value is None:
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        functions = [made for name in names if (made := as_function(name, node.value))]
        if functions:
            place.scope.functions |= {made.name: made for made in functions}
            return
        # A call for its value is taken for one without effect, unless it is given a connection.
        self._expression(node.value, node, place, top=hands_on(node.value))
        for target in targets:
            value = None if isinstance(node, ast.AugAssign) else place.scope.resolve(node.value)
            if self._row_changed(target, value, node, place):
                continue
            forget_changed(target, place.scope)
            place.scope.names.update(bindings(target, value))

    def _row_changed(
        self, target: ast.expr, value: ast.expr | None, statement: ast.stmt, place: Place
    ) -> bool:
        """Whether a target is an attribute of a row, which a session writes in the end."""
        written = _sessions(place.scope).assigned(target, value)
        if written:
            self._add("execute", target, statement, place, written)
        elif isinstance(target, ast.Attribute):
            self.effects = True  # it may be a row's whose model is not read
        return bool(written)

    def _with_block(self, node: ast.With | ast.AsyncWith, place: Place) -> Place | None:
        outer, before = place, len(self.operations)
        for item in node.items:
            call = place.scope.resolve(item.context_expr)
            if isinstance(call, ast.Call) and last(call.func) == "batch_alter_table":
                place = self._batch(call, item, place)
            elif isinstance(call, ast.Call) and last(call.func) == "autocommit_block":
                place = replace(place, autocommit=True)
            else:
                self._expression(item.context_expr, node, place)
                if isinstance(item.optional_vars, ast.Name):
                    place.scope.names[item.optional_vars.id] = call
        after = self.block(node.body, place)
        if len(self.operations) > before:
            broad = [item.context_expr for item in node.items if suppresses(item.context_expr)]
            self.swallowed += [range_of(place.scope.source, each) for each in broad]
        options = {key for _, batch in place.batches for key, _ in batch.options}
        if place.batches != outer.batches and before == len(self.operations) and options & _REMADE:
            # Without operations the table is made anew all the same, with other arguments.
            call, changes = node.items[-1].context_expr, (Unknown(frozenset()),)
            self._add(
                "batch_alter_table", call, node, outer, changes, opaque="it remakes the table"
            )
        return after

    def _batch(self, call: ast.Call, item: ast.withitem, place: Place) -> Place:
        scope = place.scope
        named = {k.arg: k.value for k in call.keywords if k.arg}
        table = named.pop("table_name", None) or (call.args[0] if call.args else None)
        schema = named.pop("schema", None) or (call.args[1] if len(call.args) > 1 else None)
        name = value_of(table) if table is not None else None
        schema_value = value_of(schema) if schema is not None else None
        options = tuple((key, scope.expression(value)) for key, value in named.items())
        known = isinstance(name, str) and (schema_value is None or isinstance(schema_value, str))
        batch = Batch(
            Name.of(str(name), str(schema_value or "")) if known else Name(""),
            options,
            range_of(scope.source, item.context_expr),
            sure=all(keyword.arg for keyword in call.keywords),
        )
        variable = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else ""
        return replace(place, batches=(*place.batches, (variable, batch)))

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, place: Place) -> None:
        if not isinstance(node, ast.While):
            self._expression(node.iter, node, place, top=False)
            over = with_texts(place.scope.resolve(node.iter), place.scope.file, value_of)
            turns = iterations(over, node.target)
            if turns is not None:
                for turn in turns:
                    place.scope.names.update(turn)
                    if self.block(node.body, place) is None and self.left is ast.Break:
                        break
                return
            place.scope.names.update(bindings(node.target, None))
            asked = place.scope.resolve(node.iter)
            if isinstance(node.target, ast.Name) and _sessions(place.scope).rows(asked):
                place.scope.names[node.target.id] = asked  # one of them is like another
        self._forget(node.body, place)
        self.block(node.body, place.under(Guard(GuardKind.LOOP)))
        self._forget(node.body, place)

    def _condition(self, node: ast.If, place: Place) -> Place | None:
        test = place.scope.resolve(node.test)
        self._expression(node.test, node, place, top=False)
        decided = outcome(test)
        if decided is not None:
            return self.block(node.body if decided else node.orelse, place)
        yes, no = guards_of(test)
        branch = replace(place.under(*yes), scope=place.scope.inner())
        other = replace(place.under(*no), scope=place.scope.inner())
        after = self.block(node.body, branch)
        after_other = self.block(node.orelse, other)
        reached = [p.scope for p, end in ((branch, after), (other, after_other)) if end is not None]
        for name in frozenset().union(*map(self._bound_in, (*node.body, *node.orelse))):
            place.scope.names[name] = chosen(test, [each.names.get(name) for each in reached])
        if after is None:
            # What refuses to go on, or to begin, leaves no doubt: all of the rest runs or none.
            unbegun = not place.guards and not any(o.changes for o in self.operations)
            ended = node.body[-1]
            refuses = isinstance(ended, ast.Raise)
            certain = {GuardKind.DIALECT, GuardKind.ENGINE}
            if isinstance(ended, ast.Return) and unbegun and not asks_rows(test):
                refuses, certain = True, certain | {GuardKind.EXISTENCE}
            left = [guard for guard in no if not refuses or guard.kind in certain]
            return None if after_other is None else place.under(*left)
        return place.under(*yes) if after_other is None else place

    def _attempt(self, node: ast.Try, place: Place) -> None:
        before = len(self.operations)
        self.block(node.body, place)
        if len(self.operations) > before:
            broad = (handler for handler in node.handlers if swallows(handler))
            self.swallowed += [range_of(place.scope.source, handler) for handler in broad]
        self.block(node.orelse, place)
        for handler in node.handlers:
            self.block(handler.body, place.under(Guard(GuardKind.EXCEPTION)))
        self.block(node.finalbody, place)

    def _forget(self, body: Iterable[ast.stmt], place: Place) -> None:
        """Names that a block may or may not have bound are not known after it."""
        for statement in body:
            place.scope.names.update(dict.fromkeys(self._bound_in(statement)))

    def _bound_in(self, statement: ast.stmt) -> frozenset[str]:
        """The names that a statement binds; looked for once, though blocks stand in blocks."""
        if statement not in self._bound:
            self._bound[statement] = frozenset(
                part.id
                for part in ast.walk(statement)
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            )
        return self._bound[statement]

    def _expression(
        self, node: ast.expr, statement: ast.stmt, place: Place, *, top: bool = True
    ) -> None:
        """Read the calls of an expression, innermost first."""
        for call in calls_in(node):
            self._call(call, statement, place, top=top and call is node)

    def _call(self, node: ast.Call, statement: ast.stmt, place: Place, *, top: bool) -> None:
        scope = place.scope
        name, path = last(node.func), dotted(node.func)
        root, _, rest = path.partition(".")
        batch = place.batch_named(root) if place.batches else None
        if root in LIBRARIES and name[:1].isupper() and batch is None:
            return  # `sa.Column(…)`, by far the most frequent, is read where it is used
        if mutates(node) and isinstance(node.func, ast.Attribute):
            forget_changed(node.func.value, scope)
        if rest and (root == "op" or path.startswith("alembic.op.") or batch is not None):
            self._operation(name, node, statement, place, batch)
            return
        function = scope.functions.get(path)
        if function is not None and place.depth < _DEPTH and path not in self.following:
            self._helper(function, node, statement, place)
            return
        if reaches_outside(path):
            self.uses.append(Use(path, range_of(scope.source, node)))
        prefix = dispatched(node)
        if prefix:
            self._engines(prefix, place)
            return
        self._other(node, statement, place, top=top)

    def _operation(
        self,
        name: str,
        node: ast.Call,
        statement: ast.stmt,
        place: Place,
        batch: Batch | None,
    ) -> None:
        if name in QUIET or is_harmless("", name):
            return
        if name == "run_async" and node.args and self._awaited(node, statement, place):
            return
        scope = place.scope.within(node)
        call = call_of(name, node, scope, batch, place.dialects)
        if call is None:
            self._add(
                name, node, statement, place, (Unknown(),), opaque=f"`op.{name}` is not known"
            )
            return
        changes = changes_of_call(call)
        if batch is not None and not batch.table.name:
            changes = (Unknown(),)
        unknown = any(isinstance(change, Unknown) and change.tables is None for change in changes)
        self._add(
            name,
            node,
            statement,
            place if batch is place.batch else replace(place, batch=batch),
            changes,
            said_sql(call.named["sqltext"], scope) if "sqltext" in call.named else call.arguments,
            "its arguments are computed" if unknown else None,
            call.missing,
        )

    def _add(
        self,
        name: str,
        node: ast.expr,
        statement: ast.stmt,
        place: Place,
        changes: tuple[Change, ...],
        arguments: Options = (),
        opaque: str | None = None,
        missing: tuple[str, ...] = (),
    ) -> None:
        source = place.scope.source
        self.operations.append(
            Operation(
                name,
                *(place.caller or (range_of(source, node), range_of(source, statement))),
                changes=changes,
                arguments=arguments,
                guards=place.guards,
                batch=place.batch,
                opaque=opaque,
                autocommit=place.autocommit,
                missing=missing,
            )
        )
        self.effects = True

    def _helper(
        self, function: ast.FunctionDef, node: ast.Call, statement: ast.stmt, place: Place
    ) -> None:
        """Read a call of a function of the same file as what its body does."""
        source = place.scope.source
        resolved = {
            name: None if value is None else place.scope.resolve(value)
            for name, value in arguments_of(function, node).items()
        }
        scope = self.module.inner(resolved)
        scope.functions.update(place.scope.functions)
        here = (range_of(source, node), range_of(source, statement))
        inside = replace(
            place, scope=scope, caller=place.caller or here, depth=place.depth + 1, batches=()
        )
        inside = replace(inside, batches=place.passed(function, node))
        self.following.append(function.name)
        self.block(function.body, inside)
        self.following.pop()

    def _awaited(self, node: ast.Call, statement: ast.stmt, place: Place) -> bool:
        """Read `op.run_async(function, …)` as the call of a function of the same file."""
        function, *arguments = node.args
        name = dotted(function)
        if name not in place.scope.functions or name in self.following:
            return False
        connection = ast.Name("connection", ast.Load())
        call = ast.Call(function, [connection, *arguments], node.keywords)
        self._helper(place.scope.functions[name], ast.copy_location(call, node), statement, place)
        return True

    def _engines(self, prefix: str, place: Place) -> None:
        for name, function in self.module.functions.items():
            engine = name.removeprefix(prefix)
            if name.startswith(prefix) and self.engine in {None, engine}:
                guard = Guard(GuardKind.ENGINE, frozenset({engine}))
                under = place.under(guard) if self.engine is None else place
                self.block(function.body, replace(under, scope=self.module.inner()))

    def _other(self, node: ast.Call, statement: ast.stmt, place: Place, *, top: bool) -> None:
        """A call that is no operation: executed SQL, an enum type, harmless, or not known."""
        scope, name = place.scope, last(node.func)
        if name in _EXECUTES and node.args:
            changes = executed(node.args[0], scope, place.dialects)
            if changes or name.startswith("exec"):
                opaque = "its SQL is computed" if Unknown() in changes else None
                said = said_sql(node.args[0], scope)
                self._add("execute", node, statement, place, changes, said, opaque)
            return
        if isinstance(node.func, ast.Attribute) and name in {"create", "drop"}:
            definitions = Definitions(scope)
            enum = definitions.enum(created_enum(scope.resolve(node.func.value)))
            made = element(scope.resolve(node.func.value), name, definitions)
            if made is not None:
                self._add(name, node, statement, place, made)
                return
            if enum is not None:
                asks = looks_first(node, scope.resolve(node.func.value))
                change = CreateEnum(enum, asks) if name == "create" else DropEnum(enum.name)
                self._add(f"enum.{name}", node, statement, place, (change,))
                return
        root = dotted(node.func).partition(".")[0]
        handed = next(filter(_is_operation, node.args), None)
        if handed is not None:
            why = f"`{unparsed(handed)}` is handed on"
            self._add("call", node, statement, place, (Unknown(),), opaque=why)
        elif name in WRITERS and isinstance(node.func, ast.Attribute):
            self._add(name, node, statement, place, _sessions(scope).handed(node))
        elif name in {"delete", "update"} and (written := _sessions(scope).queried(node)):
            self._add("execute", node, statement, place, written)
        elif top and not is_harmless(root, name) and not is_of_library(scope.imports.get(root, "")):
            why = f"`{unparsed(node.func)}()` is not read"
            self._add("call", node, statement, place, (Unknown(),), opaque=why)


def _sessions(scope: Scope) -> Sessions:
    return Sessions(Definitions(scope))


def _is_operation(node: ast.expr) -> bool:
    """Whether an argument is an operation that somebody else may call."""
    root, _, name = dotted(node).partition(".")
    return root == "op" and name in SIGNATURES
