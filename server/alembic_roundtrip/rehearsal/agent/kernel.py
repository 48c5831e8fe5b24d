"""The kernel layer: Linux refuses what the other layers could miss (Landlock).

A ruleset is added to this thread and inherited by every thread and child started afterwards; it
cannot be taken off again. It needs no privilege and no library.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # equal on all architectures but two
_OTHER_NUMBERS = ("mips", "alpha")
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38

_WRITE_FILE = 1 << 1
_FOLDER_CHANGES = 0b1_1111_1111 << 4  # remove and make files, folders, sockets, devices, links
_REFER = 1 << 13  # rename or link across folders
_TRUNCATE = 1 << 14
_TCP = 0b11  # bind, connect
_ABSTRACT_SOCKETS = 1

TCP_VERSION = 4
"""The first version of Landlock that knows TCP; below it only files are covered."""


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


def version() -> int:
    """Which version of Landlock this kernel has; 0 where there is none."""
    if not sys.platform.startswith("linux") or platform.machine().startswith(_OTHER_NUMBERS):
        return 0
    found: int = _library().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    return max(0, found)


def confine(folder: str, found: int, files: Sequence[str] = (os.devnull,)) -> None:
    """Let this thread and its descendants write only below `folder` and connect nowhere.

    `found` is what `version()` gave. Raises `OSError` if the kernel refuses any part.
    """
    writes = _writes(found)
    with _ruleset(_attributes(found)) as ruleset:
        _allow(ruleset, folder, writes)
        for file in files:
            _allow(ruleset, file, writes & (_WRITE_FILE | _TRUNCATE))
        _checked(_library().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _checked(_library().syscall(_RESTRICT_SELF, ruleset, 0))


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _writes(found: int) -> int:
    rights = _WRITE_FILE | _FOLDER_CHANGES
    for since, right in ((2, _REFER), (3, _TRUNCATE)):
        rights |= right if found >= since else 0
    return rights


def _attributes(found: int) -> _Ruleset:
    return _Ruleset(
        files=_writes(found),
        network=_TCP if found >= TCP_VERSION else 0,
        scoped=_ABSTRACT_SOCKETS if found >= 6 else 0,  # noqa: PLR2004 (version 6 brought scopes)
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
