"""The schema of a PostgreSQL database at one moment: one query, definitions as the server writes.

Nothing of ours reads SQL to tell what is equal: `pg_get_constraintdef` and its like say it in one
spelling. Left out are owners, what belongs to an extension, and the NOT NULL constraints that
PostgreSQL 18 lists beside the columns' own NOT NULL.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from ... import sql
from ...schema import Check, Column, ForeignKey, Index, Snapshot, Table, Unique
from .checks import plain

Row = Tuple[Any, ...]
Parts = Dict[str, List[Row]]

_FIRST_USER_OID = 16384

# A row says what it is, of which relation, its name, and up to nine values, all of them text.
QUERY = f"""
WITH own AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), ns AS (
  SELECT n.oid, n.nspname, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END AS prefix
  FROM pg_namespace n
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
), rel AS (
  SELECT c.oid, c.relkind, c.relname, ns.nspname, ns.prefix || c.relname AS name, c.relpersistence,
         c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.reloptions,
         c.relpartbound, c.reloftype, c.relacl, c.relowner
  FROM pg_class c JOIN ns ON ns.oid = c.relnamespace
  WHERE c.oid >= {_FIRST_USER_OID}
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), ty AS (
  SELECT t.*, ns.prefix || t.typname AS name FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
  WHERE t.oid >= {_FIRST_USER_OID}
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_type'::regclass AND objid = t.oid)
), labels AS (
  SELECT enumtypid, json_agg(enumlabel ORDER BY enumsortorder)::text AS labels
  FROM pg_enum GROUP BY enumtypid
)
SELECT 'table' AS what, r.name AS owner, r.nspname::text AS a, r.relname::text AS b,
       r.relkind::text AS c, r.relpersistence::text AS d, r.relispartition::text AS e,
       concat_ws(', ',
         CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
         'PARTITION BY ' || pg_get_partkeydef(r.oid),
         (SELECT string_agg('INHERITS ' || i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
          FROM pg_inherits i WHERE i.inhrelid = r.oid),
         pg_get_expr(r.relpartbound, r.oid),
         'OF ' || nullif(r.reloftype, 0)::regtype::text,
         'WITH (' || array_to_string(r.reloptions, ', ') || ')',
         CASE WHEN r.relrowsecurity THEN 'ROW LEVEL SECURITY' END,
         CASE WHEN r.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
         CASE r.relreplident WHEN 'n' THEN 'REPLICA IDENTITY NOTHING'
           WHEN 'f' THEN 'REPLICA IDENTITY FULL'
           WHEN 'i' THEN 'REPLICA IDENTITY ' || (SELECT x.indexrelid::regclass::text
             FROM pg_index x WHERE x.indrelid = r.oid AND x.indisreplident) END,
         (SELECT 'SERVER ' || s.srvname || ' ' || coalesce(array_to_string(f.ftoptions, ', '), '')
          FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
          WHERE f.ftrelid = r.oid)) AS f,
       NULL::text AS g, NULL::text AS h, NULL::text AS i, NULL::text AS j
  FROM rel r WHERE r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'column', r.name, a.attname::text, format_type(a.atttypid, a.atttypmod),
       a.attnotnull::text, pg_get_expr(d.adbin, d.adrelid),
       a.attidentity::text || a.attgenerated::text,
       CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN a.attcollation::regcollation::text
       END,
       lpad(a.attnum::text, 6, '0'),
       concat_ws(', ',
         'STATISTICS ' || CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text END,
         CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || a.attstorage::text END,
         array_to_string(a.attoptions, ', ')),
       CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
       coalesce(l.labels, el.labels)
  FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
       LEFT JOIN labels l ON l.enumtypid IN (t.oid, t.typbasetype)
       LEFT JOIN labels el ON el.enumtypid = t.typelem
  WHERE r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'constraint', r.name, c.conname::text, c.contype::text, pg_get_constraintdef(c.oid),
       (SELECT json_agg(a.attname ORDER BY k.n)::text
        FROM unnest(c.conkey) WITH ORDINALITY k(num, n)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
       f.name,
       (SELECT json_agg(a.attname ORDER BY k.n)::text
        FROM unnest(c.confkey) WITH ORDINALITY k(num, n)
        JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num),
       c.confupdtype::text || c.confdeltype::text,
       concat_ws(' ', CASE WHEN c.condeferrable THEN 'DEFERRABLE' END,
         CASE WHEN c.condeferred THEN 'INITIALLY DEFERRED' END,
         CASE WHEN NOT c.convalidated THEN 'NOT VALID' END,
         CASE c.confmatchtype WHEN 'f' THEN 'MATCH FULL' END,
         CASE WHEN c.connoinherit AND c.contype = 'c' THEN 'NO INHERIT' END),
       NULL, NULL
  FROM rel r JOIN pg_constraint c ON c.conrelid = r.oid LEFT JOIN rel f ON f.oid = c.confrelid
  WHERE c.contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL
SELECT 'index', r.name, i.relname::text, x.indisunique::text, pg_get_indexdef(x.indexrelid),
       (SELECT json_agg(a.attname ORDER BY k.n)::text
        FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(num, n)
        JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.num
        WHERE k.n <= x.indnkeyatts),
       pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid),
       concat_ws(', ', CASE WHEN NOT x.indisvalid THEN 'INVALID' END,
         CASE WHEN x.indisclustered THEN 'CLUSTERED' END),
       r.relkind::text, NULL, NULL
  FROM rel r JOIN pg_index x ON x.indrelid = r.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid
                    AND c.contype IN ('p', 'u', 'x'))
    AND r.relkind IN ('r', 'p', 'f', 'm') AND NOT i.relispartition
