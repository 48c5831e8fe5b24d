"""Files of Alembic environments, and what is found of them."""

from __future__ import annotations

from pathlib import Path

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import Environment, find_environments

MIGRATION = "revision = {!r}\ndown_revision = {!r}\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def found(folder: Path, **settings: object) -> tuple[Environment, ...]:
    return find_environments(folder, Settings(**settings))


def one(folder: Path, **settings: object) -> Environment:
    (environment,) = found(folder, **settings)
    return environment


PLAIN = {"alembic.ini": "[alembic]\nscript_location = mig\n", "mig/env.py": ""}
