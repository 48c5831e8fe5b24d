"""One rehearsal: the guard, a look at env.py, then every database's way through the history."""

from __future__ import annotations

import gc
import os
import platform
from functools import partial
from typing import Any, Dict, Iterable, List, Mapping, Optional, Set

from . import baseline, dialects, events
from .channel import Channel
from .guard import redirect
from .project.project import Project, find_code
from .project.requirements import Cannot

_YOUNG = 10_000
"""Objects, after which garbage is collected."""
RESTART = 3
"""Exit status: what was said is right, the rest wants a new process."""
_HELD = "env.py, or what it imports, leaves one open in the middle of a transaction"


class _Restart(Exception):
    """The scratch database can no longer be used by this process."""


def rehearse(plan: Mapping[str, Any], channel: Channel) -> int:
    """Carry out a plan; gives the exit status."""
    try:
        # Before the guard: it keeps the functions that the guard replaces for the project.
        dialect = dialects.of(plan["kind"])
        if plan["home"]:
            os.environ["HOME"] = redirect.SCRATCH
        guard = redirect.install(
            redirect.Scratch(plan["kind"], plan["folder"], plan["place"], tuple(plan["writable"]))
        )
        find_code(os.getcwd())
        session = Session(plan, channel, guard, dialect.Dialect(guard))
        session.run()
    except Cannot as error:
        channel.send(
            events.CANNOT,
            message=f"no rehearsal: {error}"
            + (guard.denied_before(str(error)) if error.failed else ""),
            wants=error.wants,
            homeless=error.homeless,
            history=error.history,
        )
    except redirect.NoDriver as error:
        # What every Python has: applications that speak to several databases leave this one over.
        channel.send(events.CANNOT, message=f"no rehearsal: {error}", wants="sqlite")
    except (baseline.BaselineError, redirect.Refused) as error:
        channel.send(events.CANNOT, message=str(error))
    except dialects.Locked as error:
        channel.send(events.CANNOT, message=f"no rehearsal: {error}; {_HELD}")
    except dialects.Unusable as error:
        channel.send(events.UNUSABLE, message=str(error))
        return RESTART
    except baseline.BeginsNowhere as missing:
        channel.send(events.NOWHERE, missing=missing.missing, models=session.modelled())
        return RESTART
    except dialects.Unheld:
        channel.send(events.UNHELD)
        return RESTART
    except _Restart:
        return RESTART
    channel.send(events.DONE)
    return 0


