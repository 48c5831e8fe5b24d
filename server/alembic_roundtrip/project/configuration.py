"""What Alembic's configuration files say, read with Alembic's rules and without Alembic."""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
_SPACE_COMMA = re.compile(r", *|(?: +)")
_SPACE_COMMA_COLON = re.compile(r", *|(?: +)|\:")


class ConfigurationError(ValueError):
    """A configuration that cannot be used; one sentence says what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One section of an ini file, with `[tool.alembic]` of a `pyproject.toml` behind it."""

    section: str = "alembic"
    ini: Path | None = None
    toml: Path | None = None
    parser: configparser.ConfigParser = field(default_factory=configparser.ConfigParser)
    table: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The file that messages name."""
        file = self.ini or self.toml
        assert file is not None
        return file

    def text(self, name: str) -> str | None:
        """An option that is a string; the ini file comes before the table, as in Alembic."""
        value = self._ini(name)
        if value is None:
            value = self._table(name)
        if value is not None and not isinstance(value, str):
            raise ConfigurationError(f"{self.toml}: `{name}` must be a string")
        return value

    def flag(self, name: str) -> bool:
        """An option that is on or off; in an ini file only `true` is on."""
        value = self._ini(name)
        if value is not None:
            return value == "true"
        value = self.table.get(name, False)
        if not isinstance(value, bool):
            raise ConfigurationError(f"{self.toml}: `{name}` must be true or false")
        return value

    def version_locations(self) -> tuple[str, ...]:
        """Folders of migrations, as they are written; none means `versions`."""
        value = self._ini("version_locations")
        if not value:
            return self._list("version_locations")
        separator = self._separator("path_separator", "version_path_separator")
        if separator is None:
            return tuple(_SPACE_COMMA.split(value))
        return tuple(part.strip() for part in value.split(separator) if part)

    def prepended_paths(self) -> tuple[str, ...]:
        """Folders that Alembic puts on Python's path, as they are written."""
        value = self._ini("prepend_sys_path")
        if not value:
            return self._list("prepend_sys_path")
        separator = self._separator("path_separator")
        if separator is None:
            return tuple(_SPACE_COMMA_COLON.split(value))
        return tuple(part.strip() for part in value.split(separator) if part)

    def urls(self) -> tuple[str, ...]:
        """The database URLs of this section and of those its `databases` names."""
        found = (self._raw(self.section, "sqlalchemy.url"), *self.engines().values())
        return tuple(url for url in found if url)

    def engines(self) -> dict[str, str]:
        """The URLs of the sections that `databases` names; empty for one without any."""
        named = re.split(r",\s*", self._raw(self.section, "databases") or "")
        names = filter(None, map(str.strip, named))
        return {name: self._raw(name, "sqlalchemy.url") or "" for name in names}

    def _raw(self, section: str, name: str) -> str | None:
        return self.parser.get(section, name, raw=True, fallback=None)

    def _ini(self, name: str) -> str | None:
        try:
            return self.parser.get(self.section, name, fallback=None)
        except configparser.InterpolationMissingOptionError as error:
            raise ConfigurationError(
                f"{self.ini}: `{name}` in [{self.section}] refers to `%({error.reference})s`, "
                "which is not set there; add it to the section or to [DEFAULT]"
            ) from error
        except configparser.InterpolationError as error:
            raise ConfigurationError(
                f"{self.ini}: `{name}` in [{self.section}] has a `%` that stands for nothing; "
                "write `%%` for a percent sign"
            ) from error

    def _separator(self, *names: str) -> str | None:
        for name in names:
            value = self._ini(name)
            if value is not None:
                break
        else:
            return None
        if value not in _SEPARATORS:
            raise ConfigurationError(
                f"{self.ini}: `{name}` is `{value}`, which Alembic does not know; "
                "write os, space, newline, `:` or `;`"
            )
        return _SEPARATORS[value]

    def _table(self, name: str) -> Any:
        value = self.table.get(name)
        return self._filled(name, value) if isinstance(value, str) else value

    def _list(self, name: str) -> tuple[str, ...]:
        values = self.table.get(name, [])
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise ConfigurationError(f"{self.toml}: `{name}` must be a list of strings")
        return tuple(self._filled(name, value) for value in values)

    def _filled(self, name: str, value: str) -> str:
        assert self.toml is not None
        try:
            return value % {"here": self.toml.absolute().parent.as_posix()}
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"{self.toml}: `{name}` has a `%` that stands for nothing; only `%(here)s` does"
            ) from error


def read_ini(file: Path) -> configparser.ConfigParser:
    """An ini file as Alembic reads it, with `%(here)s` known."""
    parser = configparser.ConfigParser({"here": file.absolute().parent.as_posix()})
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"{file}: not readable: {error.strerror or error}") from error
    if text.startswith("\ufeff"):
        raise ConfigurationError(
            f"{file}: begins with a byte order mark, which Alembic does not take; "
            "save it as UTF-8 without one"
        )
    try:
        parser.read_string(text, str(file))
    except configparser.Error as error:
        message = " ".join(str(error).split())
        raise ConfigurationError(f"{file}: not readable as an ini file: {message}") from error
    return parser


def read_table(file: Path) -> Mapping[str, Any] | None:
    """`[tool.alembic]` of a `pyproject.toml`; None where there is none."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: not readable: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigurationError(f"{file}: not readable as TOML: {error}") from error
    tool = data.get("tool", {})
    table = tool.get("alembic") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigurationError(f"{file}: `tool.alembic` must be a table")
    return table


def sections(parser: configparser.ConfigParser) -> tuple[str, ...]:
    """Sections that describe an environment of their own.

    What stands in [DEFAULT] is in every section, [loggers] as well; so a section that has its
    script location from there must have version locations, or be called [alembic].
    """
    shared = parser.defaults()
    return tuple(name for name in parser.sections() if _describes(parser, name, shared))


def _describes(parser: configparser.ConfigParser, name: str, shared: Mapping[str, str]) -> bool:
    own = dict(parser.items(name, raw=True))
    if "script_location" not in own:
        return False
    if own["script_location"] != shared.get("script_location"):
        return True
    versions = own.get("version_locations")
    return name == "alembic" or versions != shared.get("version_locations")
