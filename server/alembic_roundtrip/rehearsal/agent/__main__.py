"""The agent: runs migrations inside the project's own Python, told how by a plan file.

It rehearses them on a scratch database, or has them write their SQL without any.

Started by file name. Its siblings become one package under a private name, so that nothing else
of ours can be imported by the project, and nothing of the project's is taken for ours.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

PACKAGE = "_alembic_roundtrip_agent"


def _become_a_package() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    # Python put this folder first for us; the project must not find `data` or `rows` in it.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    spec = spec_from_file_location(
        PACKAGE, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None
    assert spec.loader is not None
    package = module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def _die_with(parent: int) -> None:
    """Have the system end us when our parent ends, where it can; the pipe tells elsewhere."""
    if sys.platform == "linux":
        import ctypes
        import signal

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)


def main() -> int:
    """Do what the plan says; 0 where everything was said, whatever that was."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    _die_with(plan["parent"])
    _become_a_package()
    from _alembic_roundtrip_agent.channel import Channel  # type: ignore[import-not-found]

    channel = Channel.take_over_stdout()
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
