"""Every setting as one typed class; documentation, JSON schema and manifest come from it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = "alembic-roundtrip"


def _setting(default: Any, doc: str, *, restricted: bool = False) -> Any:
    metadata = {"doc": doc, "restricted": restricted}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The settings of one project, named in `pyproject.toml` with `-` for `_`."""

    config: str = _setting("", "Alembic's configuration file, where it is not found by itself.")
    name: str = _setting("alembic", "The section of the configuration file.")
    python: str = _setting("", "The project's Python, used by rehearsals only.", restricted=True)
    database: str = _setting(
        "auto",
        "Scratch database of rehearsals: `auto` (the project's own kind), `sqlite`, `postgresql`, "
        "`mariadb` or the URL of a server to create one on.",
        restricted=True,
    )
    baseline: str = _setting(
        "",
        "What makes the schema that the first migration expects: `module:function`, called with "
        "a SQLAlchemy connection, or an SQL file.",
        restricted=True,
    )
    env: Mapping[str, str] = _setting(
        {}, "Environment variables that the project's env.py needs.", restricted=True
    )
    x_arguments: tuple[str, ...] = _setting((), "Arguments for Alembic's `-x`.", restricted=True)
    rows: int = _setting(100, "Made-up rows a table in rehearsals.")
    timeout: float = _setting(60.0, "Seconds that one revision's round trip may take.")
    dialects: tuple[str, ...] = _setting(
        (), "The project's SQLAlchemy dialects, where they are not inferred."
    )
    select: tuple[str, ...] = _setting((), "Rules to apply; none named means all.")
    ignore: tuple[str, ...] = _setting((), "Rules not to apply.")
    severity: Mapping[str, str] = _setting(
        {}, "Severities by rule: `error`, `warning`, `information`, `hint` or `off`."
    )
    deployed_ref: str = _setting(
        "",
        "A git branch, tag or commit: what HEAD shares with it is deployed, and old. Without it, "
        "what HEAD shares with the default branch.",
    )
    since: str = _setting(
        "", "A revision: it and everything before it are old, and are not reported on."
    )


class SettingsError(ValueError):
    """A setting that cannot be used; says which, where, and what to write instead."""


def option_name(name: str) -> str:
    """A setting's name in `pyproject.toml`."""
    return name.replace("_", "-")


def from_mapping(values: Mapping[str, Any], where: str, base: Settings | None = None) -> Settings:
    """Settings from plain values; raises `SettingsError` for unknown names and wrong types."""
    known = {option_name(f.name): f for f in fields(Settings)}
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(
                f"{where}: there is no setting `{name}`{_did_you_mean(name, known)}"
            )
        default = getattr(Settings(), known[name].name)
        changes[known[name].name] = _typed(name, value, default, where)
    return replace(base or Settings(), **changes)


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _typed(name: str, value: Any, default: Any, where: str) -> Any:
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise SettingsError(f"{where}: `{name}` must be a list of strings")
    if isinstance(default, dict):
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return dict(value)
        raise SettingsError(f"{where}: `{name}` must be a table of strings")
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        raise SettingsError(f"{where}: `{name}` must be a {type(default).__name__}")
    return value


def load(folder: Path) -> Settings:
    """Settings of the nearest `pyproject.toml` at or above `folder` that has our table.

    Raises `SettingsError` for a file that does not parse or a setting that cannot be used.
    """
    for candidate in (folder, *folder.parents):
        file = candidate / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingsError(f"{file}: not readable as TOML: {error}") from error
        table = data.get("tool", {}).get(TABLE)
        if table is not None:
            return from_mapping(table, str(file))
    return Settings()
