"""What a failing step leaves behind where no transaction undoes a change of the schema."""

from __future__ import annotations

from typing import Any, List, Optional

from ..schema import difference
from ..schema.tables import Snapshot

_SHOWN = 4
_NOW = {"missing": "is gone", "left": "is there", "changed": "is changed"}
_WANTED = {"missing": "is to come back", "left": "is to go", "changed": "is to be changed"}


def sentence(
    direction: str, version: str, start: Snapshot, now: Snapshot, goal: Optional[Snapshot]
) -> Optional[str]:
    """What a step did until it failed, and what it had still to do; None where it did nothing."""
    done = _meaningful(difference.residue(start, now))
    if not done:
        return None
    known = {(each["kind"], each["object"]) for each in done}
    left = _meaningful(difference.residue(goal, now)) if goal is not None else []
    left = [each for each in left if (each["kind"], each["object"]) not in known]
    rest = f"; {_listed(left, _WANTED)}" if left else ""
    return (
        f"`{direction}()` stops half-way, and nothing undoes what it did: "
        f"{_listed(done, _NOW)}{rest}; the version table still says {version}"
    )


def _meaningful(entries: List[Any]) -> List[Any]:
    return [each for each in entries if each["grade"] != "cosmetic"]


def _listed(entries: List[Any], words: Any) -> str:
    shown = [f"{each['kind']} `{each['object']}` {words[each['change']]}" for each in entries]
    more = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
