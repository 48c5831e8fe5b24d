"""Several processes that check the migrations of one environment, each some in a row.

A process reads its migrations while another one is still busy with those before them, and takes
over the schemas that they start from. It ends with its parent, however that ends.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, cast

from alembic_roundtrip.checker import selected
from alembic_roundtrip.linting.checking import Checked, Job, check

_KEPT = 4
"""Of the schemas between two chunks, one in so many is kept for the next run."""
_PATIENCE = 1.0


def shared_out(job: Job, chunks: Sequence[Sequence[Path]], count: int) -> dict[int, list[Checked]]:
    """What the processes found, by chunk; chunk n is done by process n modulo their number."""
    done: dict[int, list[Checked]] = {}
    schemas: dict[int, bytes] = {0: pickle.dumps({})}
    waiting: dict[int, Connection] = {}
    with _started(job, chunks, min(count, len(chunks))) as connections:
        todo = {each: list(range(len(chunks)))[at::count] for at, each in enumerate(connections)}
        for connection, numbers in todo.items():
            _next(connection, numbers)
        open_ones = list(connections)
        while open_ones:
            for ready in wait(open_ones):
                connection = cast("Connection", ready)
                try:
                    kind, number, value = connection.recv()
                except (EOFError, OSError):
                    return done
                if kind == "waits":
                    waiting[number] = connection
                elif kind == "schemas":
                    schemas[number] = value
                else:
                    files = chunks[number]
                    done[number] = [
                        (file, *found) for file, found in zip(files, value, strict=True)
                    ]
                    if not _next(connection, todo[connection]):
                        open_ones.remove(connection)
            for number in [number for number in waiting if number in schemas]:
                waiting.pop(number).send_bytes(schemas.pop(number))
    return done


def _next(connection: Connection, numbers: list[int]) -> bool:
    """Have a process do its next chunk, if there is one; otherwise have it end."""
    number = numbers.pop(0) if numbers else None
    connection.send(number)
    return number is not None


@contextmanager
def _started(job: Job, chunks: Sequence[Sequence[Path]], count: int) -> Iterator[list[Connection]]:
    """Processes that are gone afterwards, whatever happens."""
    # What was read and loaded so far comes along with a fork; elsewhere it is sent.
    selected(job.workspace.settings_of(job.environment))
    forks = sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("fork" if forks else "spawn")
    processes, connections = [], []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            connections.append(ours)
            others = tuple(connections) if forks else ()
            arguments = (theirs, job, chunks, os.getpid(), others)
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
        yield connections
    finally:
        for connection in connections:
            connection.close()
        for process in processes:
            process.terminate()
            process.join()


def _work(
    connection: Connection,
    job: Job,
    chunks: Sequence[Sequence[Path]],
    parent: int,
    inherited: tuple[Connection, ...],
) -> None:
    """A process: take a chunk, read it, wait for the schemas it starts from, check it.

    Chunks are named by number: to send thousands of paths takes longer than to check some files.
    """
    gc.disable()
    for end in inherited:
        end.close()  # so that the parent's end is gone when the parent is
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    scripts = job.workspace.scripts(job.environment)
    while _more(connection, parent):
        number = connection.recv()
        if number is None:
            return
        for file in chunks[number]:
            scripts.migration(file)
        connection.send(("waits", number, None))
        if not _more(connection, parent):
            return
        scripts.take_schemas(pickle.loads(connection.recv_bytes()))  # noqa: S301 - our parent's
        if number + 1 < len(chunks):
            schemas = scripts.schemas_across(chunks[number + 1][0])
            if number % _KEPT == 0:
                scripts.keep_schemas(schemas)
            connection.send(("schemas", number + 1, pickle.dumps(schemas, pickle.HIGHEST_PROTOCOL)))
        found = [(revision, diagnostics) for _, revision, diagnostics in check(job, chunks[number])]
        connection.send(("done", number, found))


def _more(connection: Connection, parent: int) -> bool:
    """Wait for the parent; false where it is gone."""
    while not connection.poll(_PATIENCE):
        if os.getppid() != parent:
            return False
    return True
