"""How fast reading is, as ratios to peers in one run: `python tests/benchmarks/linting.py [N]`.

Every command is a process of its own, and all take turns, so that a busy machine is busy for all.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import histories
from benchmarks.costs import Cost, say

_ROUNDS = 3
_UNCACHED = "Alembic's ScriptDirectory, uncached"
_FIRST, _AGAIN, _NOTHING = "graph, first time", "graph, again", "the imports of graph"
_OURS = (sys.executable, "-m", "alembic_roundtrip")
_AST = """
import ast, pathlib, sys
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    ast.parse(file.read_bytes())
"""
_ALEMBIC = """
import sys
from alembic.config import Config
from alembic.script import ScriptDirectory
script = ScriptDirectory.from_config(Config(sys.argv[1]))
assert len(script.get_heads()) == 1
"""
_START = """
import alembic_roundtrip.workspace
"""
_GRAPH = """
import pathlib
from alembic_roundtrip.workspace import Workspace
workspace = Workspace([pathlib.Path.cwd()], remember=True)
(environment,) = workspace.environments
assert len(workspace.scripts(environment).history.heads) == 1
"""


def main() -> int:
    """Print what each command takes, and the ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as name:
        return _compare(Path(name), count)


def _compare(place: Path, count: int) -> int:
    project, empty = place / "project", place / "empty"
    histories.write(project, count)
    histories.write(empty, 0)
    versions = str(project / "migrations" / "versions")
    kept = os.environ | {"XDG_CACHE_HOME": str(place / "kept")}
    # What is installed is compiled; Alembic would compile migrations, and find them so next time.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    uncached = kept | {"PYTHONDONTWRITEBYTECODE": "1"}
    lint = (*_OURS, "lint", "--format", "concise")
    ruff = (sys.executable, "-m", "ruff", "check", "--isolated", "--cache-dir", str(place / "ruff"))
    commands = {
        "ast.parse, one process": (sys.executable, "-c", _AST, versions),
        _UNCACHED: (sys.executable, "-c", _ALEMBIC, "alembic.ini"),
        "lint --no-cache": (*lint, "--no-cache"),
        "lint, again": lint,
        "ruff check, again": (*ruff, versions),
        _AGAIN: (sys.executable, "-c", _GRAPH),
        _NOTHING: (sys.executable, "-c", _START),
    }
    costs = {name: Cost() for name in (*commands, _FIRST, "lint of nothing")}
    for again in ("lint, again", "ruff check, again"):
        Cost().add(commands[again], project, kept)
    for number in range(_ROUNDS):
        for name, command in commands.items():
            costs[name].add(command, project, uncached if name == _UNCACHED else kept)
        new = kept | {"XDG_CACHE_HOME": str(place / f"new-{number}")}
        costs[_FIRST].add(commands[_AGAIN], project, new)
        costs["lint of nothing"].add(lint, empty, kept)
    say(f"{count} migrations, medians of {_ROUNDS} runs")
    for name, cost in costs.items():
        say(cost.line(name))
    _ratio(costs, _UNCACHED, "lint --no-cache")
    _ratio(costs, "lint --no-cache", "ast.parse, one process")
    _ratio(costs, "lint, again", "ruff check, again")
    for graph in (_FIRST, _AGAIN):
        _difference(costs, graph, _NOTHING)
    return 0


def _ratio(costs: Mapping[str, Cost], one: str, other: str) -> None:
    pairs = zip(costs[one].wall, costs[other].wall, strict=True)
    say(f"{one} : {other} = {statistics.median(a / b for a, b in pairs):.2f} (time)")


def _difference(costs: Mapping[str, Cost], one: str, other: str) -> None:
    """What a command takes beyond one that only starts: Python, and what it imports."""
    pairs = zip(costs[one].cpu, costs[other].cpu, strict=True)
    say(f"{one} without {other} = {statistics.median(a - b for a, b in pairs):.2f} s CPU")


if __name__ == "__main__":
    sys.exit(main())