UNION ALL
SELECT 'object', CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.name,
       concat_ws(' ', pg_get_viewdef(r.oid), array_to_string(r.reloptions, ', ')),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'object', 'sequence', r.name,
       concat_ws(' ', format_type(s.seqtypid, NULL), 'START', s.seqstart, 'INCREMENT',
         s.seqincrement, 'MINVALUE', s.seqmin, 'MAXVALUE', s.seqmax, 'CACHE', s.seqcache,
         CASE WHEN s.seqcycle THEN 'CYCLE' END,
         (SELECT 'OWNED BY ' || o.name || '.' || a.attname FROM pg_depend d
          JOIN rel o ON o.oid = d.refobjid
          JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid
          WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'a')),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_sequence s ON s.seqrelid = r.oid
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = r.oid AND d.deptype = 'i')
UNION ALL
SELECT 'object', 'sequence', r.name || ' (identity of ' || o.name || '.' || a.attname || ')',
       concat_ws(' ', format_type(s.seqtypid, NULL), 'START', s.seqstart, 'INCREMENT',
         s.seqincrement, 'MINVALUE', s.seqmin, 'MAXVALUE', s.seqmax, 'CACHE', s.seqcache,
         CASE WHEN s.seqcycle THEN 'CYCLE' END),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_sequence s ON s.seqrelid = r.oid
       JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'i'
       JOIN rel o ON o.oid = d.refobjid
       JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid
