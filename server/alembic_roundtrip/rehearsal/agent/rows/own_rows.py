"""Rows that a project gives itself, for what cannot be made up: one or more files a revision.

`REVISION.before.sql` and `REVISION.after.sql` are run before and after its upgrade; `REVISION.py`
has `before(connection)` and `after(connection)`, or one of them, for a SQLAlchemy connection.
"""

from __future__ import annotations

import importlib.util
import os
import re
import traceback
from typing import Any, Dict, Iterable, List, Optional

from ..dialects import Access, RefusedStatement, Room
from ..project.problems import shorten
from ..schema.tables import Table


class OwnRowsError(Exception):
    """The project's own rows could not be put in; the sentence says which and why."""


class OwnRows:
    """The files of one revision in the folder of the project's own rows."""

    def __init__(self, folder: str, revision: str) -> None:
        self._stem = os.path.join(folder, revision) if folder else ""

    def any(self) -> bool:
        """Whether there is a file for the revision."""
        return bool(self._files("before") or self._files("after"))

    def put(self, when: str, room: Room, tables: Iterable[Table]) -> Dict[str, int]:
        """Put in those for `before` or `after` the upgrade; how many came into each table.

        Raises `OwnRowsError`; what a file did until it failed is undone.
        """
        files = self._files(when)
        if not files:
            return {}
        tables = list(tables)
        counts = [room.count(table) for table in tables]
        for file in files:
            try:
                room.work(lambda access, file=file: _put(access, file, when))  # type: ignore[misc]
            except (Exception, SystemExit) as error:
                line = _line(file, error)
                name = f"`{os.path.basename(file)}`" + (f" line {line}" if line else "")
                raise OwnRowsError(
                    f"your own rows for it could not be put in: {name} failed: {_said(error)}"
                ) from error
        more = {t.name: room.count(t) - had for t, had in zip(tables, counts)}
        return {name: number for name, number in more.items() if number > 0}

    def _files(self, when: str) -> List[str]:
        if not self._stem:
            return []
        wanted = (f"{self._stem}.{when}.sql", f"{self._stem}.py")
        return [file for file in wanted if os.path.isfile(file)]


def _said(error: BaseException) -> str:
    if isinstance(error, (OwnRowsError, RefusedStatement)):
        return shorten(str(error))
    message = error.msg if isinstance(error, SyntaxError) else getattr(error, "orig", None) or error
    return shorten(": ".join(filter(None, (type(error).__name__, " ".join(str(message).split())))))


def _line(file: str, error: BaseException) -> Optional[int]:
    """The line of a file that an error is of, where that is plain."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if frame.filename == file]
    if own:
        return own[-1]
    return _line_of(file, error.statement) if isinstance(error, RefusedStatement) else None


def _line_of(file: str, statement: str) -> Optional[int]:
    """Where a statement of an SQL file begins, behind comments; None where it may be another."""
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    if text.count(statement) != 1:
        return None
    start = text.index(statement) + len(_BEFORE_IT.match(statement).group())  # type: ignore[union-attr]
    return text.count("\n", 0, start) + 1


_BEFORE_IT = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


def _put(access: Access, file: str, when: str) -> None:
    if file.endswith(".sql"):
        with open(file, encoding="utf-8") as opened:
            access.run_script(opened.read())
    else:
        access.lend(lambda connection: _call(file, when, connection))


def _call(file: str, when: str, connection: Any) -> None:
    spec = importlib.util.spec_from_file_location("alembic_roundtrip_own_rows", file)
    if spec is None or spec.loader is None:
        raise OwnRowsError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, when, None)
    if function is not None:
        function(connection)
    elif not hasattr(module, "before") and not hasattr(module, "after"):
        raise OwnRowsError("it has neither `before(connection)` nor `after(connection)`")
