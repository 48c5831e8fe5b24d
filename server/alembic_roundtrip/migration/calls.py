"""The calls in a migration's code: which change no database, which are handed a connection."""

from __future__ import annotations

import ast
import builtins
import sys

from alembic_roundtrip.migration.evaluation import Scope
from alembic_roundtrip.migration.literals import dotted

_HARMLESS_ROOTS = (frozenset(dir(builtins)) - {"exec", "eval", "__import__"}) | frozenset(
    "logger logging log LOG LOGGER warnings time os inspect context uuid datetime json re sa "
    "sqlalchemy orm postgresql mysql sqlite click math decimal Decimal textwrap itertools "
    "Inspector reflection".split()
)
_HARMLESS_METHODS = frozenset(
    "get_bind get_context get_x_argument fetchall fetchone fetchmany scalar scalars all first one "
    "mappings keys values items append add_argument format join split strip lower upper replace "
    "startswith endswith get pop extend has_table get_columns get_table_names get_indexes "
    "get_foreign_keys get_unique_constraints get_pk_constraint get_enums get_check_constraints "
    "info debug warning error exception is_offline_mode inspect f begin_nested commit rollback "
    "flush close begin expunge_all invalidate create_engine sessionmaker batch_alter_table "
    "autocommit_block options query filter filter_by order_by group_by join outerjoin distinct "
    "limit offset count where select_from execution_options label cast in_ is_ isnot notin_ "
    "one_or_none scalar_one scalar_one_or_none scalar_subquery subquery alias columns bindparams "
    "reflect Session configure quoted_name writerow read write union_all compile "
    "as_scalar exists union union_all having yield_per partitions tuples unique "
    "read_text joinpath resolve _replace parse loads dumps encode decode".split()
)
LIBRARIES = frozenset({"sa", "sqlalchemy", "postgresql", "mysql", "sqlite"})
"""Names under which SQLAlchemy's classes are called; what they make touches no database."""
MUTATORS = frozenset(
    "append extend insert add update remove discard pop popitem clear sort reverse".split()
)
_HARMLESS_NAMES = _HARMLESS_METHODS | MUTATORS
_LEAVES = (ast.Constant, ast.Name)
_LISTS = (ast.List, ast.Tuple)
_REACHING = frozenset({"sqlite3", "subprocess", "runpy", "importlib", "ctypes", "code"})
_CONNECTIONS = frozenset({"op", "conn", "connection", "bind", "session", "engine", "cursor"})


def is_of_library(imported: str) -> bool:
    """Whether an import brings a part of Python, or a class of SQLAlchemy: no call reaches far."""
    words = imported.replace(",", " ").split()
    module = words[1].partition(".")[0] if len(words) > 1 else ""
    if module == "sqlalchemy":
        return words[-1][:1].isupper()
    return module in sys.stdlib_module_names and module not in _REACHING


def is_harmless(root: str, name: str) -> bool:
    """Whether a call, by the first and last name of what is called, changes no database."""
    asks = name.startswith(("is_", "has_"))
    return asks or root in _HARMLESS_ROOTS or name in _HARMLESS_NAMES


def mutates(node: ast.Call) -> bool:
    """Whether a call changes the list or dictionary it is made on; `table.insert()` does not."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in MUTATORS:
        return False
    return bool(node.args or node.keywords) or node.func.attr not in {"insert", "update"}


def forget_changed(target: ast.expr, scope: Scope) -> None:
    """What a name is bound to is not known any more once a part of it was changed."""
    while isinstance(target, ast.Subscript | ast.Attribute):
        target = target.value
        if isinstance(target, ast.Name):
            scope.names[target.id] = None
            return
    if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Load):
        scope.names[target.id] = None


def hands_on(node: ast.expr) -> bool:
    """Whether a call is given something to reach the database with."""
    if not isinstance(node, ast.Call):
        return False
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return any(isinstance(part, ast.Name) and part.id in _CONNECTIONS for part in given)


def calls_in(node: ast.expr) -> list[ast.Call]:
    """Calls in the order they are made; those inside a lambda or comprehension too."""
    found: list[ast.Call] = []
    _gather(node, found)
    return found


def _gather(node: ast.expr, found: list[ast.Call]) -> None:
    if isinstance(node, ast.Call):
        parts = [node.func, *node.args, *(keyword.value for keyword in node.keywords)]
    elif isinstance(node, ast.Attribute):
        parts = [node.value]
    elif isinstance(node, _LISTS):
        parts = node.elts
    else:
        parts = []
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                parts.append(child)
            elif isinstance(child, ast.comprehension):
                parts.append(child.iter)
    for part in parts:
        inner = part.value if isinstance(part, ast.Attribute) else part
        if not isinstance(inner, _LEAVES):
            _gather(inner, found)
    if isinstance(node, ast.Call):
        found.append(node)


def created_enum(node: ast.expr) -> ast.expr:
    """An enum that is created by hand is created whatever its `create_type` says."""
    if isinstance(node, ast.Call):
        kept = [keyword for keyword in node.keywords if keyword.arg != "create_type"]
        return ast.copy_location(ast.Call(node.func, node.args, kept), node)
    return node


def looks_first(node: ast.Call, enum: ast.expr) -> bool:
    """Whether `create()` leaves an enum type alone that is there; PostgreSQL's own does untold."""
    told = [each.value for each in node.keywords if each.arg == "checkfirst"] or node.args[1:2]
    if told:
        return not isinstance(told[0], ast.Constant) or bool(told[0].value)
    return isinstance(enum, ast.Call) and dotted(enum.func).rpartition(".")[2] == "ENUM"
