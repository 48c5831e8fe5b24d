"""The kernel layer: Linux refuses what the other layers could miss (Landlock and seccomp).

Both bind this thread and every thread and child started afterwards, and cannot be taken off again.
They need no privilege and no library.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # equal on all architectures but two
_OTHER_NUMBERS = ("mips", "alpha")
_VERSION_FLAG = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_NO_NEW_PRIVILEGES = 38

_WRITE_FILE = 1 << 1
_FOLDER_CHANGES = 0b1_1111_1111 << 4  # remove and make files, folders, sockets, devices, links
_REFER = 1 << 13  # rename or link across folders
_TRUNCATE = 1 << 14
_TCP = 0b11  # bind, connect
_CONNECT_TCP = 0b10
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2

_SET_SECCOMP, _FILTER = 22, 2
_OTHER_ABI = 0x40000000  # x32 has numbers of its own on the same architecture
_IO_URING_SETUP = 425  # its rings would connect without the system call
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_KIND_OF_SOCKET = 0xF  # above it are flags
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000

FILES_VERSION = 3
"""The first version of Landlock that closes files: before it, one can be cut to length 0."""
TCP_VERSION = 4
"""The first version of Landlock that knows TCP."""
SCOPE_VERSION = 6
"""The first version of Landlock that keeps signals and abstract sockets to its own processes."""


class _System(NamedTuple):
    """A machine as filters know it, and the numbers of its system calls."""

    architecture: int
    connect: int
    socket: int
    setsid: int
    setpgid: int


_SYSTEMS = {
    "x86_64": _System(0xC000003E, connect=42, socket=41, setsid=112, setpgid=109),
    "aarch64": _System(0xC00000B7, connect=203, socket=198, setsid=157, setpgid=154),
}


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Port(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("start", ctypes.POINTER(_Instruction)))


def version() -> int:
    """Which version of Landlock this kernel has; 0 where there is none."""
    if not sys.platform.startswith("linux") or platform.machine().startswith(_OTHER_NUMBERS):
        return 0
    found: int = _library().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    return max(0, found)


def confine(
    folders: Sequence[str],
    found: int,
    files: Sequence[str] = (os.devnull,),
    ports: Sequence[int] = (),
) -> None:
    """Let this thread and its descendants write only below `folders` and connect only to `ports`.

    `found` is what `version()` gave. Raises `OSError` if the kernel refuses any part.
    """
    writes = _writes(found)
    with _ruleset(_attributes(found)) as ruleset:
        for folder in folders:
            _allow(ruleset, folder, writes)
        for file in files:
            _allow(ruleset, file, writes & (_WRITE_FILE | _TRUNCATE))
        for port in ports if found >= TCP_VERSION else ():
            rule = ctypes.byref(_Port(allowed=_CONNECT_TCP, port=port))
            _checked(_library().syscall(_ADD_RULE, ruleset, _NET_PORT, rule, 0))
        _checked(_library().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _checked(_library().syscall(_RESTRICT_SELF, ruleset, 0))


def takes_filters() -> bool:
    """Whether the kernel takes filters, and these know its system calls."""
    known = sys.platform.startswith("linux") and platform.machine() in _SYSTEMS
    # A filter at no address is "bad address" (14) to a kernel that takes filters.
    refused = known and _library().prctl(_SET_SECCOMP, _FILTER, None, 0, 0) < 0
    return refused and ctypes.get_errno() == errno.EFAULT


def deny_connections() -> None:
    """Let this thread and its descendants call `connect()` no more, for any kind of socket.

    Landlock knows TCP but not a server's Unix socket. Raises `OSError` if the kernel refuses.
    """
    system = _SYSTEMS[platform.machine()]
    _filter(
        (_LOAD, 0, 0, 4),
        (_EQUAL, 0, 5, system.architecture),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 3, 0, _OTHER_ABI),
        (_EQUAL, 2, 0, system.connect),
        (_EQUAL, 1, 0, _IO_URING_SETUP),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL | errno.EACCES),
    )


def deny_other_sockets() -> None:
    """Let this thread and its descendants make no sockets but those of TCP, which Landlock rules.

    A server's Unix socket, UDP, and what else speaks to machines are closed; a pair of sockets,
    which leads nowhere, stays. Raises `OSError` if the kernel refuses.
    """
    system = _SYSTEMS[platform.machine()]
    first, second, third = 16, 24, 32  # where arguments lie, their lower halves
    _filter(
        (_LOAD, 0, 0, 4),
        (_EQUAL, 0, 14, system.architecture),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 12, 0, _OTHER_ABI),
        (_EQUAL, 11, 0, _IO_URING_SETUP),
        (_EQUAL, 0, 9, system.socket),
        (_LOAD, 0, 0, first),
        (_EQUAL, 1, 0, socket.AF_INET),
        (_EQUAL, 0, 7, socket.AF_INET6),
        (_LOAD, 0, 0, second),
        (_AND, 0, 0, _KIND_OF_SOCKET),
        (_EQUAL, 0, 4, socket.SOCK_STREAM),
        (_LOAD, 0, 0, third),
        (_EQUAL, 1, 0, 0),
        (_EQUAL, 0, 1, socket.IPPROTO_TCP),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL | errno.EACCES),
    )


def deny_leaving() -> None:
    """Let this thread and its descendants leave their process group no more.

    The group is what is ended when a rehearsal is over. Raises `OSError` if the kernel refuses.
    """
    system = _SYSTEMS[platform.machine()]
    _filter(
        (_LOAD, 0, 0, 4),
        (_EQUAL, 0, 4, system.architecture),
        (_LOAD, 0, 0, 0),
        (_EQUAL, 2, 0, system.setsid),
        (_EQUAL, 1, 0, system.setpgid),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL | errno.EPERM),
    )


def _filter(*checks: tuple[int, int, int, int]) -> None:
    code = (_Instruction * len(checks))(*(_Instruction(*check) for check in checks))
    program = _Program(len(checks), code)
    _checked(_library().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _checked(_library().prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0))


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _writes(found: int) -> int:
    rights = _WRITE_FILE | _FOLDER_CHANGES
    for since, right in ((2, _REFER), (FILES_VERSION, _TRUNCATE)):
        rights |= right if found >= since else 0
    return rights


def _attributes(found: int) -> _Ruleset:
    return _Ruleset(
        files=_writes(found),
        network=_TCP if found >= TCP_VERSION else 0,
        scoped=_ABSTRACT_SOCKETS | _SIGNALS if found >= SCOPE_VERSION else 0,
    )


@contextmanager
def _ruleset(attributes: _Ruleset) -> Iterator[int]:
    # Older kernels take a longer structure as long as what they do not know is zero.
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    create = _library().syscall
    ruleset = _checked(create(_CREATE_RULESET, ctypes.byref(attributes), size, 0))
    try:
        yield ruleset
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = ctypes.byref(_Beneath(allowed=rights, parent=parent))
        _checked(_library().syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
    finally:
        os.close(parent)
