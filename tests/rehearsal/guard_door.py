"""Runs a project's migrations behind the guard, as the agent would, and prints what happened.

Takes requests as lines of JSON, and puts the guard on in a process of its own for each: like an
agent, it has loaded all but the project by then. Level `process` stands for a system without
Landlock and seccomp.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any


def load_agent(folder: str) -> tuple[Any, Any]:
    spec = importlib.util.spec_from_file_location(
        "agent_under_test", f"{folder}/__init__.py", submodule_search_locations=[folder]
    )
    sys.modules["agent_under_test"] = importlib.util.module_from_spec(spec)
    from agent_under_test.guard import kernel, redirect

    return kernel, redirect


def tables(connect: Any, path: str) -> list[str]:
    connection = connect(path)
    try:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        return [name for (name,) in connection.execute(query)]
    finally:
        connection.close()


def run(agent: str, folder: str, level: str, kind: str, place: dict[str, Any]) -> None:
    sys.path[0] = str(Path.cwd())
    connect = sqlite3.connect  # the guard replaces it
    kernel, redirect = load_agent(agent)
    if level == "process":
        kernel.version = lambda: 0
        kernel.takes_filters = lambda: False
    guard = redirect.install(redirect.Scratch(kind, folder, place))
    error = None
    try:
        from alembic import command
        from alembic.config import Config

        command.upgrade(Config("alembic.ini"), "head")
    except BaseException as raised:  # noqa: BLE001 (all of it is the outcome)
        error = [type(raised).__name__, str(raised)]
    databases = [
        [target.database, tables(connect, scratch) if kind == "sqlite" else [scratch]]
        for target, scratch in guard.databases.items()
    ]
    outcome = {
        "level": guard.level,
        "error": error,
        "refusals": guard.refusals,
        "databases": databases,
    }
    sys.stdout.write("\n" + json.dumps(outcome))


LOADED = ("alembic.command", "alembic.config", "sqlalchemy.orm")
DIALECTS = ("sqlite", "postgresql", "mysql")


def serve() -> None:
    for name in (*LOADED, *(f"sqlalchemy.dialects.{name}" for name in DIALECTS)):
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            become(request)
            run(*request["arguments"])
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def become(request: dict[str, Any]) -> None:
    """Make this process one that was started in a folder, with variables and output of its own."""
    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    for number, name in enumerate((os.devnull, request["output"], request["errors"])):
        opened = os.open(name, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)


if __name__ == "__main__":  # a spawned child imports this file, too
    serve()
