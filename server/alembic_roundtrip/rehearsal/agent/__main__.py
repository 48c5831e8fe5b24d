"""The agent: runs migrations inside the project's own Python, told how by a plan file.

It rehearses them on a scratch database, or has them write their SQL without any.

Started by file name. Its siblings become one package under a private name, so that nothing else
of ours can be imported by the project, and nothing of the project's is taken for ours.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import cache_from_source, module_from_spec, spec_from_file_location
from typing import Any, Mapping

PACKAGE = "_alembic_roundtrip_agent"


def _become_a_package() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    # Python put this folder first for us; the project must not find `rows` or `schema` in it.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    _keep_compiled(here)
    spec = spec_from_file_location(
        PACKAGE, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None
    assert spec.loader is not None
    package = module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def _keep_compiled(here: str) -> None:
    """Compile our own modules once; not all installers do, and none for another Python.

    Python is told to keep no bytecode, for the sake of the project's folders. So it would compile
    them anew at each start, which takes a tenth of it.
    """
    module = os.path.join(here, "session.py")
    if not _is_compiled(module) and _can_be_made(os.path.dirname(cache_from_source(module))):
        from compileall import compile_dir

        compile_dir(here, quiet=2)


def _can_be_made(folder: str) -> bool:
    """Whether files can be put into a folder, which need not be there.

    Else all would be compiled at each start, and nothing kept.
    """
    folder = os.path.abspath(folder)
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK)


def _is_compiled(file: str) -> bool:
    """Whether Python would find a module compiled, as it is now."""
    try:
        with open(cache_from_source(file), "rb") as cached:
            header = cached.read(12)
    except OSError:
        return False
    changed = int(os.stat(file).st_mtime) & 0xFFFFFFFF
    by_time = not any(header[4:8])
    return not by_time or int.from_bytes(header[8:12], "little") == changed


def _die_with(parent: int) -> None:
    """Have the system end us when our parent ends, where it can; the pipe tells elsewhere."""
    if sys.platform == "linux":
        import ctypes
        import signal

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)


def _wait(parent: int, kind: str) -> str:
    """Load all but the project, then wait for the name of a plan file.

    Nothing is done yet that a plan could forbid: no connection, no thread, no code of the project.
    """
    _die_with(parent)
    _become_a_package()
    with suppress(ImportError):  # what is missing is said when there is somebody to say it to
        for name in ("alembic.config", "sqlalchemy.orm", f"sqlalchemy.dialects.{_SPEAKS[kind]}"):
            import_module(name)
        for name in (*_NEEDED, f"dialects.{kind}"):
            import_module(f"{PACKAGE}.{name}")
    name = sys.stdin.readline().rstrip("\n")
    if not name:
        sys.exit(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    return name


_SPEAKS = {"sqlite": "sqlite", "postgresql": "postgresql", "mariadb": "mysql"}
_NEEDED = (
    "session",
    "guard.kinds",
    "kept",
    "project.application",
    "project.environment",
    "project.scripts",
    "trip.cycle",
    "way_back.trial",
)


def main() -> int:
    """Do what the plan says; 0 where everything was said, whatever that was."""
    waits = sys.argv[1] == "wait"
    name = _wait(int(sys.argv[2]), sys.argv[3]) if waits else sys.argv[1]
    with open(name, encoding="utf-8") as file:
        plan = json.load(file)
    if not waits:
        _die_with(plan["parent"])
        _become_a_package()
    from _alembic_roundtrip_agent import events, limits  # type: ignore[import-not-found]
    from _alembic_roundtrip_agent.channel import Channel  # type: ignore[import-not-found]
    from _alembic_roundtrip_agent.project.requirements import (  # type: ignore[import-not-found]
        Cannot,
        import_alembic,
    )

    limits.put_on()
    channel = Channel.take_over_stdout()
    channel.send(events.STARTING, phase="loading")
    try:
        import_alembic()
    except Cannot as error:
        channel.send(events.CANNOT, message=f"{_nothing(plan)}: {error}")
        channel.send(events.DONE)
        return 0
    return _carry_out(plan, channel)


def _nothing(plan: Mapping[str, Any]) -> str:
    return "no SQL" if "target" in plan else "no rehearsal"


def _carry_out(plan: Mapping[str, Any], channel: Any) -> int:
    # What env.py sees as the command line: the command whose work it is doing.
    if "target" in plan:
        from _alembic_roundtrip_agent.offline import write  # type: ignore[import-not-found]

        span = f"{','.join(plan['current'])}:{plan['target']}"
        sys.argv[:] = ["alembic", "downgrade", span, "--sql"]
        return int(write(plan, channel))
    from _alembic_roundtrip_agent.session import rehearse  # type: ignore[import-not-found]

    sys.argv[:] = ["alembic", "upgrade", "heads"]
    return int(rehearse(plan, channel))


if __name__ == "__main__":
    sys.exit(main())
