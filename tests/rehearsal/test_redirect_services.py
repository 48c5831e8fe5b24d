"""What is no database: connections to it are denied, and the project may do without."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.guarded import AGENT, ENGINE, LEVELS, RUN, Decoy, Project, make_project

CONNECT = """
import asyncio, logging, socket
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
async def connect_in_tasks(*address):
    each = asyncio.open_connection(*address)
    await asyncio.gather(asyncio.wait_for(each, 5), return_exceptions=True)
class Handler(logging.Handler):
    def emit(self, record):
        connect(*record.args)
def tell(*address):
    logging.error("told %s %s", *address)
"""
PACKAGES = {
    "cache_client": CONNECT,
    "pymongo": CONNECT,
    "trino": """
import cache_client
def query(*address):
    cache_client.connect(*address)
async def query_soon(*address):
    await cache_client.connect_in_tasks(*address)
""",
}
IMPORTS = """
import sys; sys.path.append('@HERE@/site-packages')
import cache_client, logging, logging.handlers, pymongo, socket, trino
"""
OWN = """
try:
    socket.create_connection(('127.0.0.1', @PORT@))
except OSError:
    pass
"""
SYSLOG = "handler = logging.handlers.SysLogHandler({})\n"
LOG = "logging.getLogger().addHandler(handler)\nlogging.getLogger().error('told to nobody')\n"
TOLD = "logging.getLogger().handlers = [{}.Handler()]\n"
CLEARED = "logging.getLogger().handlers.clear()\n"
ROUTES = {
    "a cache": "cache_client.connect('127.0.0.1', @PORT@)\n",
    "its name": "cache_client.connect('cache.invalid', @PORT@)\n",
    "in an event loop": "asyncio.run(cache_client.connect_soon('127.0.0.1', @PORT@))\n",
    "its name in a loop": "asyncio.run(cache_client.connect_soon('cache.invalid', @PORT@))\n",
    "in tasks": "asyncio.run(cache_client.connect_in_tasks('127.0.0.1', @PORT@))\n",
    "its name in tasks": "asyncio.run(cache_client.connect_in_tasks('cache.invalid', @PORT@))\n",
    "syslog": SYSLOG.format("('127.0.0.1', @PORT@)") + LOG,
    "syslog over TCP": (SYSLOG.format("('127.0.0.1', @PORT@), socktype=socket.SOCK_STREAM") + LOG),
    "syslog of an older Python": (
        SYSLOG.format("('127.0.0.1', @PORT@), socktype=socket.SOCK_STREAM")
        # Before 3.11 there is none until it is connected.
        + "vars(handler).pop('socket', None)\nhandler.close()\n"
    ),
    "syslog by its socket": SYSLOG.format("'@SOCKETS@/.s.PGSQL.@PORT@'") + LOG,
    "a log file": (
        "handler = logging.handlers.RotatingFileHandler('@HERE@/app.log', maxBytes=1)\n" + LOG
    ),
    "a log server": "handler = logging.handlers.SocketHandler('127.0.0.1', @PORT@)\n" + LOG,
    "a log of a driver": (
        TOLD.format("cache_client") + "pymongo.tell('127.0.0.1', @PORT@)\n" + CLEARED
    ),
}
REFUSED = {
    "a driver": "pymongo.connect('127.0.0.1', @PORT@)\n",
    "a driver in tasks": "asyncio.run(pymongo.connect_in_tasks('127.0.0.1', @PORT@))\n",
    "by another package": "trino.query('127.0.0.1', @PORT@)\n",
    "by another package in tasks": "asyncio.run(trino.query_soon('db.invalid', @PORT@))\n",
    "a log in a database": (
        TOLD.format("pymongo") + "cache_client.tell('127.0.0.1', @PORT@)\n" + CLEARED
    ),
    "the project's own": OWN,
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    project.decoy = Decoy(tmp_path)
    packages = project.folder / "site-packages"
    for name, code in PACKAGES.items():
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text(code)
    yield project
    if not project.decoy.closed:
        project.decoy.close()


@LEVELS
def test_a_project_that_can_do_without_services_goes_on(project: Project, level: str) -> None:
    assert project.decoy is not None

    outcome = project.run(f"{IMPORTS}{''.join(ROUTES.values())}{ENGINE}{RUN}", level=level)

    assert outcome.refusals == []
    assert outcome.error is None
    project.decoy.close()
    assert project.decoy.reached == []
    assert outcome.untouched


@LEVELS
def test_what_connects_to_a_database_is_refused_although_it_lets_errors_pass(
    project: Project, level: str
) -> None:
    assert project.decoy is not None
    code = IMPORTS
    for tried in REFUSED.values():
        code += f"try:\n{textwrap.indent(tried, '    ')}\nexcept BaseException as error:\n"
        code += "    assert type(error).__name__ == 'Refused', error\n"

    outcome = project.run(code + ENGINE + RUN, level=level)

    assert outcome.error is None
    assert len(outcome.refusals) == len(REFUSED)
    project.decoy.close()
    assert project.decoy.reached == []


@LEVELS
@pytest.mark.parametrize("route", ["a cache", "the project's own"])
def test_an_installed_agent_takes_itself_for_nobodys_package(
    project: Project, route: str, level: str, tmp_path: Path
) -> None:
    installed = tmp_path / "site-packages" / "alembic_roundtrip" / "rehearsal" / "agent"
    shutil.copytree(AGENT, installed)
    code = {**ROUTES, "the project's own": OWN}[route]

    outcome = project.run(IMPORTS + code + ENGINE + RUN, level=level, agent=installed)

    assert len(outcome.refusals) == (route == "the project's own")
    assert (outcome.error is None) == (route != "the project's own")
