"""The project as the agent sees it: its Alembic, its configuration and scripts, its own lines."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any, Mapping, Optional, Tuple

from ..guard import redirect
from ..guard.targets import inside
from .requirements import Cannot

_PACKAGES = {"MySQLdb": "mysqlclient", "mysql": "mysql-connector-python"}
"""Modules of drivers that nobody finds under their own names."""
_LONGEST = 400
_DEEPEST = 3
_LOGGING_SECTIONS = ("formatters", "handlers", "loggers")


def find_code(folder: str) -> None:
    """Have the code of a folder imported as `prepend_sys_path = .` does; of a package, from above.

    Its modules would hide others there, so they come last: `__init__.py` may mean nothing.
    """
    root = folder
    while os.path.isfile(os.path.join(root, "__init__.py")) and os.path.dirname(root) != root:
        root = os.path.dirname(root)
    sys.path.insert(0, root)
    if root != folder:
        sys.path.append(folder)


def _folder_with(module: str, root: str) -> Optional[str]:
    """The folder of a project, as seen from its root, that has a module which is not found."""
    for folder, folders, files in os.walk(root):
        below = os.path.relpath(folder, root)
        if f"{module}.py" in files or os.path.isfile(os.path.join(folder, module, "__init__.py")):
            return below
        deep = below.count(os.sep) + 1 >= _DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if _has_code(folder, name))
    return None


def _has_code(folder: str, name: str) -> bool:
    """Whether a folder may have code of the project's own, which migrations are not."""
    other = name.startswith(".") or name in {"node_modules", "tests"}
    return not other and not any(
        os.path.exists(os.path.join(folder, name, sign))
        for sign in ("pyvenv.cfg", "script.py.mako")
    )


class Project:
    """Configuration, scripts and env.py, and which code is the project's own."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        from alembic.script import ScriptDirectory
        from alembic.util import CommandError

        from . import scripts, urls

        self._home = os.getcwd()
        self.directory: Any = None
        try:
            self.config = scripts.configuration(plan)
            if plan["kind_is_named"]:
                urls.replace_others(plan["kind"], self.config)
            self.directory = ScriptDirectory.from_config(self.config)
            # env.py and migrations may go to another folder.
            self.directory.dir = os.path.abspath(self.directory.dir)
            self.scripts = scripts.Scripts(self.directory)
        except CommandError as error:
            raise Cannot(str(error)) from error
        except (Exception, SystemExit, redirect.Refused) as error:
            # `script_location = package:folder` imports the package.
            raise self.failed_early(error, "the package of `script_location`") from error

    @property
    def env_py(self) -> str:
        """The path of env.py, for a sentence."""
        return self.shown(self.directory.env_py_location)

    def enter_application(self) -> bool:
        """Load the application that env.py expects to run in; gives whether there is one."""
        from . import application

        if not application.wanted(self.directory.env_py_location):
            return False
        try:
            application.enter()
        except redirect.Refused as error:
            raise self.failed_early(error, "the Flask application") from error
        except application.NoApplication as error:
            homeless = self._is_of_home(error)
            raise Cannot(str(error), homeless=homeless, failed=True) from error
        return True

    def failed_early(self, error: BaseException, place: str) -> Cannot:
        """What to say of an error that no revision is to blame for."""
        from alembic.script.revision import RevisionError
        from sqlalchemy.exc import NoSuchModuleError

        from .problems import Problem, because, shorten, way_out

        if isinstance(error, SyntaxError) and error.filename:
            return Cannot(
                f"{self.shown(error.filename)} line {error.lineno} does not parse: {error.msg}"
            )
        if isinstance(error, RevisionError):
            return Cannot(f"Alembic refuses the history: {error}", history=True)
        problem = Problem(error, None, self.is_ours)
        if problem.path:
            place = f"{self.shown(problem.path)} line {problem.line}"
        if isinstance(error, redirect.Refused):
            return Cannot(problem.message, error.wants)
        if isinstance(error, ModuleNotFoundError):
            package = _PACKAGES.get(error.name or "")
            called = f" (of the package `{package}`)" if package else ""
            found = _folder_with(error.name or "", self._home)
            leading = f"; if the one in `{found}` is meant, `env = {{ PYTHONPATH = {found!r} }}`"
            lead = f"{leading} in the settings leads to it" if found else ""
            return Cannot(
                f"this project's Python ({platform.python_version()}, {sys.executable}) has no "
                f"`{error.name}`{called}, which {place} needs; install it there{lead}"
            )
        if isinstance(error, NoSuchModuleError):
            name = str(error).rpartition(":")[2].replace(".", "+", 1)
            return Cannot(
                f"{place} connects by `{name}`, which neither SQLAlchemy nor a package of this "
                f"project's Python ({sys.executable}) has; install one that has, or correct the URL"
            )
        if isinstance(error, SystemExit):
            return Cannot(f"{place} called sys.exit({error.code!r})", failed=True)
        if isinstance(error, KeyError) and error.args[0] in _LOGGING_SECTIONS:
            return Cannot(
                f"{place} reads logging settings, and the configuration file has no "
                f"[{error.args[0]}] section; `alembic init` writes one"
            )
        homeless = self._is_of_home(error)
        # All of it: what is wrong with settings is often told below a heading.
        message = shorten(" ".join(problem.message.split()), _LONGEST)
        said = f"{problem.type}: {message}" if message else problem.type
        said += because(error)
        ways = "what env.py expects can be given in the settings `env` and `x-arguments`"
        if self.config.config_file_name is None:
            ways = f"there is no configuration file; `config` names one, and {ways}"
        advice = way_out(error, ways)
        failed = advice == ways
        return Cannot(f"{place} failed: {said}; {advice}", homeless=homeless, failed=failed)

    def _is_of_home(self, error: BaseException) -> bool:
        """Whether it was stopped from writing below the user's home, and not in the project."""
        from .problems import causes

        home = os.path.expanduser("~")
        return any(
            isinstance(each, PermissionError)
            and isinstance(each.filename, str)
            and inside(os.path.abspath(each.filename), home)
            and not inside(os.path.abspath(each.filename), self._home)
            for each in causes(error)
        )

    def is_ours(self, path: str) -> bool:
        """Whether a file of code is the project's own."""
        if path.startswith("<"):
            return False
        here = os.path.realpath(path)
        if self.directory and here.startswith(os.path.realpath(self.directory.dir) + os.sep):
            return True
        return here.startswith(self._home + os.sep) and "site-packages" not in here

    def shown(self, path: str) -> str:
        """A path as short as the project's folder allows."""
        relative = os.path.relpath(path, self._home)
        return path if relative.startswith(os.pardir) else relative

    def where(self) -> Optional[Tuple[str, int]]:
        """The line of the project that the main thread is at."""
        import threading

        main = threading.main_thread().ident
        frame = sys._current_frames().get(main or 0)  # noqa: SLF001 - the only way to look
        while frame is not None:
            if self.is_ours(frame.f_code.co_filename):
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None
