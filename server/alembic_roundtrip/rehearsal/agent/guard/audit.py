"""The audit layer: Python itself reports connections, programs and writes before they happen."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Optional

from . import origins
from .origins import LOGGING, caller, openers
from .refusal import Refusals
from .targets import Kind, inside

PROBE = "alembic_roundtrip.probe"
"""An event of our own, to see that the hook listens."""
ONLY_SCRATCH = "a rehearsal writes only to its scratch folder, and where `writable` allows it"
"""What a write elsewhere is told."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Fixed, harmless programs are started in these: ldconfig, uname, ip link, lsb_release.
_HARMLESS = frozenset({"ctypes.util", "platform", "uuid", "mysql.connector.utils"})
_STARTERS = frozenset({"subprocess", "os", "_pyrepl"})

_CONNECTING = frozenset(
    "connect sendto sendmsg sendmmsg system popen execl execle execlp execv execve execvp execvpe "
    "posix_spawn posix_spawnp sqlite3_open sqlite3_open_v2 sqlite3_open16 mysql_real_connect "
    "PQconnectdb PQconnectdbParams PQconnectStart PQconnectStartParams PQsetdbLogin".split()
)
"""Functions of C that reach a server, a program or a file of SQLite's."""

_WITHOUT = (
    "a rehearsal reaches nothing but its scratch database, and a variable that has the project do "
    "without can be given in the setting `env`"
)

_UNIX = getattr(socket, "AF_UNIX", None)
_IMPORTS = frozenset({"importlib", "_frozen_importlib_external", "zipimport"})

Handler = Callable[[tuple[Any, ...]], None]


class Seen:
    """What was looked at: files that were read, and folders whose entries were listed."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        """Links are not resolved."""
        self.folders: set[str] = set()
        """Without those that only the import system looked into."""


def install(
    folders: Sequence[str],
    refusals: Refusals,
    kind: Kind,
    judge: Callable[[Any], None],
    seen: Seen,
    databases: frozenset[str] = frozenset(),
    *,
    closed: bool,
) -> None:
    """Refuse connections, other programs and writes outside `folders`; `judge` is for SQLite files.

    `databases` are packages that connect to some: they are refused, and so is all that migrations
    do; others are only denied. What leads to the scratch server of this kind goes through. `seen`
    gets what is looked at from now on. `closed` says that the kernel binds programs as well.

    Raises `RuntimeError` where the interpreter does not let a hook in.
    """
    answered: list[tuple[Any, ...]] = []
    handlers: dict[str, Handler] = {
        PROBE: answered.append,
        "sqlite3.connect": lambda args: judge(args[0]),
        **_network(refusals, kind, databases, closed=closed),
        **_programs(refusals, closed),
        **_files(folders, seen.files),
        **_listings(seen.folders),
    }
    sys.addaudithook(_hook(handlers))
    sys.audit(PROBE)
    if not answered:
        raise RuntimeError("another audit hook vetoed it")


def _hook(handlers: Mapping[str, Handler]) -> Callable[[str, tuple[Any, ...]], None]:
    find = handlers.get

    def hook(event: str, args: tuple[Any, ...]) -> None:
        handler = find(event)
        if handler is not None:
            handler(args)

    return hook


def _network(
    refusals: Refusals, kind: Kind, databases: frozenset[str], *, closed: bool
) -> dict[str, Handler]:
    def made(args: tuple[Any, ...]) -> None:
        # There, none can be made while there is a server, so that `connect` is never asked for.
        if closed and kind.needs_network and args[1] == _UNIX and _is_new():
            deny(f"{caller()} opens a Unix socket; {_WITHOUT}")

    def connect(args: tuple[Any, ...]) -> None:
        if args[1] is None or _is_socketpair() or is_ours(args[1]):
            return
        if args[0].type == socket.SOCK_DGRAM:
            send_nothing(_address(args[1]))
        deny(f"{caller()} opens a network connection to {_address(args[1])}; {_WITHOUT}")

    def look_up(args: tuple[Any, ...]) -> None:
        if not _is_local(args[0]):
            deny(f"{caller()} looks up {_address(args[:2])} to connect to it; {_WITHOUT}")

    def look_up_name(args: tuple[Any, ...]) -> None:
        if refusals.of_step():
            look_up(args)
        elif not (_is_local(args[0]) or _names_us(args[0])):
            # Who asks for no more than that is not about to connect, and knows of names without.
            sentence = f"{caller()} looks up {_address(args[:1])}; {_WITHOUT}"
            refusals.charge(sentence)
            refusals.suspect(sentence)
            raise socket.gaierror(socket.EAI_NONAME, "a rehearsal looks up no names")

    def send_nothing(address: str) -> None:
        # No database is reached by these: metrics and logs, or a way to ask for one's address.
        packages, script = openers(), refusals.script
        sentence = f"{caller()} sends a datagram to {address}"
        if script and not packages and origins.is_innermost(script):
            refusals.record(f"{sentence}; {_WITHOUT}")
        elif LOGGING not in packages:
            if not origins.is_called_back(script):
                refusals.doubt(
                    f"{sentence}, which a rehearsal does not; it may matter where it waits "
                    "for an answer"
                )
            refusals.charge(f"{sentence}; {_WITHOUT}")
        raise OSError(errno.ENETUNREACH, f"a rehearsal sends no datagrams, as to {address}")

    def deny(sentence: str) -> None:
        packages = openers()
        # What a log lacks changes no migration.
        logs = LOGGING in packages
        decides = refusals.of_step() and not logs
        if not packages or not databases.isdisjoint(packages) or decides:
            refusals.refuse(sentence)
        if not logs:
            refusals.charge(sentence)
            refusals.suspect(sentence)
        # A cache, a log, a queue: applications can do without, and say so themselves if not.
        refusals.denied = sentence
        raise ConnectionRefusedError(errno.ECONNREFUSED, sentence)

    def is_ours(address: Any) -> bool:
        if not (isinstance(address, tuple) and len(address) >= 2):  # noqa: PLR2004 (host and port)
            return False
        return kind.leads_here({"host": _text(address[0]), "port": address[1]})

    return {
        "socket.__new__": made,
        "socket.connect": connect,
        "socket.sendto": connect,
        "socket.sendmsg": connect,
        "socket.getaddrinfo": look_up,
        "socket.gethostbyname": look_up_name,
        "socket.gethostbyaddr": look_up_name,
    }


def _is_new() -> bool:
    """Whether a socket is made, and not an object for one that is there."""
    frame = sys._getframe(3)  # noqa: SLF001 (whoever makes it)
    of_python = frame.f_code is socket.socket.__init__.__code__
    return not of_python or frame.f_locals.get("fileno") is None


def _is_socketpair() -> bool:
    # Where the system has no socketpair, asyncio's own wake-up pipe is a loopback connection.
    frame = sys._getframe(3)  # noqa: SLF001 (whoever called the socket)
    return frame.f_code.co_name in {"socketpair", "_fallback_socketpair"} and (
        frame.f_code.co_filename == socket.__file__
    )


def _is_local(host: Any) -> bool:
    name = os.fsdecode(host) if host is not None else ""
    if name in {"", "localhost", socket.gethostname()}:
        return True
    try:
        ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    return True


def _names_us(host: Any) -> bool:
    """Whether a name is this machine's, with its domain."""
    ours, asked = socket.gethostname(), os.fsdecode(host)
    return asked.partition(".")[0] == ours.partition(".")[0]


