"""Every setting as one typed class; documentation, JSON schema and manifest come from it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = "alembic-roundtrip"
_NEAR = 0.75
"""How much of our table's name another one has that was meant to be it."""


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
        "a SQLAlchemy connection, an SQL file, or `target_metadata`, env.py's own models.",
        restricted=True,
    )
    baseline_revision: str = _setting(
        "",
        "Where `baseline` makes a later schema, the revision that it is of, such as `heads`: "
        "migrations are taken back from there before they are rehearsed.",
    )
    env: Mapping[str, str] = _setting(
        {},
        "Environment variables that the project's env.py needs; `{scratch}` in them is a folder "
        "that it may write to, gone afterwards.",
        restricted=True,
    )
    x_arguments: tuple[str, ...] = _setting((), "Arguments for Alembic's `-x`.", restricted=True)
    rows: int = _setting(100, "Made-up rows a table in rehearsals; 0 rehearses the schema only.")
    own_rows: str = _setting(
        "",
        "A folder with rows of your own: `REVISION.before.sql` and `REVISION.after.sql`, or "
        "`REVISION.py` with `before(connection)` and `after(connection)`.",
        restricted=True,
    )
    writable: tuple[str, ...] = _setting(
        (),
        "Folders inside the project that `env.py` may write to in rehearsals, for caches and logs; "
        "none that holds a database.",
        restricted=True,
    )
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


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in the table that cannot be used: its place there, and what is wrong with it.

    `near` is what was probably meant, in place of the key or of the value.
    """

    place: tuple[str | int, ...]
    message: str
    near: str = ""
    about_key: bool = False

    @property
    def sentence(self) -> str:
        """The message with the question that goes with it."""
        return f"{self.message}; did you mean `{self.near}`?" if self.near else self.message


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The `pyproject.toml` that has our table, or that cannot be read (`problem`)."""

    path: Path | None = None
    table: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def option_name(name: str) -> str:
    """A setting's name in `pyproject.toml`."""
    return name.replace("_", "-")


def usable(
    values: Mapping[str, Any], base: Settings | None = None
) -> tuple[Settings, tuple[Mistake, ...]]:
    """The settings that can be used of plain values, and what cannot."""
    known = {option_name(f.name): f for f in fields(Settings)}
    changes: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for name, value in values.items():
        if name not in known:
            message = f"there is no setting `{name}`"
            mistakes.append(Mistake((name,), message, nearest(name, known), about_key=True))
            continue
        default = getattr(Settings(), known[name].name)
        wanted = _wanted(value, default)
        if wanted:
            mistakes.append(Mistake((name,), f"`{name}` must be {wanted}"))
        else:
            changes[known[name].name] = type(default)(value)
    return replace(base or Settings(), **changes), tuple(mistakes)


def from_mapping(values: Mapping[str, Any], where: str, base: Settings | None = None) -> Settings:
    """Settings from plain values; raises `SettingsError` for unknown names and wrong types."""
    settings, mistakes = usable(values, base)
    for mistake in mistakes:
        raise SettingsError(f"{where}: {mistake.sentence}")
    return settings


def nearest(name: str, known: Iterable[str], least: float = 0.6) -> str:
    """The known name that one was probably meant for; empty where none is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), 1, least)), "")


def _wanted(value: Any, default: Any) -> str:
    """What a value should be; empty where it is that."""
    if isinstance(default, tuple):
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if right else "a list of strings"
    if isinstance(default, dict):
        right = isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        return "" if right else "a table of strings"
    if isinstance(default, str):
        return "" if isinstance(value, str) else "a string"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "a number"
    if isinstance(default, int) and not isinstance(value, int):
        return "a whole number"
    if isinstance(default, int):
        return "" if value >= 0 else "0 or more"
    return "" if value > 0 else "above 0"


def find(folder: Path) -> SettingsFile:
    """The nearest `pyproject.toml` at or above `folder` that has our table."""
    for candidate in (folder, *folder.parents):
        file = candidate / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            data = parsed(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            return SettingsFile(file, problem=f"not readable as TOML: {error}")
        table = own_table(data)
        if isinstance(table, dict):
            return SettingsFile(file, table)
        if table is not None:
            return SettingsFile(file, problem=f"`tool.{TABLE}` must be a table")
        if wrong := misnamed_table(data):
            return SettingsFile(file, problem=misnamed(wrong))
    return SettingsFile()


def parsed(text: str) -> dict[str, Any]:
    """The values of a TOML document; raises `ValueError`."""
    return tomllib.loads(text)


def own_table(data: Mapping[str, Any]) -> Any:
    """What a `pyproject.toml` has under our name; None where it has nothing."""
    tool = data.get("tool", {})
    return tool.get(TABLE) if isinstance(tool, dict) else None


def misnamed_table(data: Mapping[str, Any]) -> str:
    """The name of a table that was meant to be ours; empty where there is none like that."""
    tool = data.get("tool", {})
    if not isinstance(tool, dict) or TABLE in tool:
        return ""
    # A plain search first: what compares names takes a while to load.
    some = [name for name in tool if "alembic" in name.lower() or "round" in name.lower()]
    return nearest(TABLE, some, _NEAR) if some != ["alembic"] else ""


def misnamed(name: str) -> str:
    """What is to be said of a table with a name like ours."""
    return f"the table is called `tool.{TABLE}`, not `tool.{name}`"


def load(folder: Path) -> Settings:
    """Settings of the nearest `pyproject.toml` at or above `folder` that has our table.

    Raises `SettingsError` for a file that does not parse or a setting that cannot be used.
    """
    found = find(folder)
    if found.problem:
        raise SettingsError(f"{found.path}: {found.problem}")
    return from_mapping(found.table, str(found.path))


def absent(settings: Settings, folder: Path) -> Iterator[Mistake]:
    """What settings for rehearsals name in the folder of an environment, and is not there."""
    kinds = {"python": "Python", "own_rows": "folder", "baseline": "SQL file"}
    for name, kind in kinds.items():
        written = getattr(settings, name)
        if not written or (name == "baseline" and not written.endswith(".sql")):
            continue
        if not (folder / Path(written).expanduser()).exists():
            yield Mistake((name.replace("_", "-"),), f"there is no {kind} `{written}`")
