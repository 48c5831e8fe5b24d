"""What is asked of PostgreSQL's catalogue, in parts: tables, and each kind of other objects.

A row says what it is, of which relation, its name, and up to nine values, all of them text.
Definitions are as the server writes them. Left out are owners, what belongs to an extension, and
the NOT NULL constraints that PostgreSQL 18 lists beside the columns' own NOT NULL.
"""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Sequence

_FIRST_USER_OID = 16384

_HEAD = f"""
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
), chosen AS (
  SELECT * FROM rel WHERE {{which}}
)
"""  # noqa: S608 - a number

_TABLES = """
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
       r.oid::text AS g, NULL::text AS h, NULL::text AS i, NULL::text AS j
  FROM chosen r WHERE r.relkind IN ('r', 'p', 'f')
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
  FROM chosen r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
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
  FROM chosen r JOIN pg_constraint c ON c.conrelid = r.oid LEFT JOIN rel f ON f.oid = c.confrelid
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
  FROM chosen r JOIN pg_index x ON x.indrelid = r.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid
                    AND c.contype IN ('p', 'u', 'x'))
    AND r.relkind IN ('r', 'p', 'f') AND NOT i.relispartition
"""

_OBJECTS: Dict[str, str] = {
    "view": """
SELECT 'view', CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.name,
       concat_ws(' ', pg_get_viewdef(r.oid), array_to_string(r.reloptions, ', ')),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'view', 'index', r.name || '.' || i.relname, pg_get_indexdef(x.indexrelid),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_index x ON x.indrelid = r.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE r.relkind = 'm'
""",
    "sequence": """
SELECT 'sequence', 'sequence', r.name,
       concat_ws(' ', format_type(s.seqtypid, NULL), 'START', s.seqstart, 'INCREMENT',
         s.seqincrement, 'MINVALUE', s.seqmin, 'MAXVALUE', s.seqmax, 'CACHE', s.seqcache,
         CASE WHEN s.seqcycle THEN 'CYCLE' END,
         'OWNED BY ' || w.owner),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_sequence s ON s.seqrelid = r.oid
       LEFT JOIN (SELECT d.objid, o.name || '.' || a.attname AS owner
                  FROM pg_depend d JOIN rel o ON o.oid = d.refobjid
                  JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid
                  WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'a') w ON w.objid = r.oid
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = r.oid AND d.deptype = 'i')
UNION ALL
SELECT 'sequence', 'sequence', r.name || ' (identity of ' || o.name || '.' || a.attname || ')',
       concat_ws(' ', format_type(s.seqtypid, NULL), 'START', s.seqstart, 'INCREMENT',
         s.seqincrement, 'MINVALUE', s.seqmin, 'MAXVALUE', s.seqmax, 'CACHE', s.seqcache,
         CASE WHEN s.seqcycle THEN 'CYCLE' END),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_sequence s ON s.seqrelid = r.oid
       JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'i'
       JOIN rel o ON o.oid = d.refobjid
       JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid
""",
    "type": """
SELECT 'type', 'enum type', t.name, coalesce(l.labels, '[]'),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t LEFT JOIN labels l ON l.enumtypid = t.oid WHERE t.typtype = 'e'
UNION ALL
SELECT 'type', 'domain', t.name,
       concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
         CASE WHEN t.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || t.typdefault,
         (SELECT string_agg('CONSTRAINT ' || c.conname || ' ' || pg_get_constraintdef(c.oid), ' '
                            ORDER BY c.conname)
          FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c')),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t WHERE t.typtype = 'd'
UNION ALL
SELECT 'type', 'composite type', t.name,
       (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', '
                          ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
UNION ALL
SELECT 'type', 'range type', t.name, format_type(g.rngsubtype, NULL),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t JOIN pg_range g ON g.rngtypid = t.oid
""",
    "function": f"""
SELECT 'function', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
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
""",  # noqa: S608 - a number
    "trigger": """
SELECT 'trigger', 'trigger', r.name || '.' || t.tgname,
       concat_ws(' ', pg_get_triggerdef(t.oid), CASE t.tgenabled WHEN 'D' THEN 'DISABLED'
         WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
""",
    "rule": """
SELECT 'rule', 'rule', r.name || '.' || w.rulename, pg_get_ruledef(w.oid),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
""",
    "policy": """
SELECT 'policy', 'policy', r.name || '.' || p.polname,
       concat_ws(' ', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
         'FOR', p.polcmd,
         'TO ' || (SELECT string_agg(CASE u WHEN 0 THEN 'public' ELSE u::regrole::text END, ', ')
                   FROM unnest(p.polroles) u),
         'USING ' || pg_get_expr(p.polqual, p.polrelid),
         'WITH CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid)),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_policy p ON p.polrelid = r.oid
""",
    "extension": """
SELECT 'extension', 'extension', e.extname::text, concat_ws(' ', e.extversion, 'SCHEMA', n.nspname),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'
""",
    "schema": """
SELECT 'schema', 'schema', ns.nspname::text, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ns WHERE ns.nspname <> 'public'
""",
    "statistics": """
SELECT 'statistics', 'statistics', ns.prefix || s.stxname, pg_get_statisticsobjdef(s.oid),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_statistic_ext s JOIN ns ON ns.oid = s.stxnamespace
""",
    "collation": """
SELECT 'collation', 'collation', ns.prefix || c.collname,
       concat_ws(' ', c.collprovider, c.collcollate, c.collctype, c.collisdeterministic),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_collation c JOIN ns ON ns.oid = c.collnamespace
""",
    "search": """
SELECT 'search', 'text search configuration', ns.prefix || c.cfgname,
       concat_ws(' ', p.prsname, (SELECT string_agg(m.maptokentype || ' ' || d.dictname, ', '
                                  ORDER BY m.maptokentype, m.mapseqno)
         FROM pg_ts_config_map m JOIN pg_ts_dict d ON d.oid = m.mapdict WHERE m.mapcfg = c.oid)),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_ts_config c JOIN ns ON ns.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
""",
    "other": f"""
SELECT 'other', i.type, i.identity, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
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
""",  # noqa: S608 - a number
    "privileges": """
SELECT 'privileges', 'privileges', pg_describe_object('pg_class'::regclass, r.oid, 0),
       string_agg(concat_ws(' ', CASE g.grantee WHEN 0 THEN 'public' ELSE g.grantee::regrole::text
         END, g.privilege_type, CASE WHEN g.is_grantable THEN 'GRANTABLE' END), ', '
         ORDER BY g.grantee, g.privilege_type),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r, aclexplode(r.relacl) g WHERE g.grantee <> r.relowner GROUP BY r.oid
""",
    "comment": f"""
SELECT 'comment', 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_description d WHERE d.objoid >= {_FIRST_USER_OID}
    AND NOT EXISTS (SELECT FROM own WHERE classid = d.classoid AND objid = d.objoid)
    AND d.classoid <> 'pg_extension'::regclass
""",  # noqa: S608 - a number
}


