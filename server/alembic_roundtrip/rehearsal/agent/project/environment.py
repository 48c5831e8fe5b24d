"""Runs the project's env.py, once for as many steps as it lasts: on a database, or for SQL."""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator, List, Optional, Sequence

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

Work = Callable[[int, Any], Iterable[Any]]
"""Gives the steps for the n-th database of a run, from its MigrationContext."""
Writing = Callable[[Sequence[str], Any, io.StringIO], Iterable[Any]]
"""Gives the steps from some heads, whose SQL goes into the buffer."""


def run(config: Config, directory: ScriptDirectory, work: Work) -> None:
    """Run env.py with our steps.

    Everything env.py sets stays as it is, except that each migration has its own transaction:
    one around hundreds of revisions exhausts the locks of a server.
    """
    calls = 0

    def steps(_heads: Any, context: Any) -> Iterable[Any]:
        nonlocal calls
        calls += 1
        return work(calls - 1, context)

    # "heads" and not "head": env.py may ask for it, and a history may have several.
    environment = EnvironmentContext(
        config,
        directory,
        fn=steps,
        as_sql=False,
        starting_rev=None,
        destination_rev="heads",
        tag=None,
    )
    configure = environment.configure

    def configure_ours(connection: Optional[Any] = None, *rest: Any, **options: Any) -> None:
        options["transaction_per_migration"] = True
        configure(connection, *rest, **options)

    # A subclass would leave `alembic.context` empty: its proxies are set up per class.
    environment.configure = configure_ours  # type: ignore[method-assign]
    with environment, in_the_same_folder():
        directory.run_env()


def write(
    config: Config,
    directory: ScriptDirectory,
    work: Writing,
    current: Sequence[str],
    target: str,
) -> None:
    """Run env.py as `alembic downgrade CURRENT:TARGET --sql` does, with our steps and buffers."""
    buffers: List[io.StringIO] = []
    environment = EnvironmentContext(
        config,
        directory,
        fn=lambda heads, context: work(heads, context, buffers[-1]),
        as_sql=True,
        starting_rev=list(current),
        destination_rev=target,
        tag=None,
    )
    configure = environment.configure

    def configure_ours(connection: Optional[Any] = None, *rest: Any, **options: Any) -> None:
        buffers.append(io.StringIO())
        options["output_buffer"] = buffers[-1]
        configure(connection, *rest, **options)

    environment.configure = configure_ours  # type: ignore[method-assign]
    with environment, in_the_same_folder():
        directory.run_env()


@contextmanager
def in_the_same_folder() -> Iterator[None]:
    """Come back to the working directory: every `alembic` command would begin there."""
    here = os.getcwd()
    try:
        yield
    finally:
        os.chdir(here)


@contextmanager
def as_it_was() -> Iterator[None]:
    """Put back what a step leaves changed of its process, which others are not to meet.

    Variables that it adds stay: a module sets them once, as it is loaded, for whoever comes later.
    """
    variables, depth = dict(os.environ), sys.getrecursionlimit()
    try:
        with in_the_same_folder():
            yield
    finally:
        if sys.getrecursionlimit() < depth:
            sys.setrecursionlimit(depth)
        os.environ.update(variables)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