def _address(address: Any) -> str:
    if isinstance(address, tuple):
        return ":".join(_text(part) for part in address[:2] if part is not None)
    return _text(address)


def _text(part: Any) -> str:
    return os.fsdecode(part) if isinstance(part, (str, bytes)) else str(part)


def _programs(refusals: Refusals, closed: bool) -> dict[str, Handler]:
    def start(program: Any) -> None:
        if closed and _asks_for_version(program) and not refusals.of_step():
            return
        if not started_by_standard_library():
            refuse_program(program, refusals)

    return {
        "subprocess.Popen": lambda args: start(args[0] or args[1]),
        "os.system": lambda args: start(args[0]),
        "os.exec": lambda args: start(args[0]),
        "os.posix_spawn": lambda args: start(args[0]),
        "os.spawn": lambda args: start(args[1]),
        "os.startfile": lambda args: start(args[0]),
        "pty.spawn": lambda args: start(args[0]),
        "ctypes.dlopen": lambda args: _library(args[0], refusals),
        "ctypes.dlsym": lambda args: _function(args[1], refusals),
    }


def started_by_standard_library() -> bool:
    """Whether the program is one that the standard library starts for itself."""
    frame = sys._getframe(1)  # noqa: SLF001 (whoever starts it)
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__", "")
        if name not in _STARTERS and frame.f_globals.get("__package__") != __package__:
            return name in _HARMLESS
        frame = frame.f_back
    return False


def refuse_program(program: Any, refusals: Refusals) -> NoReturn:
    """Say who starts it; what a package starts, and does without, ends nothing."""
    refusals.refuse(
        f"{caller()} starts the program {_program_name(program)}, "
        "whose connections cannot be redirected",
        decides=not openers(),
    )


