"""Which statements lead from an upgraded revision back to its parent, as a database has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alembic_roundtrip.evidence import Residue


@dataclass(frozen=True, slots=True)
class Mark:
    """What a statement cannot bring back, or which rows would stop it."""

    mark: str
    table: str
    column: str | None = None
    columns: tuple[str, ...] = ()
    referent: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Mark:
        """As the agent says it."""
        return cls(**{**data, "columns": tuple(data.get("columns", ()))})


@dataclass(frozen=True, slots=True)
class Restored:
    """A statement that worked; `written` is its number among those that reading had written."""

    text: str
    imports: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    written: int | None = None


@dataclass(frozen=True, slots=True)
class Restoration:
    """All that worked, in its order, and what it does not restore."""

    statements: tuple[Restored, ...]
    failed: Mapping[int, str]
    """What stopped those that reading had written, by their number."""
    residue: tuple[Residue, ...]
    only_schema: bool
    """Whether nothing that the upgrade sent can have changed rows."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Restoration:
        """As the agent says it."""
        return cls(
            statements=tuple(
                Restored(
                    each["text"],
                    tuple(each["imports"]),
                    tuple(map(Mark.from_json, each["marks"])),
                    each["written"],
                )
                for each in data["statements"]
            ),
            failed={int(number): message for number, message in data["failed"].items()},
            residue=tuple(Residue(**each) for each in data["residue"]),
            only_schema=data["only_schema"],
        )
