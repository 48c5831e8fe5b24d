"""Settings that the editor sends, under the names that `pyproject.toml` has for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alembic_roundtrip.config import Settings, SettingsError, from_mapping

SECTION = "alembicRoundtrip"


@dataclass(frozen=True, slots=True)
class EditorSettings:
    """Values that can be used, and a sentence on each that cannot."""

    values: Mapping[str, Any]
    problems: tuple[str, ...] = ()


def read(data: Any) -> EditorSettings:
    """Take over what is a setting of ours.

    Names that are not ours belong to the editor's extension. A value equal to the default says
    nothing: editors send the defaults of their manifest too, which must not win over the project.
    """
    if not isinstance(data, Mapping):
        return EditorSettings({})
    values, problems = {}, []
    for key, value in data.items():
        name = _name(str(key))
        field = name.replace("-", "_")
        if value is None or not hasattr(Settings(), field):
            continue
        try:
            settings = from_mapping({name: value}, f"the editor's setting {SECTION}.{key}")
        except SettingsError as error:
            problems.append(str(error))
            continue
        if getattr(settings, field) != getattr(Settings(), field):
            values[name] = value
    return EditorSettings(values, tuple(problems))


def _name(key: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "-" + match.group().lower(), key)