def _asks_for_version(program: Any) -> bool:
    """Whether it is git, which packages ask for their version while they are imported."""
    return os.path.basename(_program_name(program)) == "git"


def _program_name(program: Any) -> str:
    """The first word of a command: the rest may hold passwords."""
    first = program if isinstance(program, (str, bytes, os.PathLike)) else next(iter(program), "")
    return os.fsdecode(first).split(" ")[0]


def _library(name: Any, refusals: Refusals) -> None:
    if name is not None and "sqlite" in os.path.basename(_text(name)).lower():
        refusals.refuse(f"{caller()} loads {_text(name)} past Python's sqlite3")


def _function(name: Any, refusals: Refusals) -> None:
    """Refuse what connects by a library of C, where Python sees no connection."""
    # Packages have reasons of their own, such as a driver that is written so.
    if name in _CONNECTING and not openers():
        refusals.refuse(
            f"{caller()} takes `{name}` of a library of C; what that connects to or starts cannot "
            "be seen, nor redirected"
        )


def _files(folders: Sequence[str], reads: set[str]) -> dict[str, Handler]:
    """Writes are denied as the kernel would deny them: code that can live with that goes on."""

    def deny(path: Any) -> None:
        raise PermissionError(
            errno.EACCES,
            ONLY_SCRATCH,
            _text(path),
        )

    def may_write(path: str) -> bool:
        return any(inside(path, folder) for folder in folders)

    def opened(args: tuple[Any, ...]) -> None:
        path, _, flags = args
        if isinstance(path, int):
            return
        if not flags & _WRITING:
            reads.add(os.path.abspath(os.fsdecode(path)))
        else:
            real = os.path.realpath(os.fsdecode(path))
            if not (may_write(real) or real == os.devnull or _is_own_stream(real)):
                deny(path)

    def changed(path: Any, parent: int = -1) -> None:
        if not isinstance(path, int) and not may_write(_entry(path, parent)):
            deny(path)

    def made(path: Any, parent: int) -> None:
        # The kernel says that a folder is there before it asks whether it may be made.
        if not os.path.lexists(_entry(path, parent)):
            changed(path, parent)

    def followed(path: Any, parent: int = -1, mode: Optional[int] = None) -> None:
        real = "" if isinstance(path, int) else os.path.realpath(_entry(path, parent))
        if os.path.exists(real) and not may_write(real) and os.stat(real).st_mode & 0o7777 != mode:
            deny(path)

    def both(args: tuple[Any, ...]) -> None:
        changed(args[0], args[2])
        changed(args[1], args[3])

    return {
        "open": opened,
        "os.truncate": lambda args: followed(args[0]),
        "os.chmod": lambda args: followed(args[0], args[2], mode=args[1]),
        "os.chown": lambda args: followed(args[0], args[3]),
        "os.utime": lambda args: followed(args[0], args[3]),
        "os.setxattr": lambda args: followed(args[0]),
        "os.removexattr": lambda args: followed(args[0]),
        "os.remove": lambda args: changed(*args[:2]),
        "os.rmdir": lambda args: changed(*args[:2]),
        "os.mkdir": lambda args: made(args[0], args[2]),
        "os.symlink": lambda args: changed(args[1], args[2]),
        "os.link": both,
        "os.rename": both,
    }


def _listings(folders: set[str]) -> dict[str, Handler]:
    def listed(args: tuple[Any, ...]) -> None:
        frame = sys._getframe(2)  # noqa: SLF001 (whoever lists it)
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in _IMPORTS:
            folder = "." if args[0] is None else args[0]
            if isinstance(folder, int):
                folder = _opened(folder)
            folders.add(os.path.abspath(os.fsdecode(folder)))

    return {"os.listdir": listed, "os.scandir": listed}


def _opened(descriptor: int) -> str:
    """What a descriptor is of, where the system says."""
    link = f"/proc/self/fd/{descriptor}"
    return os.readlink(link) if os.path.islink(link) else link


def _entry(path: Any, parent: int) -> str:
    """The folder entry that a path names: a link itself, not what it leads to."""
    text = os.fsdecode(path)
    if parent >= 0:
        text = os.path.join(os.readlink(f"/proc/self/fd/{parent}"), text)
    head, tail = os.path.split(os.path.abspath(text))
    return os.path.join(os.path.realpath(head), tail)


def _is_own_stream(path: str) -> bool:
    return path.startswith(f"/proc/{os.getpid()}/fd/")