def query(tables: Optional[Sequence[str]], objects: Iterable[str]) -> str:
    """What tells of these tables (oids; None: of all) and of these kinds of objects."""
    parts = [_OBJECTS[kind] for kind in objects]
    if tables is None:
        which = "TRUE"
    else:
        which = "oid IN ({})".format(", ".join(tables)) if tables else "FALSE"
    if tables != []:
        parts.insert(0, _TABLES)
    return _HEAD.format(which=which) + "UNION ALL".join(parts)


OBJECTS = tuple(_OBJECTS)
"""The kinds of objects that `query` takes; those of `VERSIONS`, too."""

# What the rows of the catalogue are that make up one object: where nothing else is there, nothing
# changed. A row that was changed is another row: one with another place, or of another transaction.
# Summed up, as rows come in any order.
_ROW = "xmin::text || ctid::text"
VERSIONS = f"""
SELECT max(what), key::text, count(*) || ' ' || sum(hashtextextended(version, 0))
FROM (
  SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'table'
         WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view'
         END AS what, oid AS key, {_ROW} AS version FROM pg_class WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT NULL, attrelid, {_ROW} FROM pg_attribute
    WHERE attrelid >= {_FIRST_USER_OID} AND attnum > 0
  UNION ALL SELECT NULL, adrelid, {_ROW} FROM pg_attrdef
  UNION ALL SELECT NULL, conrelid, {_ROW} FROM pg_constraint WHERE conrelid >= {_FIRST_USER_OID}
  UNION ALL SELECT NULL, x.indrelid, x.xmin::text || x.ctid::text || i.xmin::text || i.ctid::text
    || x.indisvalid::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    WHERE x.indrelid >= {_FIRST_USER_OID}
  UNION ALL SELECT NULL, inhrelid, {_ROW} FROM pg_inherits
  UNION ALL SELECT NULL, partrelid, {_ROW} FROM pg_partitioned_table
  UNION ALL SELECT NULL, ftrelid, {_ROW} FROM pg_foreign_table
  UNION ALL SELECT NULL, seqrelid, {_ROW} FROM pg_sequence
) relations GROUP BY key HAVING max(what) IS NOT NULL AND key >= {_FIRST_USER_OID}
UNION ALL
SELECT what, key::text, count(*) || ' ' || sum(hashtextextended(version, 0))
FROM (
  SELECT 'type' AS what, oid AS key, {_ROW} AS version FROM pg_type
    WHERE oid >= {_FIRST_USER_OID} AND typtype <> 'c' AND (typtype <> 'b' OR typelem = 0)
  UNION ALL SELECT 'type', enumtypid, {_ROW} FROM pg_enum
  UNION ALL SELECT 'type', contypid, {_ROW} FROM pg_constraint WHERE contypid <> 0
    AND oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'function', oid, {_ROW} FROM pg_proc WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'trigger', oid, {_ROW} FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT CASE rulename WHEN '_RETURN' THEN 'view' ELSE 'rule' END, oid, {_ROW}
    FROM pg_rewrite WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'policy', oid, {_ROW} FROM pg_policy
  UNION ALL SELECT 'extension', oid, {_ROW} FROM pg_extension
  UNION ALL SELECT 'extension', 0, count(*)::text || sum(objid::bigint)::text FROM pg_depend
    WHERE deptype = 'e'
  UNION ALL SELECT 'schema', oid, {_ROW} FROM pg_namespace WHERE nspname !~ '^pg_'
  UNION ALL SELECT 'statistics', oid, {_ROW} FROM pg_statistic_ext
  UNION ALL SELECT 'collation', oid, {_ROW} FROM pg_collation WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'search', oid, {_ROW} FROM pg_ts_config WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'search', mapcfg, {_ROW} FROM pg_ts_config_map
    WHERE mapcfg >= {_FIRST_USER_OID}
  UNION ALL SELECT 'other', oid, {_ROW} FROM pg_operator WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'other', oid, {_ROW} FROM pg_cast WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'other', oid, {_ROW} FROM pg_opclass WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'other', oid, {_ROW} FROM pg_ts_dict WHERE oid >= {_FIRST_USER_OID}
  UNION ALL SELECT 'other', oid, {_ROW} FROM pg_foreign_server
  UNION ALL SELECT 'other', oid, {_ROW} FROM pg_publication
  UNION ALL SELECT 'other', oid, {_ROW} FROM pg_event_trigger
  UNION ALL SELECT 'privileges', oid, relacl::text FROM pg_class
    WHERE oid >= {_FIRST_USER_OID} AND relacl IS NOT NULL
  UNION ALL SELECT 'comment', objoid, classoid::text || ' ' || objsubid::text || {_ROW}
    FROM pg_description WHERE objoid >= {_FIRST_USER_OID}
) objects GROUP BY what, key
"""  # noqa: S608 - a number and a text of ours
