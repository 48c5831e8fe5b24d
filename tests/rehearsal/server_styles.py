"""What is the same of env.py styles whichever server they connect to, and how they are tried."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal import databases
from rehearsal.guarded import RUN, Decoy, Outcome, Project
from rehearsal.test_redirect import BEGIN, IN_THREAD, SESSION

OWN_DO_CONNECT = """
@event.listens_for({}, "do_connect")
def token(dialect, record, cargs, cparams):
    cparams.update(host="127.0.0.1", port=@PORT@, password="token")
    {}
"""
SOCKETS: Mapping[str, str] = {
    "a socket": "import socket\nsocket.create_connection(('127.0.0.1', @PORT@))",
    "a Unix socket": "import socket\n"
    "socket.socket(socket.AF_UNIX).connect('@SOCKETS@/.s.PGSQL.@PORT@')",
}


def styles_of(engine: str, driver: str) -> dict[str, str]:
    """Styles given the code that makes a `connectable`, and the module it connects by."""
    return {
        "the stock template": "connectable = sa.engine_from_config(config.get_section("
        "config.config_ini_section), prefix='sqlalchemy.', poolclass=pool.NullPool)" + RUN,
        **{
            f"poolclass {name}": engine.replace("')", f"', poolclass=pool.{name})") + RUN
            for name in ("NullPool", "QueuePool", "StaticPool", "SingletonThreadPool")
        },
        "a do_connect of the engine": engine + OWN_DO_CONNECT.format("connectable", "") + RUN,
        "a do_connect of all engines": OWN_DO_CONNECT.format("sa.engine.Engine", "") + engine + RUN,
        "a do_connect that connects": engine
        + f"import {driver}\n"
        + OWN_DO_CONNECT.format("connectable", f"return {driver}.connect(**cparams)")
        + RUN,
        "autocommit": engine.replace("')", "', isolation_level='AUTOCOMMIT')") + RUN,
        "serializable": engine.replace("')", "', isolation_level='SERIALIZABLE')") + RUN,
        "begin": engine + BEGIN,
        "a session": engine + SESSION,
        "a thread": engine + IN_THREAD,
        "a raw connection before": engine + "connectable.raw_connection().close()\n" + RUN,
        "two engines": engine
        + "other = connectable\n"
        + engine
        + "other.connect().close()\n"
        + RUN,
        "echo and pre-ping": engine.replace("')", "', pool_pre_ping=True, echo_pool=True)") + RUN,
    }


@contextmanager
def project_on(kind: str, url: str, place: Path, files: Mapping[str, str]) -> Iterator[Project]:
    """Behind it a real scratch server, and a decoy where the project thinks its own is."""
    loop = asyncio.new_event_loop()
    opened = databases.KINDS[kind](Settings(database=kind))
    scratch = loop.run_until_complete(opened.__aenter__())
    sockets = place / "s"
    sockets.mkdir()
    decoy = Decoy(sockets)
    found = Project(place / "project", place / "scratch", decoy, kind, scratch)
    found.folder.mkdir()
    ini = f"[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = {url}\n"
    found.write({"alembic.ini": ini, **files})
    try:
        yield found
    finally:
        loop.run_until_complete(opened.__aexit__(None, None, None))
        loop.close()
    decoy.close()
    assert decoy.reached == []


def is_refused(outcome: Outcome) -> bool:
    """Whether a connection by hand was, with a sentence that names the line."""
    assert outcome.error is not None
    return "migrations/env.py line" in " ".join(outcome.refusals)