class Session:
    """What one process knows while it rehearses."""

    def __init__(
        self, plan: Mapping[str, Any], channel: Channel, guard: redirect.Guard, dialect: Any
    ) -> None:
        from .project.declared import Declared
        from .trip.touched import Statements

        self._plan = plan
        self._channel = channel
        self._guard = guard
        self._dialect = dialect
        self._statements = Statements()
        self._declared = Declared()
        self._directory: Any = None
        self._rooms: List[Any] = []
        self._models: List[Any] = []
        """What env.py gives Alembic to compare with."""
        self._urls: Optional[List[str]] = None
        """What is left to give env.py, once it has said that it misses a URL."""
        self._based: Set[str] = set()
        """The databases in which the baseline is made already."""
        self._walks: List[Any] = []
        self._active: Optional[Any] = None
        self._found: Dict[str, List[Any]] = {}

    def run(self) -> None:
        """Look at env.py, then walk until nothing is left to do."""
        self._project = project = Project(self._plan)
        self._config, self._directory = project.config, project.directory
        self._scripts = project.scripts
        self._channel.beat(project.where)
        self._channel.send(events.STARTING, phase="env.py")
        if project.enter_application():
            # Some applications migrate their database while they start.
            self._dialect.empty()
        if self._plan["baseline_revision"] and not self._plan["baseline"]:
            raise Cannot("`baseline-revision` is set without `baseline`, which makes its schema")
        self._look()
        self._refuse_what_was_let_pass()
        if self._plan["taken"]:
            self._take_over()
            self._say_started()
        else:
            self._say_started()
            self._begin()
        self._set_out()
        # What migrations make goes at once, nearly all of it.
        gc.set_threshold(_YOUNG)
        while not all(walk.over for walk in self._walks):
            self._run_once()
            self._refuse_what_was_let_pass()

    def _refuse_what_was_let_pass(self) -> None:
        """Not even where env.py can live without, or a thread or a child of its own wanted it."""
        if self._guard.let_pass:
            raise Cannot(self._guard.let_pass)

    # --- a look at env.py: which databases, which revisions ---

    def _look(self) -> None:
        """Have env.py say; what it may have missed to get there, it is given then."""
        first = error = self._look_once()
        while first is not None and error is not None:
            self._rooms.clear()
            try:
                again = self._give_what_is_missing(error)
            except (baseline.BaselineError, dialects.Locked) as problem:
                raise Cannot(
                    f"{first}; {problem}", homeless=first.homeless, failed=first.failed
                ) from problem
            if not again:
                # Another time something else is wrong, often because it was not the first time.
                raise first
            error = self._look_once()

    def _give_what_is_missing(self, error: Cannot) -> bool:
        """A URL where it could not connect, else what the baseline makes; whether it was new."""
        if error.wants or isinstance(error.__cause__, redirect.Refused):
            return False
        return self._give_baseline(error) if self._guard.databases else self._give_url(error)

    def _give_url(self, error: Cannot) -> bool:
        from .project import urls

        cause = error.__cause__
        if cause is None:
            return False
        if self._urls is None:
            self._urls = urls.to_try(self._plan["kind"], self._config, cause)
        elif not urls.is_awaiting(cause):
            return False
        if not self._urls:
            return False
        urls.give(self._config, self._urls.pop(0))
        return True

    def _give_baseline(self, error: Cannot) -> bool:
        """Make it in the databases that were connected to since; whether there are any."""
        setting = self._plan["baseline"]
        if not setting or (setting == baseline.TARGET_METADATA and not self._models):
            return False
        # With the frames of env.py its connection goes, and what that holds locked.
        error.__cause__ = error.__context__ = error.__traceback__ = None
        gc.collect()
        rooms = [room for room in self._dialect.rooms() if room.database not in self._based]
        for room in rooms:
            room.clear()
            self._make_baseline(room)
            self._based.add(room.database)
        return bool(rooms)

    def _begin(self) -> None:
        """Leave nothing in the databases but what the history begins with."""
        for room in self._rooms:
            if room.database in self._based:
                continue  # where the version table is may be of the baseline
            room.clear()
            if self._plan["baseline"]:
                self._make_baseline(room)

    def _make_baseline(self, room: Any) -> None:
        self._declared.listening = True
        try:
            baseline.apply(self._plan["baseline"], room, self._models)
        finally:
            self._declared.listening = False

    def _look_once(self) -> Optional[Cannot]:
        """What kept env.py from running migrations; nothing where it did."""
        from .project import environment

        try:
            environment.run(self._config, self._directory, self._note)
        except Cannot as error:
            return error
        except dialects.Unusable:
            raise
        except (Exception, SystemExit, redirect.Refused) as error:  # noqa: BLE001 - it is told
            cannot = self._project.failed_early(error, self._project.env_py)
            cannot.__cause__ = error
            return cannot
        if not self._rooms:
            return Cannot(
                f"{self._project.env_py} ended without calling `context.run_migrations()`"
            )
        return None

    def _note(self, number: int, context: Any) -> Iterable[Any]:
        from alembic.util import CommandError

        from .project.scripts import NoParent

        if context.connection is None or context.as_sql:
            raise Cannot("env.py runs migrations without a connection")
        if number == 0:
            # Here and not earlier: some migrations use `op` while they are being loaded.
            try:
                self._select()
            except CommandError as error:
                raise Cannot(f"{error}", history=isinstance(error, NoParent)) from error
        # By now Alembic has made its version table, which every saved state must have.
        context.connection.connection.commit()
        try:
            room = self._dialect.room(context.connection, context.version_table)
        except LookupError as error:
            raise Cannot("env.py's connection is not to a scratch database") from error
        if self._plan["commits"]:
            room.commits = room.always_commits = True
        self._rooms.append(room)
        self._models = baseline.models(context.opts.get("target_metadata"))
        return ()

    def _select(self) -> None:
        from . import kept

        taken = self._plan["taken"]
        if not taken:
            self._scripts.select(
                self._plan["revisions"], self._plan["parts"], full=self._plan["full_cycle"]
            )
            if self._plan["baseline_revision"]:
                self._scripts.start_at(self._plan["baseline_revision"])
            return
        try:
            self._scripts = kept.Later(self._directory, taken)
        except Exception as error:
            # Whatever is wrong with a script: with all others loaded Alembic says it best.
            raise dialects.Unusable(f"{type(error).__name__}: {error}") from error

    def _take_over(self) -> None:
        """Begin with the state that an earlier rehearsal handed on."""
        from . import kept

        taken = self._plan["taken"]
        if len(self._rooms) != 1:
            raise dialects.Unusable("env.py has several databases")
        if taken["versions"] != kept.versions(self._dialect):
            raise dialects.Unusable("it was made with other versions")
        kept.take_over(self._rooms[0], taken, self._declared)

    def _hand_on(self, room: Any) -> None:
        """Hand on the state that the revision to rehearse begins with."""
        from . import kept

        if len(self._guard.databases) != 1:
            return  # what is in another one would be missing
        try:
            kept.hand_on(room, self._plan["hand_on"], self._declared)
        except dialects.Unusable:
            return
        # All of them were loaded; those before the revision are known by their own keys.
        scripts = [script.path for script in self._directory.walk_revisions()]
        self._channel.send(
            events.KEPT,
            versions=kept.versions(self._dialect),
            sources=kept.sources(self._guard.seen.files, scripts, self._plan["folder"]),
            listed=kept.listed(self._guard.seen.folders, self._plan["folder"]),
            places=kept.places(),
        )

    def _say_started(self) -> None:
        self._channel.send(
            events.STARTED,
            database=self._dialect.name,
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
        from .trip.cycle import Cycle
        from .trip.walk import Walk
        from .way_back.trial import WayBack

        if self._plan["written"] and len(self._rooms) > 1:
            raise Cannot(
                "its upgrade is for several databases, and such downgrades are not written"
            )
        for number, room in enumerate(self._rooms):
            walk = Walk(
                self._scripts,
                room,
                self._channel,
                self._statements,
                self._declared,
                self._project.is_ours,
                self._guard.step,
            )
            label = self._label(number, walk)
            plan = {**self._plan, "models": self._plan["models"] and self._knows_models()}
            told = self._scripts, room, self._declared, plan, label, self._finish
            if self._plan["written"]:
                cycle = Cycle(*told, trip=partial(WayBack, self._channel))
            else:
                wanted = self._plan["hand_on"] and len(self._rooms) == 1
                cycle = Cycle(*told, hand_on=self._hand_on if wanted else None)
            self._walks.append(walk)
            walk.begin(cycle.way())

    def modelled(self) -> List[str]:
        """The names of the tables that today's models make, and of their schemas."""
        tables = [table for each in self._models for table in each.tables.values()]
        return sorted({name for each in tables for name in (each.name, each.schema) if name})

    def _knows_models(self) -> bool:
        """Whether today's models can make the schema: of one database, into which they all go."""
        return bool(self._models) and len(self._rooms) == 1

    def _label(self, number: int, walk: Any) -> Any:
        if len(self._rooms) == 1:
            return lambda: ""
        # The first database of Flask-Migrate has no name.
        names = {None: f"database {number + 1}", "": "<default>"}
        return lambda: f"{names.get(walk.label, walk.label)}."

    def _finish(self, findings: Any) -> None:
        """Say what was found, once every database has had its turn."""
        parts = self._found.setdefault(findings.revision, [])
        parts.append(findings)
        if len(parts) == len(self._rooms):
            for part in self._found.pop(findings.revision)[1:]:
                parts[0].absorb(part)
            found = parts[0]
            self._channel.send(
                events.FINISHED,
                evidence=found.to_json(),
                missing=found.missing,
                lacking=found.lacking,
            )

    def _run_once(self) -> None:
        """One run of env.py: to the end of all walks, or to the first step that fails."""
        from .project import environment
        from .trip.walk import REST

        self._active = None
        error: Optional[BaseException] = None
        try:
            environment.run(self._config, self._directory, self._steps)
        except Cannot:
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever a migration raises is its verdict
            error = raised
        self._check_held()
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
            self._check_held()
        elif not resting and not all(each.over for each in self._walks):
            problem = error or RuntimeError("it ended before all databases")
            raise self._project.failed_early(problem, self._project.env_py)

    def _check_held(self) -> None:
        if any(room.unheld for room in self._rooms):
            raise dialects.Unheld

    def _steps(self, number: int, context: Any) -> Iterable[Any]:
        if number >= len(self._walks):
            raise Cannot("env.py ran migrations for more databases than before")
        self._active = self._walks[number]
        steps: Iterable[Any] = self._walks[number].steps(context)
        return steps
