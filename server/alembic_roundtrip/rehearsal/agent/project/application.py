"""The Flask application that an env.py expects to run in.

Flask-Migrate's env.py asks `current_app` for everything, and `flask db` has one ready for it.
"""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Any

from .problems import because, way_out

_WANTED = re.compile(r"\bcurrent_app\b")


class NoApplication(Exception):
    """env.py wants an application and there is none; the sentence says why."""


def wanted(env_py: str) -> bool:
    """Whether an env.py speaks of the current application."""
    try:
        with open(env_py, encoding="utf-8") as file:
            return bool(_WANTED.search(file.read()))
    except (OSError, ValueError):
        return False


def enter() -> None:
    """Load the application as `flask` would and stay in its context; nothing where there is one."""
    try:
        flask: Any = import_module("flask")
        cli: Any = import_module("flask.cli")
    except ImportError:
        return  # `current_app` is something else; env.py will say
    if flask.has_app_context():
        return
    _set_up()
    try:
        app = cli.ScriptInfo(os.environ.get("FLASK_APP")).load_app()
    except (Exception, SystemExit) as error:
        ways = "name it as FLASK_APP in the setting `env`, with what else it needs"
        raise NoApplication(
            "env.py needs the Flask application, which could not be loaded: "
            f"{_said(error)}{because(error)}; {way_out(error, ways)}"
        ) from error
    app.app_context().push()


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit) and not isinstance(error.code, str):
        return f"it exits while it is loaded, with {error.code or 0}"
    return str(error).rstrip(".")


def _set_up() -> None:
    """What `flask` sets for the application: that it asks, and the project's `.flaskenv`."""
    os.environ.setdefault("FLASK_RUN_FROM_CLI", "true")
    try:
        dotenv: Any = import_module("dotenv")
    except ImportError:
        return
    if os.path.isfile(".flaskenv"):
        dotenv.load_dotenv(".flaskenv", override=False)
