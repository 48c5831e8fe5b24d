"""What commands cost: each a process of its own, with its children and, where told, a server."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Cost:
    """What runs of one command took, children included: seconds, CPU seconds, and MiB at most."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def add(
        self,
        command: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        elsewhere: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Run a command once more; `elsewhere` is CPU time that it costs a server."""
        before = elsewhere()
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status) not in {0, 1}:
            raise SystemExit(f"{' '.join(command)}: {said.decode()}")
        self.wall.append(time.perf_counter() - started)
        self.cpu.append(usage.ru_utime + usage.ru_stime + elsewhere() - before)
        self.memory.append(usage.ru_maxrss / 1024)

    def line(self, name: str) -> str:
        """Medians."""
        wall, cpu, memory = map(statistics.median, (self.wall, self.cpu, self.memory))
        return f"{name:<34}{wall:8.2f} s {cpu:8.2f} s CPU {memory:6.0f} MiB"


def say(text: str) -> None:
    """Print a line at once: a benchmark runs for minutes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
