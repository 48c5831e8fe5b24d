"""The schema of a database at one moment, and what differs between two of them."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from . import create, sql
from .tables import Column, ForeignKey, Snapshot, Table, Unique

VERSION_TABLE = "alembic_version"

# All that SQLite keeps of a schema is in these texts, but for two numbers.
_MASTER = r"""
SELECT type, tbl_name, name, sql FROM main.sqlite_master
  WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
    AND tbl_name <> ? COLLATE NOCASE
UNION ALL
SELECT 'pragma', '', 'user_version', CAST(user_version AS TEXT) FROM pragma_user_version
  WHERE user_version <> 0
UNION ALL
SELECT 'pragma', '', 'application_id', CAST(application_id AS TEXT) FROM pragma_application_id
  WHERE application_id <> 0
  ORDER BY type, name
"""
# One query for the rest: a row says what it is, of which table, and up to seven values.
# Virtual tables are left out: a pragma would have to load them.
_DETAILS = r"""
WITH t AS (
  SELECT name FROM main.sqlite_master
  WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
    AND sql NOT LIKE 'create virtual %' {}
)
SELECT 'column' AS what, t.name AS owner, x.name AS a, x.type AS b, x."notnull" AS c,
       x.dflt_value AS d, x.pk AS e, x.hidden AS f, NULL AS g, x.cid AS seq
  FROM t JOIN pragma_table_xinfo(t.name, 'main') AS x
UNION ALL
SELECT 'foreign key', t.name, f.id, f."table", f."from", f."to", f.on_update, f.on_delete,
       f."match", f.seq
  FROM t JOIN pragma_foreign_key_list(t.name, 'main') AS f
UNION ALL
SELECT 'unique', t.name, i.name, x.name, NULL, NULL, NULL, NULL, NULL, x.seqno
  FROM t JOIN pragma_index_list(t.name, 'main') AS i
         JOIN pragma_index_info(i.name, 'main') AS x
  WHERE i.origin = 'u'
"""
_FTS4 = ("content", "segments", "segdir", "docsize", "stat")
_RTREE = ("node", "rowid", "parent")
_SHADOWS = {
    **dict.fromkeys(("fts3", "fts4"), _FTS4),
    "fts5": ("data", "idx", "content", "docsize", "config"),
    **dict.fromkeys(("rtree", "rtree_i32", "geopoly"), _RTREE),
}
"""The tables of SQLite's own modules; of others, whatever begins with the name is one."""
_MODULE = re.compile(r"\bUSING (\w+)", re.IGNORECASE)
_EACH_ROW = re.compile(r" for each row(?= when | begin )")
"""SQLite has no other triggers."""
_FEW = 100
"""So many names fit into any statement."""
_REMEMBERED = 32

Texts = Tuple[Any, ...]


class Known:
    """What was seen before, by the texts that SQLite keeps of it: the same texts mean the same."""

    def __init__(self) -> None:
        self.tables: Dict[Texts, Table] = {}
        self.schemas: Dict[Texts, Snapshot] = {}

    def forget(self) -> None:
        """Keep what a round trip and the next can meet again."""
        while len(self.schemas) > _REMEMBERED:
            last = self.schemas.pop(next(iter(self.schemas)))
            if len(self.tables) > _REMEMBERED * (len(last.tables) + 1):
                self.tables.clear()


def take(
    connection: Any, version_table: str = VERSION_TABLE, known: Optional[Known] = None
) -> Snapshot:
    """The schema as it is now; reads only, inside whatever transaction is active.

    `version_table` is Alembic's own table, which is left out. What is in `known` is taken from
    there, the rest is put in.
    """
    known = known or Known()
    driver = getattr(connection, "connection", connection)  # SQLAlchemy's, or the driver's own
    rows = tuple(driver.execute(_MASTER, (version_table,)))
    if rows not in known.schemas:
        known.schemas[rows] = _read(driver, rows, known.tables)
        known.forget()
    return known.schemas[rows]


def _read(driver: Any, rows: Texts, known: Dict[Texts, Table]) -> Snapshot:
    objects = {kind: list(group) for kind, group in groupby(rows, itemgetter(0))}
    texts: Dict[str, List[str]] = {}
    for _, owner, _, text in objects.get("index", []):
        texts.setdefault(owner.lower(), []).append(text)
    keys = {
        name: (name, text, *texts.get(name.lower(), ()))
        for _, _, name, text in objects.get("table", [])
    }
    new = [name for name, key in keys.items() if key not in known]
    details = _details(driver, new)
    for name in new:
        _, text, *indexes = keys[name]
        known[keys[name]] = _table(name, text, details.get(name, {}), sorted(indexes))
    return _assemble({name: known[key] for name, key in keys.items()}, objects)


def _details(driver: Any, tables: List[str]) -> Dict[str, Dict[str, List[Tuple[Any, ...]]]]:
    """What pragmas say of some tables, by table and kind."""
    if not tables:
        return {}
    few = tables if len(tables) <= _FEW else []
    which = "AND name IN ({})".format(", ".join("?" * len(few))) if few else ""
    found: Dict[str, Dict[str, List[Tuple[Any, ...]]]] = {}
    for what, owner, *values in driver.execute(_DETAILS.format(which), few):
        found.setdefault(owner, {}).setdefault(what, []).append(tuple(values))
    return found


