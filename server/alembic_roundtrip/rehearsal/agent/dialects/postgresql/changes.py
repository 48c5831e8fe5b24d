"""What a session has changed of the schema: found by the rows of the catalogue that it wrote.

The server counts what each session writes to each catalogue, so that most need no look. In one
transaction, a row that it wrote is known by its `xmin`; rows that it removed are known by those
that were there before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, FrozenSet, Iterable, Mapping, Optional, Set, Tuple

from .text import literal

Row = Tuple[Any, ...]
Rows = Callable[[str], Iterable[Row]]
"""Runs a query that finds names of `pg_catalog` only."""
Writes = Mapping[str, Tuple[str, ...]]
"""How many rows were inserted, updated and deleted, by catalogue; empty where nobody counts."""

PLANNED = "alembic_roundtrip_"
"""How the names of planned queries begin."""
_FIRST_USER_OID = 16384


@dataclass(frozen=True)
class _Source:
    """A catalogue; a row is known by `row` and is a part of `key`, for relations another number."""

    row: str
    key: str = "''"
    where: str = ""
    what: str = ""
    """The kind of object; nothing for parts of relations, of which the relation tells."""
    listed: bool = True
    """Whether its rows are remembered; not where they only go with what they are a part of."""


def _own(column: str = "oid") -> str:
    return f"{column} >= {_FIRST_USER_OID}"


_SOURCES: Dict[str, _Source] = {
    "pg_class": _Source(
        "oid::text", "relkind::text || CASE WHEN relacl IS NULL THEN '' ELSE '+' END", _own()
    ),
    "pg_index": _Source("indexrelid::text", "indrelid::text", _own("indexrelid")),
    "pg_attribute": _Source(
        "attrelid::text || '.' || attnum::text",
        "attrelid::text",
        f"{_own('attrelid')} AND attnum > 0",
        listed=False,
    ),
    "pg_attrdef": _Source("oid::text", "adrelid::text"),
    "pg_constraint": _Source(
        "oid::text", "(CASE conrelid WHEN 0 THEN contypid ELSE conrelid END)::text", _own()
    ),
    "pg_inherits": _Source("inhrelid::text || '.' || inhparent::text", "inhrelid::text"),
    "pg_partitioned_table": _Source("partrelid::text", "partrelid::text"),
    "pg_foreign_table": _Source("ftrelid::text", "ftrelid::text"),
    "pg_sequence": _Source("seqrelid::text", "seqrelid::text"),
    # Those of tables, and of arrays of others, come and go with them.
    "pg_type": _Source(
        "oid::text",
        "oid::text",
        f"{_own()} AND typtype <> 'c' AND (typtype <> 'b' OR typelem = 0)",
        "type",
    ),
    "pg_enum": _Source("oid::text", "enumtypid::text", what="type"),
    "pg_proc": _Source("oid::text", where=_own(), what="function"),
    "pg_trigger": _Source("oid::text", where="NOT tgisinternal", what="trigger"),
    "pg_rewrite": _Source(
        "oid::text", "CASE rulename WHEN '_RETURN' THEN 'view' ELSE 'rule' END", _own(), "rule"
    ),
    "pg_policy": _Source("oid::text", what="policy"),
    "pg_extension": _Source("oid::text", what="extension"),
    "pg_depend": _Source(
        "classid::text || '.' || objid::text",
        # Before PostgreSQL 15 there is no catalogue of the schemas that are published.
        where="(refclassid = 'pg_extension'::regclass AND deptype = 'e' "
        "OR classid = to_regclass('pg_catalog.pg_publication_namespace'))",
        what="membership",
    ),
    "pg_namespace": _Source("oid::text", where="nspname !~ '^pg_'", what="schema"),
    "pg_statistic_ext": _Source("oid::text", what="statistics"),
    **{
        name: _Source("oid::text", where=_own(), what=kind)
        for kind, names in {
            "collation": ("pg_collation",),
            "event trigger": ("pg_event_trigger",),
            "foreign": ("pg_foreign_data_wrapper", "pg_foreign_server"),
            "language": ("pg_language", "pg_transform", "pg_conversion", "pg_am"),
            "operator": ("pg_operator", "pg_cast", "pg_opclass", "pg_opfamily"),
            "publication": ("pg_publication", "pg_publication_rel"),
            "search": ("pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template"),
        }.items()
        for name in names
    },
    "pg_ts_config_map": _Source(
        "mapcfg::text || '.' || maptokentype::text || '.' || mapseqno::text",
        "mapcfg::text",
        _own("mapcfg"),
        "search",
    ),
    "pg_amop": _Source("oid::text", where=_own("amopfamily"), what="operator"),
    "pg_amproc": _Source("oid::text", where=_own("amprocfamily"), what="operator"),
    "pg_default_acl": _Source("oid::text", what="privileges"),
    "pg_description": _Source(
        "classoid::text || '.' || objoid::text || '.' || objsubid::text",
        where=_own("objoid"),
        what="comment",
    ),
}
_RELATIONS = {
    "r": "table",
    "p": "table",
    "f": "table",
    "S": "sequence",
    "c": "type",
    "v": "view",
    "m": "view",
}
# In definitions of others nobody finds the names of these.
_UNNAMED = ("table", "trigger", "rule", "policy", "statistics", "comment", "privileges")
_TABLES = ("r", "p", "f")


def writes(rows: Rows, path: str) -> Tuple[Writes, bool, Set[str]]:
    """What the session has written so far, and whether it ever had temporary tables.

    Further the names of the queries that it has planned. Sets its `search_path`, which can have
    been anything.
    """
    counts = ", ".join(
        f"pg_catalog.pg_stat_get_xact_tuples_{done}(c)"
        for done in ("inserted", "updated", "deleted")
    )
    catalogues = ", ".join(f"'pg_catalog.{name}'" for name in _SOURCES)
    ((_, temporary, planned, counted, told),) = rows(
        f"SELECT pg_catalog.set_config('search_path', {literal(path)}, false), "  # noqa: S608
        "pg_catalog.pg_my_temp_schema()::pg_catalog.text, "
        "(SELECT pg_catalog.string_agg(name, ',') FROM pg_catalog.pg_prepared_statements "
        f"WHERE name LIKE '{PLANNED}%'), "
        "pg_catalog.current_setting('track_counts'), (SELECT pg_catalog.string_agg("
        f"pg_catalog.concat_ws(' ', c::pg_catalog.regclass, {counts}), ',') "
        f"FROM pg_catalog.unnest(ARRAY[{catalogues}]::pg_catalog.regclass[]) c)"
    )
    found = [each.split(" ") for each in told.split(",")] if counted == "on" else []
    counts_now = {name.rpartition(".")[2]: tuple(n) for name, *n in found}
    return counts_now, temporary != "0", set((planned or "").split(","))


@dataclass(frozen=True)
class Written:
    """The rows of the catalogue at one moment."""

    keys: Mapping[str, Mapping[str, str]]
    """By catalogue: what each row is a part of."""
    fresh: Mapping[str, FrozenSet[str]]
    """By catalogue: rows that the transaction had written, with their versions."""


@dataclass
class Changes:
    """What there is to look at again."""

    tables: Set[str] = field(default_factory=set)
    keyed: Set[str] = field(default_factory=set)
    """Those of the tables whose constraints or indexes have changed."""
    sequences: Set[str] = field(default_factory=set)
    gone: Set[str] = field(default_factory=set)
    """Tables and sequences of which nothing is left."""
    kinds: Set[str] = field(default_factory=set)
    everything: bool = False
    """An object has changed whose name can be in the definition of any other."""


def all_rows(rows: Rows) -> Written:
    """The rows as they are now."""
    return _read(rows, dict.fromkeys(_SOURCES, True))


def kinds_of(written: Written) -> Set[str]:
    """The kinds of objects of which there is a row."""
    return {source.what for name, source in _SOURCES.items() if written.keys[name]}


def since(rows: Rows, base: Written, before: Writes, now: Writes) -> Tuple[Written, Changes]:
    """The rows now and what has changed since others, in the same transaction or before it.

    `before` are the session's writes at the time of `base`.
    """
    counted = bool(now and before)
    which = {
        name: not counted or now[name][2] != before[name][2]
        for name in _SOURCES
        if not counted or now[name] != before[name]
    }
    found = _read(rows, which)
    keys = {
        name: found.keys[name] if which[name] else {**base.keys[name], **found.keys[name]}
        for name in which
    }
    written = Written({**base.keys, **keys}, {**base.fresh, **found.fresh})
    changes = Changes()
    for name in which:
        new = {each.partition(" ")[0] for each in found.fresh[name] - base.fresh[name]}
        for row in new:
            _note(changes, written, name, row, base)
        for row in base.keys[name].keys() - keys[name].keys() - new:
            _note(changes, base, name, row)
    changes.gone = base.keys["pg_class"].keys() - written.keys["pg_class"].keys()
    changes.tables -= changes.gone
    changes.keyed -= changes.gone
    changes.sequences -= changes.gone
    return written, changes


def _read(rows: Rows, which: Mapping[str, bool]) -> Written:
    """Rows of some catalogues: all, or those only that the transaction has written."""
    keys: Dict[str, Dict[str, str]] = {name: {} for name in which}
    fresh: Dict[str, FrozenSet[str]] = dict.fromkeys(which, frozenset())
    parts = [_part(name, every=every) for name, every in which.items()]
    for name, listed, versions in rows(" UNION ALL ".join(parts)) if parts else ():
        if _SOURCES[name].listed:
            keys[name] = dict(each.split(" ") for each in (listed or "").split(";") if each)
        fresh[name] = frozenset((versions or "").split(";")) - {""}
    return Written(keys, fresh)


def _part(name: str, *, every: bool) -> str:
    source = _SOURCES[name]
    conditions = [source.where] if source.where else []
    if not (every and source.listed):
        conditions.append("age(xmin) <= 0")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT '{name}', string_agg({source.row} || ' ' || {source.key}, ';'), "  # noqa: S608
        f"string_agg({source.row} || ' ' || xmin::text || ctid::text, ';') "
        f"FILTER (WHERE age(xmin) <= 0) FROM {name}{where}"
    )


def _note(
    changes: Changes, at: Written, name: str, row: str, base: Optional[Written] = None
) -> None:
    """Note what a row is a part of; with `base` it is one that was written since."""
    what, number = _object(at, name, row)
    known = base is not None and (
        row in base.keys[name] or any(number in base.keys[home] for home in _HOMES.get(what, ()))
    )
    if what == "table":
        changes.tables.add(number)
        of_index = name in ("pg_class", "pg_attribute") and row.partition(".")[0] != number
        if of_index or name in ("pg_index", "pg_constraint"):
            changes.keyed.add(number)
    elif what == "sequence":
        changes.sequences.add(number)
    elif what:
        changes.kinds.add(what)
    if what == "membership" or (known and what and what not in _UNNAMED):
        changes.everything = True
    kind = at.keys["pg_class"].get(row, "") if name == "pg_class" else ""
    if "+" in kind or (base is not None and "+" in base.keys["pg_class"].get(row, "")):
        changes.kinds.add("privileges")
    if what in _GRANTED:
        changes.kinds.add("privileges")
    # A comment is listed under the name of what it is on; a table's new name changes everything.
    if known and name != "pg_attribute" and kind[:1] not in _TABLES and at.keys["pg_description"]:
        changes.kinds.add("comment")


_GRANTED = ("function", "schema", "type")
_HOMES = {"sequence": ("pg_class",), "view": ("pg_class",), "type": ("pg_type", "pg_class")}


def _object(at: Written, name: str, row: str) -> Tuple[str, str]:
    """What a row is a part of, and its number."""
    key = at.keys[name].get(row, row.partition(".")[0])
    source = _SOURCES[name]
    if name == "pg_rewrite":
        return key, row
    if source.what:
        return source.what, key or row
    number = row if name == "pg_class" else key
    number = at.keys["pg_index"].get(number, number)
    kind = at.keys["pg_class"].get(number)
    if kind is None:
        return ("type" if name == "pg_constraint" else ""), number
    return _RELATIONS.get(kind[0], ""), number
