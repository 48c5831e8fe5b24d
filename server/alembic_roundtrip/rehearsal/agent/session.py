"""One rehearsal: the guard, a look at env.py, then every database's way through the history."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from . import baseline, dialects, events, redirect
from .channel import Channel

_LOGGING_SECTIONS = ("formatters", "handlers", "loggers")
RESTART = 3
"""Exit status: what was said is right, the rest wants a new process."""


class Cannot(Exception):
    """Nothing can be rehearsed; the sentence says why and what to do."""


class _Restart(Exception):
    """The scratch database can no longer be used by this process."""


def rehearse(plan: Mapping[str, Any], channel: Channel) -> int:
    """Carry out a plan; gives the exit status."""
    channel.send(events.STARTING, phase="loading")
    try:
        _import_alembic()
        # Before the guard: it keeps the functions that the guard replaces for the project.
        dialect = dialects.of(plan["kind"])
        guard = redirect.install(redirect.Scratch(plan["kind"], plan["folder"], plan["place"]))
        sys.path.insert(0, os.getcwd())
        Session(plan, channel, guard, dialect.Dialect(guard)).run()
    except (Cannot, baseline.BaselineError, redirect.Refused) as error:
        channel.send(events.CANNOT, message=str(error))
    except _Restart:
        return RESTART
    channel.send(events.DONE)
    return 0


def _import_alembic() -> None:
    # Before the project's folder is on the path: many have one called `alembic`.
    try:
        import alembic.config
        import alembic.runtime.environment
        import alembic.script
        import sqlalchemy.orm
    except ImportError as error:
        raise Cannot(
            f"no rehearsal: this project's Python ({platform.python_version()}, "
            f"{sys.executable}) cannot import Alembic: {error}; install it there, or name "
            "another Python in the setting `python`"
        ) from error
    oldest = {
        "Alembic": (alembic.__version__, (1, 8)),
        "SQLAlchemy": (sqlalchemy.__version__, (1, 4)),
    }
    for name, (version, needed) in oldest.items():
        if tuple(int(part) for part in version.split(".")[:2]) < needed:
            raise Cannot(
                f"no rehearsal: this project's Python has {name} {version}; "
                f"{needed[0]}.{needed[1]} or newer is needed"
            )


class Session:
    """What one process knows while it rehearses."""

    def __init__(
        self, plan: Mapping[str, Any], channel: Channel, guard: redirect.Guard, dialect: Any
    ) -> None:
        from .declared import Declared
        from .touched import Statements

        self._plan = plan
        self._channel = channel
        self._guard = guard
        self._dialect = dialect
        self._statements = Statements()
        self._declared = Declared()
        self._directory: Any = None
        self._rooms: List[Any] = []
        self._walks: List[Any] = []
        self._active: Optional[Any] = None
        self._found: Dict[str, List[Any]] = {}

    def run(self) -> None:
        """Look at env.py, then walk until nothing is left to do."""
        from alembic.script import ScriptDirectory
        from alembic.util import CommandError

        from . import scripts

        try:
            self._config = scripts.configuration(self._plan)
            self._directory = ScriptDirectory.from_config(self._config)
            self._scripts = scripts.Scripts(self._directory)
        except CommandError as error:
            raise Cannot(f"no rehearsal: {error}") from error
        except (Exception, SystemExit, redirect.Refused) as error:
            # `script_location = package:folder` imports the package.
            raise self._failed_early(error, "the package of `script_location`") from error
        self._channel.beat(self._where)
        self._channel.send(events.STARTING, phase="env.py")
        self._enter_application()
        self._look()
        self._say_started()
        for room in self._rooms:
            room.clear()
            if self._plan["baseline"]:
                baseline.apply(self._plan["baseline"], room)
        self._set_out()
        while not all(walk.over for walk in self._walks):
            self._run_once()

    # --- a look at env.py: which databases, which revisions ---

    def _enter_application(self) -> None:
        from . import application

        if not application.wanted(self._directory.env_py_location):
            return
        try:
            application.enter()
        except application.NoApplication as error:
            raise Cannot(f"no rehearsal: {error}") from error
        # Some applications migrate their database while they start.
        self._dialect.empty()

    def _look(self) -> None:
        from . import environment

        try:
            environment.run(self._config, self._directory, self._note)
        except Cannot:
            raise
        except (Exception, SystemExit, redirect.Refused) as error:
            raise self._failed_early(error, self._env_py) from error
        if not self._rooms:
            raise Cannot(
                f"no rehearsal: {self._env_py} ended without calling `context.run_migrations()`"
            )

    def _note(self, number: int, context: Any) -> Iterable[Any]:
        from alembic.util import CommandError

        if context.connection is None or context.as_sql:
            raise Cannot("no rehearsal: env.py runs migrations without a connection")
        if number == 0:
            # Here and not earlier: some migrations use `op` while they are being loaded.
            try:
                self._scripts.select(self._plan["revisions"])
            except CommandError as error:
                raise Cannot(f"no rehearsal: {error}") from error
        # By now Alembic has made its version table, which every saved state must have.
        context.connection.connection.commit()
        try:
            room = self._dialect.room(context.connection, context.version_table)
        except LookupError as error:
            raise Cannot(
                "no rehearsal: env.py's connection is not to a scratch database"
            ) from error
        self._rooms.append(room)
        return ()

    @property
    def _env_py(self) -> str:
        return self._shown(self._directory.env_py_location)

    def _failed_early(self, error: BaseException, place: str) -> Cannot:
        from alembic.script.revision import RevisionError

        from .problems import Problem

        if isinstance(error, SyntaxError) and error.filename:
            return Cannot(
                f"no rehearsal: {self._shown(error.filename)} line {error.lineno} does not parse: "
                f"{error.msg}"
            )
        if isinstance(error, RevisionError):
            return Cannot(f"no rehearsal: Alembic refuses the history: {error}")
        problem = Problem(error, None, self._is_ours)
        if problem.path:
            place = f"{self._shown(problem.path)} line {problem.line}"
        if problem.refused:
            return Cannot(f"no rehearsal: {problem.message}")
        if isinstance(error, ModuleNotFoundError):
            return Cannot(
                f"no rehearsal: this project's Python ({platform.python_version()}, "
                f"{sys.executable}) has no `{error.name}`, which {place} needs; install it there"
            )
        if isinstance(error, SystemExit):
            return Cannot(f"no rehearsal: {place} called sys.exit({error.code!r})")
        if isinstance(error, KeyError) and error.args[0] in _LOGGING_SECTIONS:
            return Cannot(
                f"no rehearsal: {place} reads logging settings, and the configuration file has no "
                f"[{error.args[0]}] section; `alembic init` writes one"
            )
        if isinstance(error, PermissionError) and error.filename:
            return Cannot(
                f"no rehearsal: {place} failed: {problem}; if it only wants that to be there, "
                "create it before, or name another place for it by the setting `env`"
            )
        return Cannot(
            f"no rehearsal: {place} failed: {problem}; what env.py expects can be given in the "
            "settings `env` and `x-arguments`"
        )

    def _say_started(self) -> None:
        self._channel.send(
            events.STARTED,
            database=self._plan["kind"],
            version=self._dialect.version,
            guard=self._guard.level,
            python=platform.python_version(),
            revisions=list(self._scripts.selected),
            files={
                revision: [self._scripts.path(revision), self._scripts.ancestors(revision)]
                for revision in self._scripts.order
            },
        )

    # --- the walks ---

    def _set_out(self) -> None:
        from .cycle import Cycle
        from .walk import Walk

        for number, room in enumerate(self._rooms):
            walk = Walk(
                self._scripts, room, self._channel, self._statements, self._declared, self._is_ours
            )
            label = self._label(number, walk)
            cycle = Cycle(self._scripts, room, self._declared, self._plan, label, self._finish)
            self._walks.append(walk)
            walk.begin(cycle.way())

    def _label(self, number: int, walk: Any) -> Any:
        if len(self._rooms) == 1:
            return lambda: ""
        return lambda: f"{walk.label or f'database {number + 1}'}."

    def _finish(self, findings: Any) -> None:
        """Say what was found, once every database has had its turn."""
        parts = self._found.setdefault(findings.revision, [])
        parts.append(findings)
        if len(parts) == len(self._rooms):
            for part in self._found.pop(findings.revision)[1:]:
                parts[0].absorb(part)
            self._channel.send(events.FINISHED, evidence=parts[0].to_json())

    def _run_once(self) -> None:
        """One run of env.py: to the end of all walks, or to the first step that fails."""
        from . import environment
        from .walk import REST

        self._active = None
        error: Optional[BaseException] = None
        try:
            environment.run(self._config, self._directory, self._steps)
        except Cannot:
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever a migration raises is its verdict
            error = raised
        walk = self._active
        if walk is not None and walk.broken is not None:
            if isinstance(walk.broken, dialects.Locked):
                raise _Restart from walk.broken
            raise walk.broken
        resting = [each for each in self._walks if each.request is REST]
        for each in resting:
            each.rest()
        if walk is not None and not walk.over and walk not in resting:
            walk.stop(error)
        elif not resting and not all(each.over for each in self._walks):
            problem = error or RuntimeError("it ended before all databases")
            raise self._failed_early(problem, self._env_py)

    def _steps(self, number: int, context: Any) -> Iterable[Any]:
        if number >= len(self._walks):
            raise Cannot("no rehearsal: env.py ran migrations for more databases than before")
        self._active = self._walks[number]
        steps: Iterable[Any] = self._walks[number].steps(context)
        return steps

    # --- places ---

    def _is_ours(self, path: str) -> bool:
        if path.startswith("<"):
            return False
        here = os.path.realpath(path)
        if self._directory and here.startswith(os.path.realpath(self._directory.dir) + os.sep):
            return True
        return here.startswith(os.getcwd() + os.sep) and "site-packages" not in here

    @staticmethod
    def _shown(path: str) -> str:
        relative = os.path.relpath(path)
        return path if relative.startswith(os.pardir) else relative

    def _where(self) -> Optional[Tuple[str, int]]:
        """The line of the project that the main thread is at."""
        import threading

        main = threading.main_thread().ident
        frame = sys._current_frames().get(main or 0)  # noqa: SLF001 - the only way to look
        while frame is not None:
            if self._is_ours(frame.f_code.co_filename):
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None
