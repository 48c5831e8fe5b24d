"""Rows that a project gives itself, for what cannot be made up: one or more files a revision.

`REVISION.before.sql` and `REVISION.after.sql` are run before and after its upgrade; `REVISION.py`
has `before(connection)` and `after(connection)`, or one of them, for a SQLAlchemy connection.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any, Dict, Iterable, List

from ..dialects import Access, Room
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
            except Exception as error:
                name = os.path.basename(file)
                raise OwnRowsError(f"`{name}` failed: {shorten(str(error))}") from error
        more = {t.name: room.count(t) - had for t, had in zip(tables, counts)}
        return {name: number for name, number in more.items() if number > 0}

    def _files(self, when: str) -> List[str]:
        if not self._stem:
            return []
        wanted = (f"{self._stem}.{when}.sql", f"{self._stem}.py")
        return [file for file in wanted if os.path.isfile(file)]


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