UNION ALL
SELECT 'object', 'enum type', t.name, coalesce(l.labels, '[]'),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t LEFT JOIN labels l ON l.enumtypid = t.oid WHERE t.typtype = 'e'
UNION ALL
SELECT 'object', 'domain', t.name,
       concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
         CASE WHEN t.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || t.typdefault,
         (SELECT string_agg('CONSTRAINT ' || c.conname || ' ' || pg_get_constraintdef(c.oid), ' '
                            ORDER BY c.conname)
          FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c')),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t WHERE t.typtype = 'd'
UNION ALL
SELECT 'object', 'composite type', t.name,
       (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', '
                          ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
UNION ALL
SELECT 'object', 'range type', t.name, format_type(g.rngsubtype, NULL),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t JOIN pg_range g ON g.rngtypid = t.oid
UNION ALL
SELECT 'object', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
                 ELSE 'function' END,
       ns.prefix || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       CASE p.prokind WHEN 'a' THEN coalesce((SELECT concat_ws(' ', g.aggtransfn::text,
           g.aggfinalfn::text, format_type(g.aggtranstype, NULL), g.agginitval)
         FROM pg_aggregate g WHERE g.aggfnoid = p.oid), '') ELSE pg_get_functiondef(p.oid) END,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
  WHERE p.oid >= {_FIRST_USER_OID}
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                    AND d.objid = p.oid AND d.deptype = 'i')
UNION ALL
SELECT 'object', 'trigger', r.name || '.' || t.tgname,
       concat_ws(' ', pg_get_triggerdef(t.oid), CASE t.tgenabled WHEN 'D' THEN 'DISABLED'
         WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'object', 'rule', r.name || '.' || w.rulename, pg_get_ruledef(w.oid),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
UNION ALL
SELECT 'object', 'policy', r.name || '.' || p.polname,
       concat_ws(' ', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
         'FOR', p.polcmd,
         'TO ' || (SELECT string_agg(CASE u WHEN 0 THEN 'public' ELSE u::regrole::text END, ', ')
                   FROM unnest(p.polroles) u),
         'USING ' || pg_get_expr(p.polqual, p.polrelid),
         'WITH CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid)),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 'object', 'extension', e.extname::text, concat_ws(' ', e.extversion, 'SCHEMA', n.nspname),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'
UNION ALL
SELECT 'object', 'schema', ns.nspname::text, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ns WHERE ns.nspname <> 'public'
UNION ALL
SELECT 'object', 'statistics', ns.prefix || s.stxname, pg_get_statisticsobjdef(s.oid),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_statistic_ext s JOIN ns ON ns.oid = s.stxnamespace
UNION ALL
SELECT 'object', 'collation', ns.prefix || c.collname,
       concat_ws(' ', c.collprovider, c.collcollate, c.collctype, c.collisdeterministic),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_collation c JOIN ns ON ns.oid = c.collnamespace
UNION ALL
SELECT 'object', 'text search configuration', ns.prefix || c.cfgname,
       concat_ws(' ', p.prsname, (SELECT string_agg(m.maptokentype || ' ' || d.dictname, ', '
                                  ORDER BY m.maptokentype, m.mapseqno)
         FROM pg_ts_config_map m JOIN pg_ts_dict d ON d.oid = m.mapdict WHERE m.mapcfg = c.oid)),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_ts_config c JOIN ns ON ns.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
UNION ALL
SELECT 'object', i.type, i.identity, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM (SELECT 'pg_operator'::regclass AS class, oid FROM pg_operator
        UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
        UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
        UNION ALL SELECT 'pg_publication'::regclass, oid FROM pg_publication
        UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger) x,
       pg_identify_object(x.class, x.oid, 0) i
  WHERE x.oid >= {_FIRST_USER_OID}
    AND NOT EXISTS (SELECT FROM own WHERE classid = x.class AND objid = x.oid)
UNION ALL
SELECT 'object', 'privileges', pg_describe_object('pg_class'::regclass, r.oid, 0),
       string_agg(concat_ws(' ', CASE g.grantee WHEN 0 THEN 'public' ELSE g.grantee::regrole::text
         END, g.privilege_type, CASE WHEN g.is_grantable THEN 'GRANTABLE' END), ', '
         ORDER BY g.grantee, g.privilege_type),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r, aclexplode(r.relacl) g WHERE g.grantee <> r.relowner GROUP BY r.oid
UNION ALL
SELECT 'object', 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_description d WHERE d.objoid >= {_FIRST_USER_OID}
    AND NOT EXISTS (SELECT FROM own WHERE classid = d.classoid AND objid = d.objoid)
    AND d.classoid <> 'pg_extension'::regclass
"""  # noqa: S608 - a number

_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_PUBLIC = re.compile(r"\bpublic\.(?=[\w\"])")
_INDEX_HEAD = re.compile(
    r"^CREATE (?:UNIQUE )?INDEX (?:\"(?:[^\"]|\"\")*\"|\S+) ON ", re.IGNORECASE
)


def take(rows: Callable[[str], Iterable[Row]], version_table: str) -> Snapshot:
    """The schema as it is now; `rows` runs a query whose names are those of `pg_catalog` only.

    `version_table` is Alembic's own table, which is left out.
    """
    objects: Dict[str, Dict[str, str]] = {}
    parts: Dict[str, Parts] = {}
    tables: List[Row] = []
    for row in rows(QUERY):
        what, owner, *values = (_unqualified(value) for value in row)
        if what == "object":
            objects.setdefault(owner, {})[values[0]] = values[1] or ""
        elif what == "table":
            tables.append((owner, *values))
        else:
            parts.setdefault(owner, {}).setdefault(what, []).append(tuple(values))
    found = {}
    for row in sorted(tables):
        own = parts.pop(row[0], {})
        if row[2] != version_table:
            found[row[0]] = _table(row, own)
    for owner, own in parts.items():  # of materialized views
        for name, _, definition, *_ in own.get("index", []):
            objects.setdefault("index", {})[f"{owner}.{name}"] = definition
    for name, kind in (
        ("comment", f"table {version_table}"),
        ("privileges", f"table {version_table}"),
    ):
        objects.get(name, {}).pop(kind, None)
    return Snapshot(found, objects=objects)


def _unqualified(value: Any) -> Any:
    """Without the schema that everybody means."""
    return _PUBLIC.sub("", value) if isinstance(value, str) and "public." in value else value


def _table(row: Row, parts: Parts) -> Table:
    name, schema, bare, kind, _persistence, is_partition, options = row[:7]
    columns = tuple(_column(each) for each in sorted(parts.get("column", []), key=lambda r: r[6]))
    constraints = sorted(parts.get("constraint", []), key=lambda r: str(r[0]))
    by_kind: Dict[str, List[Row]] = {}
    for each in constraints:
        by_kind.setdefault(each[1], []).append(each)
    key = next(iter(by_kind.get("p", [])), None)
    indexes = sorted(parts.get("index", []), key=lambda r: str(r[0]))
    names = {column.name.lower(): column.name for column in columns}
    uniques = [_unique(each) for each in by_kind.get("u", [])]
    uniques += [_unique_index(each, names) for each in indexes if each[1] == "true"]
    key_names = _names(key[3]) if key else ()
    return Table(
        name,
        tuple(c if c.name not in key_names else _keyed(c, key_names) for c in columns),
        key_names,
        key[0] if key else None,
        tuple(_foreign_key(each) for each in by_kind.get("f", [])),
        tuple(uniques),
        tuple(_check(each) for each in by_kind.get("c", [])),
        tuple(_index(each) for each in indexes),
        tuple(filter(None, [options, _deferred(key)])),
        {"f": "a foreign table"}.get(kind) or ("a partition" if is_partition == "true" else None),
        schema,
        bare,
        tuple((each[0], each[2]) for each in by_kind.get("x", [])),
    )


def _deferred(key: Optional[Row]) -> str:
    return f"PRIMARY KEY {key[7]}" if key and key[7] else ""


def _keyed(column: Column, key: Tuple[str, ...]) -> Column:
    from dataclasses import replace

    return replace(column, key=key.index(column.name) + 1)


def _column(row: Row) -> Column:
    name, kind, notnull, default, marks, collation, _, options, base, labels = row
    identity = marks[:1] if marks[:1] in ("a", "d") else ""
    generated = {"s": "STORED", "v": "VIRTUAL"}.get(marks.replace(identity, "", 1), "")
    return Column(
        name,
        kind,
        notnull=notnull == "true",
        default=None if generated else default,
        generated=generated,
        expression=default if generated else None,
        collation=collation or "",
        identity={"a": "ALWAYS", "d": "BY DEFAULT"}.get(identity, ""),
        options=options or "",
        base=base or "",
        members=tuple(json.loads(labels)) if labels else (),
    )


def _names(text: Optional[str]) -> Tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()


def _foreign_key(row: Row) -> ForeignKey:
    name, _, definition, columns, target, targets, actions, deferrable = row[:8]
    return ForeignKey(
        _names(columns),
        target or "",
        _names(targets),
        _ACTIONS.get(actions[0], ""),
        _ACTIONS.get(actions[1], ""),
        deferrable,
        name,
        definition,
    )


def _unique(row: Row) -> Unique:
    name, _, definition, columns = row[:4]
    return Unique(_names(columns), name, definition=definition)


def _unique_index(row: Row, names: Dict[str, str]) -> Unique:
    """The columns that a unique index makes unique, with those inside its expressions."""
    name, _, _, columns, expressions, where = row[:6]
    found = list(_names(columns))
    for token in sql.tokens(expressions or ""):
        column = names.get(token.value.lower()) if token.is_name else None
        if column and column not in found:
            found.append(column)
    return Unique(tuple(found), where=where, index=name)


def _check(row: Row) -> Check:
    name, _, definition = row[:3]
    return Check(plain(definition), definition, name)


def _index(row: Row) -> Index:
    name, unique, definition, columns, _, where, options = row[:7]
    text = _INDEX_HEAD.sub("", definition)
    return Index(
        name,
        unique == "true",
        _names(columns),
        where,
        f"{text} {options}".strip(),
    )
