"""What the conditions of a migration ask: the dialect, whether something exists, or else."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from alembic_roundtrip.migration.expression import UNKNOWN
from alembic_roundtrip.migration.literals import dotted, sql_text, value_of
from alembic_roundtrip.migration.model import Guard, GuardKind

_DIALECTS = frozenset({"postgresql", "sqlite", "mysql", "mariadb", "mssql", "oracle"})
_READING = frozenset({"execute", "exec_driver_sql", "query", "scalar", "scalars"})
_EXISTENCE = (
    "has_table",
    "has_column",
    "has_index",
    "get_table_names",
    "get_columns",
    "get_indexes",
    "inspect",
    "exists",
    "information_schema",
    "get_foreign_keys",
    "get_unique_constraints",
    "get_enums",
)


def outcome(test: ast.expr) -> bool | None:
    """The outcome of a condition on literals; None where it is not known."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = outcome(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        parts = [outcome(part) for part in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    if isinstance(test, ast.Compare):
        return _compared(test)
    if _asks_offline(test):
        return False
    value = value_of(test)
    return None if value is UNKNOWN else bool(value)


def _asks_offline(test: ast.expr) -> bool:
    """Whether a condition is about writing SQL: what is read is what a database would get."""
    called = test.func if isinstance(test, ast.Call) else test
    name = getattr(called, "attr", None) or getattr(called, "id", None)
    return name == ("is_offline_mode" if called is not test else "as_sql")


def _compared(test: ast.Compare) -> bool | None:
    """The outcome of `==`, `!=`, `in` and `not in` between two values that are known."""
    left, right = value_of(test.left), value_of(test.comparators[0])
    if len(test.ops) > 1 or left is UNKNOWN or right is UNKNOWN:
        return None
    operator = test.ops[0]
    if isinstance(operator, ast.Eq | ast.NotEq):
        return (left == right) is isinstance(operator, ast.Eq)
    if not isinstance(operator, ast.In | ast.NotIn):
        return None
    if isinstance(right, tuple):
        return (left in right) is isinstance(operator, ast.In)
    if isinstance(right, str) and isinstance(left, str):
        return (left in right) is isinstance(operator, ast.In)
    return None


def alternatives(node: ast.Match) -> list[ast.stmt]:
    """A `match` as the conditions it is short for; what a shape asks is not known."""
    chosen: list[ast.stmt] = []
    for case in reversed(node.cases):
        test = _matches(node.subject, case.pattern)
        if case.guard is not None:
            test = case.guard if test is None else ast.BoolOp(ast.And(), [test, case.guard])
        if test is None:
            chosen = case.body
        else:
            placed = ast.fix_missing_locations(ast.copy_location(test, case.pattern))
            condition = ast.If(placed, case.body, chosen)
            chosen = [ast.copy_location(condition, case.pattern)]
    return chosen


def _matches(subject: ast.expr, pattern: ast.pattern) -> ast.expr | None:
    """The condition that a pattern stands for; None for one that takes anything."""
    if isinstance(pattern, ast.MatchValue):
        return ast.Compare(subject, [ast.Eq()], [pattern.value])
    if isinstance(pattern, ast.MatchOr):
        values = [part.value for part in pattern.patterns if isinstance(part, ast.MatchValue)]
        if len(values) == len(pattern.patterns):
            return ast.Compare(subject, [ast.In()], [ast.Tuple(values, ast.Load())])
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
        return None
    return ast.Call(ast.Name("matches", ast.Load()), [subject], [])


def chosen(test: ast.expr, values: Sequence[ast.expr | None]) -> ast.expr | None:
    """What a name is bound to after a condition, by its values after the branches that end.

    Of several only texts are kept: they are what is executed, and each is short.
    """
    first, *others = values or (None,)
    if first is None or None in others:
        return None
    for other in others:
        if other is None or not (_is_text(first) and _is_text(other)):
            return None
        if ast.dump(first) != ast.dump(other):
            first = ast.copy_location(ast.IfExp(test, first, other), test)
    return first


def _is_text(node: ast.expr) -> bool:
    """Whether an expression is SQL that is written out, or one of several such by conditions."""
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) and _is_text(node.orelse)
    return sql_text(node) is not None


def guards_of(test: ast.expr) -> tuple[tuple[Guard, ...], tuple[Guard, ...]]:
    """Guards of the branch where a condition holds, and of the one where it does not."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yes, no = guards_of(test.operand)
        return no, yes
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        both = tuple(guard for part in test.values for guard in guards_of(part)[0])
        return both, (Guard(GuardKind.OTHER),)
    if isinstance(test, ast.BoolOp):
        return _either(test)
    dialect = _dialect(test)
    if dialect is not None:
        names, negated = dialect
        return (
            (Guard(GuardKind.DIALECT, names, negated),),
            (Guard(GuardKind.DIALECT, names, not negated),),
        )
    kind = GuardKind.EXISTENCE if _asks_existence(test) else GuardKind.OTHER
    return (Guard(kind),), (Guard(kind),)


def _either(test: ast.BoolOp) -> tuple[tuple[Guard, ...], tuple[Guard, ...]]:
    parts = [_dialect(part) for part in test.values]
    if all(part is not None and not part[1] for part in parts):
        names = frozenset[str]().union(*(part[0] for part in parts if part is not None))
        return (
            (Guard(GuardKind.DIALECT, names),),
            (Guard(GuardKind.DIALECT, names, negated=True),),
        )
    kind = GuardKind.EXISTENCE if _asks_existence(test) else GuardKind.OTHER
    return (Guard(kind),), (Guard(kind),)


def _asks_existence(test: ast.expr) -> bool:
    text = ast.dump(test)
    return any(word in text for word in _EXISTENCE)


def asks_rows(test: ast.expr) -> bool:
    """Whether a condition is about rows: another database may be another case."""
    return any(isinstance(node, ast.Attribute) and node.attr in _READING for node in ast.walk(test))


def _dialect(test: ast.expr) -> tuple[frozenset[str], bool] | None:
    """The dialects that a comparison or `is_sqlite()` names, and whether it asks for any other."""
    called = dotted(test.func).rpartition(".")[2] if isinstance(test, ast.Call) else ""
    before, found, asked = called.rpartition("is_")
    if found and asked and before[-1:] in {"", "_"}:
        return _names(asked, negated=False)
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute):
        if test.func.attr == "startswith" and test.args:
            return _names(value_of(test.args[0]), negated=False)
        return None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    left, right = value_of(test.left), value_of(test.comparators[0])
    value = right if left is UNKNOWN else left
    negated = isinstance(test.ops[0], ast.NotEq | ast.NotIn | ast.IsNot)
    return _names(value, negated=negated)


def _names(value: object, *, negated: bool) -> tuple[frozenset[str], bool] | None:
    values = (value,) if isinstance(value, str) else value
    if not isinstance(values, tuple) or not values or not all(isinstance(v, str) for v in values):
        return None
    names = frozenset("postgresql" if v == "postgres" else v for v in values)
    return (names, negated) if names <= _DIALECTS else None
