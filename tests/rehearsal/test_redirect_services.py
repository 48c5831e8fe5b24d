"""What is no database: connections to it are denied, and the project may do without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.guarded import AGENT, ENGINE, LEVELS, RUN, Decoy, Project, make_project

CONNECT = """
import asyncio, socket
def connect(*address):
    try:
        socket.create_connection(address)
    except OSError:
        return None
async def connect_soon(*address):
    try:
        await asyncio.open_connection(*address)
    except OSError:
        return None
"""
PACKAGE = "import sys; sys.path.append('@HERE@/site-packages')\n"
QUERY_OVER_HTTP = """
import cache_client
def query(*address):
    cache_client.connect(*address)
async def query_soon(*address):
    await cache_client.connect_soon(*address)
"""
OWN = """
import socket
try:
    socket.create_connection(('127.0.0.1', @PORT@))
except OSError:
    pass
"""
SYSLOG = "import logging.handlers, socket\nhandler = logging.handlers.SysLogHandler({})\n"
LOG = "logging.getLogger().addHandler(handler)\nlogging.getLogger().error('told to nobody')\n"
ROUTES = {
    "a cache": PACKAGE + "import cache_client\ncache_client.connect('127.0.0.1', @PORT@)\n",
    "its name": PACKAGE + "import cache_client\ncache_client.connect('cache.invalid', @PORT@)\n",
    "in an event loop": (
        PACKAGE + "import cache_client\n"
        "asyncio.run(cache_client.connect_soon('127.0.0.1', @PORT@))\n"
    ),
    "its name in an event loop": (
        PACKAGE + "import cache_client\n"
        "asyncio.run(cache_client.connect_soon('cache.invalid', @PORT@))\n"
    ),
    "syslog": SYSLOG.format("('127.0.0.1', @PORT@)") + LOG,
    "syslog over TCP": (SYSLOG.format("('127.0.0.1', @PORT@), socktype=socket.SOCK_STREAM") + LOG),
    "syslog of an older Python": (
        SYSLOG.format("('127.0.0.1', @PORT@), socktype=socket.SOCK_STREAM")
        # Before 3.11 there is none until it is connected.
        + "vars(handler).pop('socket', None)\nhandler.close()\n"
    ),
    "syslog by its socket": SYSLOG.format("'@SOCKETS@/.s.PGSQL.@PORT@'") + LOG,
    "a log server": (
        "import logging.handlers\n"
        "handler = logging.handlers.SocketHandler('127.0.0.1', @PORT@)\n" + LOG
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    project.decoy = Decoy(tmp_path)
    packages = project.folder / "site-packages"
    for name in ("cache_client", "pymongo"):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text(CONNECT)
    (packages / "trino").mkdir()
    (packages / "trino" / "__init__.py").write_text(QUERY_OVER_HTTP)
    yield project
    if not project.decoy.closed:
        project.decoy.close()


@LEVELS
@pytest.mark.parametrize("route", ROUTES)
def test_a_project_that_can_do_without_a_service_goes_on(
    project: Project, route: str, level: str
) -> None:
    assert project.decoy is not None
    code = ROUTES[route].replace("@HERE@", str(project.folder))

    outcome = project.run(f"{code}\n{ENGINE}{RUN}", level=level)

    assert outcome.error is None
    assert outcome.refusals == []
    project.decoy.close()
    assert project.decoy.reached == []
    assert outcome.untouched


REFUSED = {
    "a driver": (
        ROUTES["a cache"].replace("cache_client", "pymongo"),
        "opens a network connection to 127.0.0.1",
    ),
    "by another package": (
        PACKAGE + "import trino\ntrino.query('127.0.0.1', @PORT@)\n",
        "opens a network connection to 127.0.0.1",
    ),
    "by another package in an event loop": (
        PACKAGE + "import trino\nasyncio.run(trino.query_soon('db.invalid', @PORT@))\n",
        "looks up db.invalid",
    ),
    "the project's own": (OWN, "env.py line 9 opens a network connection to 127.0.0.1"),
}


@LEVELS
@pytest.mark.parametrize("route", REFUSED)
def test_what_connects_to_a_database_is_refused_although_it_lets_errors_pass(
    project: Project, route: str, level: str
) -> None:
    assert project.decoy is not None
    code, sentence = REFUSED[route]

    outcome = project.run(code.replace("@HERE@", str(project.folder)) + ENGINE + RUN, level=level)

    assert sentence in outcome.refusals[0]
    project.decoy.close()
    assert project.decoy.reached == []


@LEVELS
@pytest.mark.parametrize("route", ["a cache", "the project's own"])
def test_an_installed_agent_takes_itself_for_nobodys_package(
    project: Project, route: str, level: str, tmp_path: Path
) -> None:
    installed = tmp_path / "site-packages" / "alembic_roundtrip" / "rehearsal" / "agent"
    shutil.copytree(AGENT, installed)
    code = {**ROUTES, "the project's own": OWN}[route].replace("@HERE@", str(project.folder))

    outcome = project.run(code + ENGINE + RUN, level=level, agent=installed)

    assert len(outcome.refusals) == (route == "the project's own")
    assert (outcome.error is None) == (route != "the project's own")
