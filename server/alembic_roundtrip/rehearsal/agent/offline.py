"""The SQL of a rollback, as `alembic downgrade --sql` writes it: without any connection."""

from __future__ import annotations

import io
import os
from typing import Any, Dict, Iterable, Mapping, Optional, Sequence

from . import events
from .channel import Channel
from .guard import redirect
from .guard.kinds.nowhere import NOWHERE
from .project.project import Project, find_code
from .project.requirements import Cannot


def write(plan: Mapping[str, Any], channel: Channel) -> int:
    """Say the SQL of each downgrade from `current` to `target`, one message a revision."""
    try:
        guard = redirect.install(
            redirect.Scratch(NOWHERE, plan["folder"], writable=tuple(plan["writable"]))
        )
        find_code(os.getcwd())
        _Writer(plan, channel, guard).run()
    except Cannot as error:
        channel.send(events.CANNOT, message=f"no SQL: {error}")
    except redirect.Refused as error:
        channel.send(events.CANNOT, message=str(error))
    channel.send(events.DONE)
    return 0


class _Writer:
    """One run of env.py in offline mode."""

    def __init__(self, plan: Mapping[str, Any], channel: Channel, guard: redirect.Guard) -> None:
        self._plan = plan
        self._guard = guard
        self._channel = channel
        self._runs = 0

    def run(self) -> None:
        self._project = Project(self._plan)
        self._channel.beat(self._project.where)
        self._channel.send(events.STARTING, phase="env.py")
        # Loaded here, so that the second try finds them from another folder.
        self._load()
        self._project.enter_application()
        try:
            self._write()
        except PermissionError as error:
            if self._runs or not error.filename or os.path.isabs(error.filename):
                raise self._project.failed_early(error, self._project.env_py) from error
            # Alembic's template for several databases writes files into the working directory.
            os.chdir(self._plan["folder"])
            self._write()
        if not self._runs:
            raise Cannot(f"{self._project.env_py} ended without calling `context.run_migrations()`")

    def _load(self) -> None:
        from alembic.util import CommandError

        try:
            self._project.directory.get_revisions("heads")
        except CommandError as error:
            raise Cannot(str(error)) from error
        except (Exception, SystemExit, redirect.Refused) as error:
            raise self._project.failed_early(error, "the history") from error

    def _write(self) -> None:
        from alembic.util import CommandError

        from .project import environment

        project, current, target = self._project, self._plan["current"], self._plan["target"]
        try:
            environment.write(project.config, project.directory, self._steps, current, target)
        except (Cannot, PermissionError):
            raise
        except CommandError as error:
            raise Cannot(str(error)) from error
        except (Exception, SystemExit, redirect.Refused) as error:
            raise project.failed_early(error, project.env_py) from error

    def _steps(self, heads: Sequence[str], context: Any, buffer: io.StringIO) -> Iterable[Any]:
        if not context.as_sql:
            raise Cannot("env.py runs migrations with a connection, also for `--sql`")
        self._runs += 1
        project, target = self._project, self._plan["target"]
        undone = project.directory.iterate_revisions(heads, target, select_for_downgrade=True)
        for script in list(undone):
            step = _Step(project, script.revision, self._guard)
            start = buffer.tell()
            yield project.scripts.step(script.revision, upgrade=False, function=step.downgrade)
            self._channel.send(
                events.SQL,
                revision=script.revision,
                path=project.scripts.path(script.revision),
                database=step.database,
                sql=buffer.getvalue()[start:].strip(),
                problem=step.problem,
            )


class _Step:
    """Calls a script's downgrade; what it raises ends its own SQL and not the others'."""

    def __init__(self, project: Project, revision: str, guard: redirect.Guard) -> None:
        self._project = project
        self._guard = guard
        self._revision = revision
        self.database: Optional[str] = None
        self.problem: Optional[Dict[str, Any]] = None

    def downgrade(self, **arguments: Any) -> None:
        """Run the script's own."""
        from .project.problems import Problem

        self.database = arguments.get("engine_name")
        scripts = self._project.scripts
        function = scripts.function(self._revision, "downgrade")
        if function is None:
            self.problem = {"message": "the migration has no `downgrade()`", "line": None}
            return
        try:
            with self._guard.step(scripts.path(self._revision)):
                function(**arguments)
        except (Exception, SystemExit, redirect.Refused) as error:  # noqa: BLE001 - it is told
            problem = Problem(error, scripts.path(self._revision), self._project.is_ours)
            self.problem = {"message": str(problem), "line": problem.line}
