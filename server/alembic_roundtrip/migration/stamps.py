"""Where Python code that is no migration sets the version of a database."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.migration.literals import dotted
from alembic_roundtrip.migration.syntax import range_of
from alembic_roundtrip.text import Range, Source

_COMMANDS = frozenset({"alembic.command.stamp", "flask_migrate.stamp"})
_RUNNERS = frozenset(
    "system run call check_call check_output Popen popen getoutput sh shell local sudo"
    " create_subprocess_shell".split()
)
"""What runs a command line, by the last part of its name; another string is prose."""
_LINE = re.compile(r"\b(?:alembic|flask +db)\b[^|;&\n]*? stamp +(?:--[\w-]+ +)*([\w.@+:]+)")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A place that stamps a revision, or writes the version table (`target` is None).

    `fresh` says that the tables are made beside it, so that the database was empty.
    """

    range: Range
    target: str | None
    fresh: bool


def stamps_in_python(text: str, write: re.Pattern[str]) -> Iterator[Stamp]:
    """Calls that stamp a literal revision, and strings that are such commands or statements.

    `write` finds SQL that writes the version table. Docstrings are prose.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's `\d`, for example
        try:
            tree = ast.parse(text.removeprefix("\ufeff"))
        except (SyntaxError, ValueError, RecursionError):
            return
    source = Source(text)
    imported = dict(_imported(tree))
    for scope, node in _nodes(tree, tree):
        found = _target(node, imported, write)
        if found is not None:
            fresh = any(_name(n).endswith("create_all") for n in ast.walk(scope))
            yield Stamp(range_of(source, node), found[0], fresh)


def _nodes(node: ast.AST, scope: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Each expression that may be one, with the function around it; docstrings are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        here = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else scope
        if isinstance(child, ast.Call | ast.Constant | ast.List | ast.Tuple):
            yield here, child
        yield from _nodes(child, here)


def _target(
    node: ast.AST, imported: dict[str, str], write: re.Pattern[str]
) -> tuple[str | None] | None:
    """What a node stamps: a revision, or None in a tuple for a write of the table."""
    if isinstance(node, ast.Call):
        owner, _, rest = _name(node).partition(".")
        name = ".".join(filter(None, (imported.get(owner, owner), rest)))
        if name in _COMMANDS:
            return _stamped(node)
        runs = name.rpartition(".")[2] in _RUNNERS
        return _command(_literal(node.args[0])) if runs and node.args else None
    if isinstance(node, ast.List | ast.Tuple):
        words = [_literal(element) for element in node.elts]
        own = any(module.startswith("alembic.config") for module in imported.values())
        line = " ".join(["alembic"] * own + words)
        return _command(line) if "stamp" in words else None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (None,) if write.search(node.value) else None
    return None


def _command(line: str) -> tuple[str] | None:
    found = _LINE.search(line)
    return (found[1],) if found and "\n" not in line.strip() else None


def _stamped(call: ast.Call) -> tuple[str] | None:
    """The revision that a call of `stamp` names as a literal; Flask-Migrate's means the head."""
    named = [k.value for k in call.keywords if k.arg == "revision"]
    flask = not call.args or (not named and len(call.args) == 1 and _literal(call.args[0]))
    given = [*named, *(call.args if flask else call.args[1:])]
    if not given:
        return ("head",)
    value = _literal(given[0])
    return (value,) if value else None


def _literal(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _name(node: ast.AST) -> str:
    return dotted(node.func) if isinstance(node, ast.Call) else ""


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What each imported name stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name
