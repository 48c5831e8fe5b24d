"""What is no database: connections to it are denied, and the project may do without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.guarded import ENGINE, LEVELS, RUN, Decoy, Project, make_project

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
SYSLOG = "import logging.handlers, socket\nhandler = logging.handlers.SysLogHandler({})\n"
LOG = "logging.getLogger().addHandler(handler)\nlogging.getLogger().error('told to nobody')\n"
ROUTES = {
    "a cache": PACKAGE + "import cache_client\ncache_client.connect('127.0.0.1', @PORT@)\n",
    "its name": PACKAGE + "import cache_client\ncache_client.connect('cache.invalid', @PORT@)\n",
    "in an event loop": (
        PACKAGE + "import cache_client\n"
        "asyncio.run(cache_client.connect_soon('127.0.0.1', @PORT@))\n"
    ),
    "syslog": SYSLOG.format("('127.0.0.1', @PORT@)") + LOG,
    "syslog over TCP": (SYSLOG.format("('127.0.0.1', @PORT@), socktype=socket.SOCK_STREAM") + LOG),
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


@LEVELS
def test_what_connects_to_a_database_is_refused_although_it_lets_errors_pass(
    project: Project, level: str
) -> None:
    assert project.decoy is not None
    code = ROUTES["a cache"].replace("cache_client", "pymongo")

    outcome = project.run(code.replace("@HERE@", str(project.folder)) + ENGINE + RUN, level=level)

    assert "opens a network connection to 127.0.0.1" in outcome.refusals[0]
    project.decoy.close()
    assert project.decoy.reached == []