def _assemble(tables: Dict[str, Table], objects: Dict[str, List[Tuple[Any, ...]]]) -> Snapshot:
    tables = {
        name: _with_targets(table, tables) if table.foreign_keys else table
        for name, table in tables.items()
    }
    names = _all_names(tables, objects) if objects.keys() & {"view", "trigger"} else set()
    return Snapshot(
        _without_shadows(tables),
        {name: _statement(text, names) for _, _, name, text in objects.get("view", [])},
        {
            name: _EACH_ROW.sub("", _statement(text, names), 1)
            for _, _, name, text in objects.get("trigger", [])
        },
        {"pragma": {name: text for _, _, name, text in objects["pragma"]}}
        if "pragma" in objects
        else {},
    )


def _all_names(tables: Dict[str, Table], objects: Dict[str, List[Tuple[Any, ...]]]) -> Set[str]:
    names = {name.lower() for rows in objects.values() for _, _, name, _ in rows}
    return names.union(c.name.lower() for table in tables.values() for c in table.columns)


def _statement(text: str, names: Set[str]) -> str:
    return sql.normal(sql.tokens(text), names)


def _with_targets(table: Table, tables: Dict[str, Table]) -> Table:
    """With the columns of foreign keys that name only a table: its primary key is meant."""
    if all(fk.target_columns for fk in table.foreign_keys):
        return table
    keys = {name.lower(): other.key for name, other in tables.items()}
    known = tuple(
        fk if fk.target_columns else replace(fk, target_columns=keys.get(fk.target.lower(), ()))
        for fk in table.foreign_keys
    )
    return replace(table, foreign_keys=known)


def _without_shadows(tables: Dict[str, Table]) -> Dict[str, Table]:
    """Without the tables in which a virtual table keeps its data: they come and go with it."""
    if all(table.has_rows for table in tables.values()):
        return tables
    hidden: Set[str] = set()
    prefixes: List[str] = []
    for name, table in tables.items():
        if not table.has_rows:
            module = _MODULE.search(table.definition or "")
            parts = _SHADOWS.get(module.group(1).lower() if module else "")
            hidden.update(f"{name}_{part}".lower() for part in parts or ())
            prefixes += [] if parts else [f"{name}_".lower()]
    return {
        name: table
        for name, table in tables.items()
        if not (
            table.has_rows and (name.lower() in hidden or name.lower().startswith(tuple(prefixes)))
        )
    }


def _table(
    name: str, text: str, parts: Dict[str, List[Tuple[Any, ...]]], index_texts: List[str]
) -> Table:
    words = sql.tokens(text)
    if len(words) > 1 and words[1].is_word("VIRTUAL"):
        return Table(name, kind="virtual table", definition=sql.normal(words))
    read = create.read_table(text)
    columns = _columns(parts.get("column", []), read)
    names = {c.name.lower(): c.name for c in columns}
    indexes = tuple(create.read_index(index, frozenset(names)) for index in index_texts)
    uniques = _uniques(parts.get("unique", []), read)
    uniques.extend(create.unique_of(index, names) for index in indexes if index.unique)
    return Table(
        name,
        tuple(columns),
        tuple(c.name for c in sorted((c for c in columns if c.key), key=lambda c: c.key)),
        read.key_name,
        tuple(_foreign_keys(parts.get("foreign key", []), read)),
        tuple(uniques),
        tuple(read.checks),
        indexes,
        (*read.options, read.key_rest) if read.key_rest else read.options,
    )


def _columns(rows: Iterable[Tuple[Any, ...]], read: create.TableText) -> List[Column]:
    rows = sorted(rows, key=lambda row: int(row[-1]))
    keys = sum(1 for row in rows if row[4])
    found = []
    for name, declared, notnull, default, key, hidden, *_ in rows:
        spelled = sql.type_name(declared)
        said = read.columns.get(name.lower(), create.ColumnText(name))
        # NOT NULL says nothing of a rowid, nor of a key WITHOUT ROWID: it is never NULL.
        implied = bool(key) and (
            (keys == 1 and spelled == "INTEGER") or "WITHOUT ROWID" in read.options
        )
        found.append(
            Column(
                name,
                spelled,
                bool(notnull) or implied,
                sql.default_value(default, spelled) if hidden not in (2, 3) else None,
                int(key),
                {2: "VIRTUAL", 3: "STORED"}.get(hidden, ""),
                said.expression,
                said.collation,
                said.autoincrement,
                said.conflict,
                hidden == 1,
            )
        )
    return found


def _foreign_keys(rows: Iterable[Tuple[Any, ...]], read: create.TableText) -> Iterable[ForeignKey]:
    groups: Dict[int, List[Tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    said = list(read.references)
    for number in sorted(groups, reverse=True):
        group = sorted(groups[number], key=lambda row: int(row[-1]))
        columns = tuple(row[2] for row in group)
        targets = tuple(row[3] for row in group if row[3] is not None)
        target, on_update, on_delete = group[0][1], group[0][4], group[0][5]
        name, deferrable = None, ""
        for entry in said:
            if entry[0] == tuple(c.lower() for c in columns) and entry[1] == target.lower():
                name, deferrable = entry[2], entry[3]
                said.remove(entry)
                break
        yield ForeignKey(columns, target, targets, on_update, on_delete, deferrable, name)


def _uniques(rows: Iterable[Tuple[Any, ...]], read: create.TableText) -> List[Unique]:
    groups: Dict[str, List[Tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    found: Set[Tuple[str, ...]] = set()
    for group in groups.values():
        found.add(tuple(row[1] for row in sorted(group, key=lambda row: int(row[-1]))))
    # The text has the names, and constraints that SQLite serves with one index for two.
    said = list(read.uniques)
    folded = {tuple(c.lower() for c in u.columns) for u in said}
    said.extend(Unique(c) for c in sorted(found) if tuple(n.lower() for n in c) not in folded)
    return said
