"""Projects behind the guard: written to disk, run in a process of their own, and looked over."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import platform
import re
import select
import socket
import sqlite3
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alembic_roundtrip.rehearsal.agent.guard import kernel

HERE = Path(__file__).parent
AGENT = HERE.parents[1] / "server/alembic_roundtrip/rehearsal/agent"
# Another interpreter, with other versions of Alembic and SQLAlchemy, can be put to the same tests.
PYTHON = os.environ.get("ROUNDTRIP_TEST_PYTHON", sys.executable)


def has_kernel_layer() -> bool:
    """Whether our own code finds it."""
    return kernel.version() >= kernel.TCP_VERSION and kernel.takes_filters()


def must_have_kernel_layer() -> bool:
    """Whether nothing may be missing, and this Linux has it, seen from outside."""
    listed = Path("/sys/kernel/security/lsm")
    release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    return (
        "ROUNDTRIP_NOTHING_MISSING" in os.environ
        and sys.platform == "linux"
        and platform.machine() in {"x86_64", "aarch64"}
        and release >= (6, 7)
        and ("landlock" in listed.read_text() if os.access(listed, os.R_OK) else True)
    )


needs_kernel_layer = pytest.mark.skipif(
    not (has_kernel_layer() or must_have_kernel_layer()), reason="needs Landlock and seccomp"
)
LEVELS = pytest.mark.parametrize(
    "level", [pytest.param("kernel", marks=needs_kernel_layer), "process"]
)

RUN = """
with connectable.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
ENGINE = "connectable = sa.create_engine('sqlite:///@REAL@')\n"
HEAD = """\
import asyncio, os, sqlite3, threading
import sqlalchemy as sa
from alembic import context
from sqlalchemy import event, pool
config = context.config
"""
MIGRATION = """\
import sqlalchemy as sa
from alembic import op
revision = "0001"
down_revision = None

def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))
"""


@cache
def sqlalchemy_version() -> str:
    code = "import sqlalchemy; print(sqlalchemy.__version__)"
    return subprocess.run(
        [PYTHON, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


@dataclass(frozen=True)
class Outcome:
    level: str
    error: list[str] | None
    refusals: list[str]
    databases: dict[str, list[str]]
    untouched: bool
    """Whether every file of the project is what it was, and none was added."""


class Door:
    """The process that the guarded ones are made by."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [PYTHON, HERE / "guard_door.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        atexit.register(self.close)

    def answer(self, request: dict[str, Any]) -> str:
        """The exit status of the one that a request was for."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], 60)
        assert ready, f"no answer within a minute: {request}"
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


@cache
def door() -> Door:
    return Door()


class Decoy:
    """A server that stands for a real one: it listens on TCP, UDP and a Unix socket, and counts."""

    def __init__(self, folder: Path) -> None:
        self.reached: list[str] = []
        self.closed = False
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self.folder = folder
        self._unix = socket.socket(socket.AF_UNIX)
        self._unix.bind(str(folder / f".s.PGSQL.{self.port}"))
        self._unix.listen()
        for name, server in (("tcp", self._tcp), ("unix", self._unix)):
            threading.Thread(target=self._accept, args=(name, server), daemon=True).start()

    def _accept(self, name: str, server: socket.socket) -> None:
        while True:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                self.reached.append(name)
                connection.close()
                continue
            return

    def close(self) -> None:
        """Let queued connections in first, so that none goes uncounted."""
        self.closed = True
        for family, address in (
            (socket.AF_INET, ("127.0.0.1", self.port)),
            (socket.AF_UNIX, str(self.folder / f".s.PGSQL.{self.port}")),
        ):
            with socket.socket(family) as last:
                last.connect(address)
                last.settimeout(5)
                last.recv(1)
        self._udp.setblocking(False)  # noqa: FBT003
        with contextlib.suppress(BlockingIOError):
            self._udp.recv(1)
            self.reached.append("udp")
        self.reached.remove("tcp")
        self.reached.remove("unix")
        for server in (self._tcp, self._unix):
            server.shutdown(socket.SHUT_RDWR)
            server.close()
        self._udp.close()


@dataclass
class Project:
    folder: Path
    scratch: Path
    decoy: Decoy | None = None
    kind: str = "sqlite"
    place: dict[str, Any] = field(default_factory=dict)

    @property
    def real(self) -> Path:
        return self.folder / "real.db"

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.filled(text), encoding="utf-8")

    def filled(self, text: str) -> str:
        """A text with the places of this project put in."""
        text = text.replace("@REAL@", str(self.real)).replace("@HERE@", str(self.folder))
        if self.decoy:
            text = text.replace("@PORT@", str(self.decoy.port))
            text = text.replace("@SOCKETS@", str(self.decoy.folder))
        return text

    def run(
        self,
        env: str,
        *,
        level: str = "process",
        migration: str = MIGRATION,
        agent: Path = AGENT,
    ) -> Outcome:
        self.write({"migrations/env.py": HEAD + env, "migrations/versions/0001.py": migration})
        before = self._state()
        variables = {"DATABASE_URL": f"sqlite:///{self.real}", "PGPASSWORD": "secret"}
        arguments = str(agent), str(self.scratch), level, self.kind, self.place
        output, errors = (self.folder.parent / name for name in ("output", "errors"))
        request = {
            "arguments": arguments,
            "folder": str(self.folder),
            "variables": {**os.environ, **variables},
            "output": str(output),
            "errors": str(errors),
        }
        status = door().answer(request)
        assert output.read_text().strip(), f"{status}: {errors.read_text()}"
        found: dict[str, Any] = json.loads(output.read_text().strip().splitlines()[-1])
        found["databases"] = dict(found["databases"])
        return Outcome(**found, untouched=self._state() == before)

    @staticmethod
    def shared_library(name: str) -> str:
        """The path of a shared library that is known by name."""
        listed = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True)
        return next(line.split()[-1] for line in listed.stdout.splitlines() if name in line)

    def _state(self) -> dict[str, tuple[str, int]]:
        return {
            str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


def make_project(folder: Path) -> Project:
    project = Project(folder / "project", folder / "scratch")
    project.folder.mkdir()
    with contextlib.closing(sqlite3.connect(project.real)) as connection:
        connection.execute("CREATE TABLE precious (x)")
        connection.execute("INSERT INTO precious VALUES (1)")
        connection.commit()
    ini = "[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = sqlite:///@REAL@\n"
    project.write({"alembic.ini": ini})
    return project
