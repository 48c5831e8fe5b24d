"""The way out of the agent: a pipe no migration can print on."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import Any, Callable, Optional, Tuple

from . import events

BEAT_SECONDS = 0.5


class Channel:
    """Sends messages whole, whatever thread they come from."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._held = b""
        self._printed = os.dup(2)
        """What the project prints goes there."""

    @classmethod
    def take_over_stdout(cls) -> Channel:
        """Keep the pipe we were started with on stdout; what is printed goes to stderr from now.

        Works the same on every platform, unlike passing a descriptor by number; the copy is not
        inherited, so a migration's children cannot hold it open.
        """
        descriptor = os.dup(1)
        os.dup2(2, 1)
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
        return cls(descriptor)

    def end_if_forked(self) -> None:
        """End a process that is a copy of ours: a migration forked, and the copy came back."""
        if os.getpid() != self._process:
            os._exit(1)

    def mark(self) -> None:
        """Have what is printed from now be told from what was printed before."""
        os.write(self._printed, events.MARK)

    def reopen_streams(self) -> None:
        """Let others print where a migration has closed what they would print on."""
        for number, name in ((1, "stdout"), (2, "stderr")):
            try:
                os.fstat(number)
            except OSError:
                os.dup2(self._printed, number)
            if _is_closed(getattr(sys, name)):
                file = io.FileIO(number, "w", closefd=False)
                stream = io.TextIOWrapper(file, errors="backslashreplace", line_buffering=True)
                setattr(sys, name, stream)

    def hold(self, kind: str, **fields: Any) -> None:
        """Send a message together with the next one, which will follow soon."""
        self.end_if_forked()
        with self._lock:
            self._held += events.encode(kind, **fields)

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message; where nobody listens any more there is nothing left to do."""
        self.end_if_forked()
        message = events.encode(kind, **fields)
        with self._lock:
            data, self._held = memoryview(self._held + message), b""
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                os._exit(1)

    def beat(self, where: Callable[[], Optional[Tuple[str, int]]]) -> None:
        """Say every half second that we live, and where the main thread is."""
        # At once, as what hangs may let no thread begin.
        self.send(events.BEAT, path=None, line=None)

        def run() -> None:
            pause = threading.Event()
            while not pause.wait(BEAT_SECONDS):
                path, line = where() or (None, None)
                self.send(events.BEAT, path=path, line=line)

        threading.Thread(target=run, name="alembic-roundtrip-beat", daemon=True).start()


def _is_closed(stream: Any) -> bool:
    try:
        return bool(getattr(stream, "closed", False))
    except ValueError:  # detached from what it wrote to
        return True
