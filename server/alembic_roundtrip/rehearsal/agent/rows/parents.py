"""Which table is filled before which."""

from __future__ import annotations

from typing import Dict, Iterable, List, Tuple

from ..schema.tables import Snapshot, Table


def order(snapshot: Snapshot, wanted: Iterable[str]) -> Tuple[List[str], List[str]]:
    """Parents first; in a cycle first a table whose keys into it may be NULL.

    Also gives the tables that no order suits: those in a cycle of NOT NULL keys. Their keys are
    made up before the rows they point at.
    """
    rest = sorted(wanted)
    blocking = {name: _parents(snapshot, snapshot.tables[name]) for name in rest}
    found: List[str] = []
    entangled: List[str] = []
    while rest:
        ready = [n for n in rest if not any(p in rest for p in blocking[n])]
        soft = [n for n in rest if not any(p in rest and must for p, must in blocking[n].items())]
        if not ready and not soft:
            entangled.extend(name for name in rest if name not in entangled)
        chosen = ready or soft[:1] or rest[:1]
        found.extend(chosen)
        rest = [name for name in rest if name not in chosen]
    return found, entangled


def _parents(snapshot: Snapshot, table: Table) -> Dict[str, bool]:
    """The other tables that a table refers to, and whether it must."""
    found: Dict[str, bool] = {}
    for key in table.foreign_keys:
        parent = snapshot.find(key.target)
        if parent is not None and parent.name != table.name:
            columns = [table.column(name) for name in key.columns]
            must = all(c is None or c.notnull or c.key for c in columns)
            found[parent.name] = found.get(parent.name, False) or must
    return found
