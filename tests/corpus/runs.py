"""Our command line on a project of the corpus, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MARK = "CORPUS_RUN"


@dataclass(frozen=True)
class Run:
    """One command, over."""

    status: int
    output: str
    errors: str
    seconds: float
    processes: tuple[str, ...]
    """Command lines of what it started and did not end."""

    @property
    def document(self) -> Any:
        return json.loads(self.output)


def command_line(*arguments: str, cwd: Path, home: Path) -> Run:
    """Run `alembic-roundtrip`; caches and temporary files go into `home`."""
    mark = uuid.uuid4().hex
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    env = {"XDG_CACHE_HOME": str(home / "cache"), "TMPDIR": str(home / "tmp"), _MARK: mark}
    started = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-m", "alembic_roundtrip", *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - started
    return Run(result.returncode, result.stdout, result.stderr, seconds, _marked(mark))


def _marked(mark: str) -> tuple[str, ...]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_MARK}={mark}".encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return tuple(found)
