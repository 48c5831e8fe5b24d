"""What makes the schema that a history's first migration expects."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from .dialects import Room


class BaselineError(Exception):
    """The baseline cannot be used; the sentence says why."""


def apply(setting: str, room: Room) -> None:
    """Run an SQL file, or call `module:dotted.function` with a connection."""
    if setting.endswith(".sql") or os.path.isfile(setting):
        _run_file(setting, room)
    else:
        _call(setting, room)


def _run_file(path: str, room: Room) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise BaselineError(f"the baseline `{path}` cannot be read: {error}") from error
    try:
        room.run_script(text)
    except Exception as error:
        raise BaselineError(f"the baseline `{path}` failed: {error}") from error


def _call(setting: str, room: Room) -> None:
    module, colon, dotted = setting.partition(":")
    if not colon or not module or not dotted:
        raise BaselineError(
            f"the baseline `{setting}` is neither an SQL file nor `module:function`"
        )
    try:
        target: Any = import_module(module)
        for name in dotted.split("."):
            target = getattr(target, name)
        room.lend(target)
    except Exception as error:
        raise BaselineError(
            f"the baseline `{setting}` failed: {type(error).__name__}: {error}"
        ) from error
