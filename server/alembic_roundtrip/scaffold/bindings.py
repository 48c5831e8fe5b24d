"""Statements that do nothing but give names to something, for others to use."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

from alembic_roundtrip.migration.imports import bound_names
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.scaffold.parts import Part, bound_in

_LIBRARIES = frozenset({"sqlalchemy", "alembic"})
_PURE = frozenset(
    "bool dict enumerate float frozenset int isinstance len list range set str tuple zip".split()
)
"""Builtins that do nothing but make a value."""
_CONSTRUCTS = frozenset(
    "table column text get_bind select insert update delete values where from_select and_ or_ not_ "
    "cast case literal null true false".split()
)
"""What of the libraries makes a value and asks no database for anything."""
_CALLS_OTHERS = frozenset(
    "Session invoke listen listens_for run_async run_callable run_sync scoped_session "
    "sessionmaker".split()
)
"""What of the libraries calls functions that it is given, or writes rows at another time."""
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Effect(IntEnum):
    """What making a call does besides giving a value."""

    NONE = 0
    ASKS = 1
    """It may ask the database, so that its value depends on where it stands."""
    ANY = 2
    """It may write rows, or refuse to go on."""


def only_bind(present: Sequence[Part], migration: Migration) -> dict[int, Effect]:
    """Which of them do nothing but bind names, and what is done for it: nothing, or a question."""
    trusted = _of_libraries(migration.imports)
    found: dict[int, Effect] = {}
    for number, part in enumerate(present):
        effect = max(_effect(node, trusted) for node in part.nodes)
        if effect is not Effect.ANY and not part.operations:
            found[number] = effect
    return found


def bindings_of(
    names: Iterable[str], present: Sequence[Part], binding: dict[int, Effect]
) -> list[int] | None:
    """The statements that bind names; None where they bind other things elsewhere."""
    found: dict[int, None] = {}
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        numbers = [number for number, part in enumerate(present) if name in part.bound]
        if len(numbers) > 1 or not all(_anywhere(present, at, binding) for at in numbers):
            return None
        for at in numbers:
            if at not in found:
                found[at] = None
                waiting |= present[at].names
    return sorted(found)


def _anywhere(present: Sequence[Part], number: int, binding: dict[int, Effect]) -> bool:
    """Whether what a statement binds is the same wherever it stands."""
    defines = any(isinstance(node, _DEFINITIONS) for node in present[number].nodes)
    return binding.get(number) is Effect.NONE and not defines


_Trusted = dict[str, str]
"""Names of what is SQLAlchemy's or Alembic's, or made by it, and what they are imported as."""


def _of_libraries(imports: Iterable[str]) -> _Trusted:
    return {
        name.partition(".")[0]: target.rpartition(".")[2]
        for name, target in bound_names(imports)
        if target.partition(".")[0] in _LIBRARIES
    }


def _effect(node: ast.stmt, trusted: _Trusted) -> Effect:
    """What a statement does besides binding names; what libraries have made is `trusted` then."""
    imports = isinstance(node, ast.Import | ast.ImportFrom)
    bound = set(bound_in(node))
    if not (imports or isinstance(node, _DEFINITIONS) or _assigns_names(node)) or (
        isinstance(node, _DEFINITIONS) and node.decorator_list
    ):
        _forget(bound, trusted)
        return Effect.ANY
    # The body of a function does not run here; that of a class does.
    run = node.args if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else node
    known = trusted | dict.fromkeys(_elements(run, trusted), "")
    calls = (each for each in ast.walk(run) if isinstance(each, ast.Call))
    effect = max((_effect_of_call(each, known) for each in calls), default=Effect.NONE)
    made = isinstance(node, ast.Assign | ast.AnnAssign) and _root(node.value) in trusted
    _forget(bound, trusted)
    if effect is not Effect.ANY:
        trusted |= _of_libraries([ast.unparse(node)]) if imports else {}
        trusted |= dict.fromkeys(bound if made else (), "")
    return effect


def _forget(names: Iterable[str], trusted: _Trusted) -> None:
    for name in names:
        trusted.pop(name, None)


def _effect_of_call(call: ast.Call, trusted: Mapping[str, str]) -> Effect:
    func = call.func
    root = _root(func)
    name = trusted.get(func.id, "") if isinstance(func, ast.Name) else getattr(func, "attr", "")
    if root == "" or root in _PURE:
        return Effect.NONE
    if root not in trusted or name in _CALLS_OTHERS:
        return Effect.ANY
    asks = name == "Inspector" or any(
        keyword.arg and keyword.arg.startswith("autoload") for keyword in call.keywords
    )
    makes = name in _CONSTRUCTS or name[:1].isupper()
    return Effect.NONE if makes and not asks else Effect.ASKS


def _root(node: ast.AST | None) -> str | None:
    """The name that a chain of attributes and calls starts at; empty where that is a literal."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Constant | ast.JoinedStr):
        return ""
    return node.id if isinstance(node, ast.Name) else None


def _elements(node: ast.AST, trusted: Mapping[str, str]) -> set[str]:
    """What comprehensions call the elements of what is trusted."""
    return {
        name
        for each in ast.walk(node)
        if isinstance(each, ast.comprehension) and _root(each.iter) in trusted
        for name in bound_in(each.target)
    }


def _assigns_names(node: ast.stmt) -> bool:
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name)
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [*targets, *(e for t in targets if isinstance(t, ast.Tuple) for e in t.elts)]
    return bool(targets) and all(isinstance(each, ast.Name | ast.Tuple) for each in names)
