"""What makes the schema that a history's first migration expects."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Dict, List, Sequence

from sqlalchemy import MetaData, text
from sqlalchemy.exc import DBAPIError

from .dialects import Room
from .project import extensions

TARGET_METADATA = "target_metadata"
"""The setting that means the models which env.py gives Alembic."""


class BaselineError(Exception):
    """The baseline cannot be used; the sentence says why."""


class BeginsNowhere(Exception):
    """A first table or its schema is missing, and today's models are known.

    `missing` says what, and what was run by then, as `beginnings.Missing` has it.
    """

    def __init__(self, missing: Dict[str, Any]) -> None:
        super().__init__(missing["name"])
        self.missing = missing


def models(target_metadata: Any) -> List[MetaData]:
    """What env.py gave Alembic to compare with, as far as there are tables in it."""
    given = target_metadata if isinstance(target_metadata, (list, tuple)) else [target_metadata]
    return [each for each in given if isinstance(each, MetaData) and each.tables]


def apply(setting: str, room: Room, metadata: Sequence[MetaData]) -> None:
    """Run an SQL file, call `module:dotted.function` with a connection, or make the models."""
    if setting == TARGET_METADATA:
        _make(metadata, room)
    elif setting.endswith(".sql") or os.path.isfile(setting):
        _run_file(setting, room)
    else:
        _call(setting, room)


def _make(metadata: Sequence[MetaData], room: Room) -> None:
    def make(connection: Any) -> None:
        for each in metadata:
            if connection.dialect.name == "postgresql":
                for schema in sorted({table.schema or "" for table in each.tables.values()} - {""}):
                    quoted = connection.dialect.identifier_preparer.quote_schema(schema)
                    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))
            _create(each, connection)

    if not metadata:
        raise BaselineError("the baseline is `target_metadata`, but env.py gives Alembic no tables")
    try:
        room.lend(make)
    except Exception as error:
        raise BaselineError(
            f"the baseline `target_metadata` failed: {type(error).__name__}: {error}"
        ) from error


def _create(metadata: MetaData, connection: Any) -> None:
    """Create the tables, and the extensions they want, which owners add by hand ahead of all."""
    added = set()
    while connection.dialect.name == "postgresql":
        try:
            with connection.begin_nested():
                metadata.create_all(connection)
            return
        except DBAPIError as error:
            missed = extensions.missed(str(error.orig))
            if missed is None or missed.extension in added:
                raise
            added.add(missed.extension)
        connection.execute(text(f'CREATE EXTENSION IF NOT EXISTS "{missed.extension}"'))
    metadata.create_all(connection)


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
