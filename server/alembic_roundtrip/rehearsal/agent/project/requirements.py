"""What is needed of the project's Python. Nothing here needs it already, so that it can be said."""

from __future__ import annotations

import platform
import sys
from importlib import import_module
from typing import Tuple

_OLDEST = {"Python": (3, 9), "Alembic": (1, 8), "SQLAlchemy": (1, 4)}
_IMPORTED = ("alembic.config", "alembic.runtime.environment", "alembic.script", "sqlalchemy.orm")


class Cannot(Exception):
    """The rehearsal cannot be run at all; the text is one sentence.

    `wants` is the dialect that env.py connects to, where the scratch database is of another;
    `homeless` says that all it lacks is a home folder to write to; `failed`, that code of the
    project failed, which may be for the want of something else; `history`, that Alembic refuses
    the revisions.
    """

    def __init__(
        self,
        sentence: str,
        wants: str = "",
        *,
        homeless: bool = False,
        failed: bool = False,
        history: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.wants = wants
        self.homeless = homeless
        self.failed = failed
        self.history = history


def import_alembic() -> None:
    """Import what we need of the project's Python; raises `Cannot` where that is too little."""
    # Before the project's folder is on the path: many have one called `alembic`.
    try:
        _look_at_versions()
        for name in _IMPORTED:
            import_module(name)
    except ImportError as error:
        raise Cannot(
            f"this project's Python ({platform.python_version()}, {sys.executable}) cannot import "
            f"Alembic: {error}; install it there, or name another Python in the setting `python`"
        ) from error


def _look_at_versions() -> None:
    import alembic
    import sqlalchemy

    problem = too_old(platform.python_version(), alembic.__version__, sqlalchemy.__version__)
    if problem:
        raise Cannot(
            f"this project's Python ({sys.executable}) has {problem} or newer is needed; install "
            "that there, or name another Python in the setting `python`"
        )


def too_old(python: str, alembic: str, sqlalchemy: str) -> str:
    """What is older than a rehearsal needs, and what that would be; nothing where all will do."""
    for name, version in {"Python": python, "Alembic": alembic, "SQLAlchemy": sqlalchemy}.items():
        if _release(version) < _OLDEST[name]:
            return f"{name} {version}, and {'.'.join(map(str, _OLDEST[name]))}"
    return ""


def _release(version: str) -> Tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
