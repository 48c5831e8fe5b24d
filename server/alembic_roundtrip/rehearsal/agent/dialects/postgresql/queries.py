"""What is asked of PostgreSQL's catalogue, in parts: tables, and each kind of other objects.

A row says what it is, of which relation (by number) or kind, and up to ten values, all texts.
Definitions are as the server writes them. Left out are owners, what belongs to an extension, and
the NOT NULL constraints that PostgreSQL 18 lists beside the columns' own NOT NULL.
"""

from __future__ import annotations

from typing import Dict, Iterable, Optional

from . import rare

_FIRST_USER_OID = 16384
_SETTING = "alembic_roundtrip"

_HEAD = f"""
WITH own AS (
  SELECT classid, objid FROM pg_depend
  WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
), ns AS (
  SELECT n.oid, n.nspname, n.nspacl, n.nspowner,
         CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END AS prefix
  FROM pg_namespace n
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
), rel AS (
  SELECT c.oid, c.relkind, c.relname, ns.prefix || c.relname AS name, c.reloptions, c.relacl,
         c.relowner, c.relispopulated
  FROM pg_class c JOIN ns ON ns.oid = c.relnamespace
  WHERE c.oid >= {_FIRST_USER_OID}
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), ty AS (
  SELECT t.*, ns.prefix || t.typname AS name FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
  WHERE t.oid >= {_FIRST_USER_OID} AND (t.typtype <> 'b' OR t.typelem = 0)
    AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_type'::regclass AND objid = t.oid)
)
"""  # noqa: S608 - a number


def _collation(column: str) -> str:
    """A collation as it is written; `regcollation` is younger than PostgreSQL 12."""
    return f"""(SELECT CASE WHEN pg_collation_is_visible(k.oid) THEN '' ELSE
           quote_ident(l.nspname) || '.' END || quote_ident(k.collname)
         FROM pg_collation k JOIN pg_namespace l ON l.oid = k.collnamespace
         WHERE k.oid = {column})"""  # noqa: S608 - our own


_PREFIX = "CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END"
# Of relations `r`: those that migrations made, by their numbers.
_OURS = """
  r.oid {which} AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = r.oid
                    AND deptype = 'e')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass
                    AND objid = n.oid AND deptype = 'e')
"""
_SEQUENCES = f"""
SELECT 'sequence' AS what, r.oid::text AS owner,
       {_PREFIX} || r.relname || CASE d.deptype WHEN 'i'
         THEN ' (identity of ' || {_PREFIX} || o.relname || '.' || a.attname || ')' ELSE '' END
         AS a,
       concat_ws(' ', CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
         format_type(s.seqtypid, NULL), 'START', s.seqstart, 'INCREMENT',
         s.seqincrement, 'MINVALUE', s.seqmin, 'MAXVALUE', s.seqmax, 'CACHE', s.seqcache,
         CASE WHEN s.seqcycle THEN 'CYCLE' END,
         CASE d.deptype WHEN 'a' THEN 'OWNED BY ' || {_PREFIX} || o.relname || '.' || a.attname
         END) AS b,
       NULL AS c, NULL AS d, NULL AS e, NULL AS f, NULL AS g, NULL AS h, NULL AS i, NULL AS j
  FROM pg_sequence s JOIN pg_class r ON r.oid = s.seqrelid
       JOIN pg_namespace n ON n.oid = r.relnamespace
       LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid
         AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
       LEFT JOIN pg_class o ON o.oid = d.refobjid
       LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE {_OURS}
"""  # noqa: S608 - our own

_GRANTS = """string_agg(concat_ws(' ',
           CASE g.grantee WHEN 0 THEN 'public' ELSE g.grantee::regrole::text END,
           g.privilege_type, CASE WHEN g.is_grantable THEN 'GRANTABLE' END), ', '
           ORDER BY g.grantee, g.privilege_type)"""
_TABLES = (
    """
SELECT 'table' AS what, r.oid::text AS owner, n.nspname::text AS a, r.relname::text AS b,
       r.relkind::text AS c, r.relpersistence::text AS d, r.relispartition::text AS e,
       concat_ws(', ',
         CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
         'PARTITION BY ' || pg_get_partkeydef(r.oid),
         (SELECT string_agg('INHERITS ' || i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
          FROM pg_inherits i WHERE i.inhrelid = r.oid),
         pg_get_expr(r.relpartbound, r.oid),
         'OF ' || nullif(r.reloftype, 0)::regtype::text,
         (SELECT 'USING ' || m.amname FROM pg_am m WHERE m.oid = r.relam AND m.amname <> 'heap'),
         (SELECT 'TABLESPACE ' || s.spcname FROM pg_tablespace s WHERE s.oid = r.reltablespace),
         'WITH (' || array_to_string(r.reloptions, ', ') || ')',
         (SELECT 'TOAST (' || array_to_string(b.reloptions, ', ') || ')' FROM pg_class b
          WHERE b.oid = r.reltoastrelid),
         (SELECT string_agg(concat_ws(' ', 'INDEX', i.relname,
             'WITH (' || array_to_string(i.reloptions, ', ') || ')',
             CASE WHEN x.indisclustered THEN 'CLUSTERED' END), ', ' ORDER BY i.relname)
          FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
               JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u', 'x')
          WHERE x.indrelid = r.oid AND (x.indisclustered OR i.reloptions IS NOT NULL)),
         CASE WHEN r.relrowsecurity THEN 'ROW LEVEL SECURITY' END,
         CASE WHEN r.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
         CASE r.relreplident WHEN 'n' THEN 'REPLICA IDENTITY NOTHING'
           WHEN 'f' THEN 'REPLICA IDENTITY FULL'
           WHEN 'i' THEN 'REPLICA IDENTITY ' || (SELECT x.indexrelid::regclass::text
             FROM pg_index x WHERE x.indrelid = r.oid AND x.indisreplident) END,
         (SELECT 'SERVER ' || s.srvname || ' ' || coalesce(array_to_string(f.ftoptions, ', '), '')
          FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
          WHERE f.ftrelid = r.oid)) AS f,
       {prefix} || r.relname AS g, NULL::text AS h, NULL::text AS i, NULL::text AS j
  FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE {ours} AND r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'column', a.attrelid::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
       a.attnotnull::text, pg_get_expr(d.adbin, d.adrelid),
       a.attidentity::text || a.attgenerated::text,
       CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN {collation} END,
       a.attnum::text,
       concat_ws(', ',
         'STATISTICS ' || CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text END,
         CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || a.attstorage::text END,
         CASE WHEN a.attstorage <> 'p' THEN
           'COMPRESSION ' || nullif(to_jsonb(a) ->> 'attcompression', '') END,
         array_to_string(a.attoptions, ', '),
         'OPTIONS (' || array_to_string(a.attfdwoptions, ', ') || ')',
         (SELECT 'GRANT ' || {grants} FROM aclexplode(a.attacl) g)),
       CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
       CASE WHEN t.typtype IN ('e', 'd') OR t.typelem <> 0 THEN
         (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder)::text FROM pg_enum l
          WHERE l.enumtypid IN (t.oid, t.typbasetype, t.typelem)) END
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid {which} AND a.attnum > 0 AND NOT a.attisdropped
""".replace("{prefix}", _PREFIX)
    .replace("{ours}", _OURS)
    .replace("{grants}", _GRANTS)
    .replace("{collation}", _collation("a.attcollation"))
)

_KEYS = """
SELECT 'constraint', c.conrelid::text, c.conname::text, c.contype::text,
       pg_get_constraintdef(c.oid),
       c.conkey::text, c.confrelid::text, c.confkey::text,
       c.confupdtype::text || c.confdeltype::text,
       concat_ws(' ', CASE WHEN c.condeferrable THEN 'DEFERRABLE' END,
         CASE WHEN c.condeferred THEN 'INITIALLY DEFERRED' END,
         CASE WHEN NOT c.convalidated THEN 'NOT VALID' END,
         CASE c.confmatchtype WHEN 'f' THEN 'MATCH FULL' END,
         CASE WHEN c.connoinherit AND c.contype = 'c' THEN 'NO INHERIT' END),
       NULL, NULL
  FROM pg_constraint c WHERE c.conrelid {which} AND c.contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL
SELECT 'index', x.indrelid::text, i.relname::text, x.indisunique::text,
       pg_get_indexdef(x.indexrelid),
       x.indkey::text,
       pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid),
       concat_ws(', ', CASE WHEN NOT x.indisvalid THEN 'INVALID' END,
         CASE WHEN x.indisclustered THEN 'CLUSTERED' END),
       x.indnkeyatts::text, NULL, NULL
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  WHERE x.indrelid {which} AND NOT i.relispartition
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid
                    AND c.contype IN ('p', 'u', 'x'))
"""

_OBJECTS: Dict[str, str] = {
    "view": f"""
SELECT 'view', CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.name,
       concat_ws(' ', pg_get_viewdef(r.oid), array_to_string(r.reloptions, ', '),
         CASE WHEN NOT r.relispopulated THEN 'WITH NO DATA' END),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'view', 'index', r.name || '.' || i.relname,
       concat_ws(' ', pg_get_indexdef(x.indexrelid),
         CASE WHEN x.indisclustered THEN 'CLUSTERED' END),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM rel r JOIN pg_index x ON x.indrelid = r.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE r.relkind = 'm'
UNION ALL
SELECT 'view', 'view column', c.name, c.options, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM (
    SELECT r.name || '.' || a.attname AS name,
           concat_ws(', ', 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
             'STATISTICS ' || CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text END,
             array_to_string(a.attoptions, ', '),
             (SELECT 'GRANT ' || {_GRANTS} FROM aclexplode(a.attacl) g)) AS options
    FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE r.relkind IN ('v', 'm')
  ) c WHERE c.options <> ''
""",  # noqa: S608 - our own
    "type": f"""
SELECT 'type', 'enum type', t.name,
       (SELECT coalesce(json_agg(l.enumlabel ORDER BY l.enumsortorder)::text, '[]')
        FROM pg_enum l WHERE l.enumtypid = t.oid),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t WHERE t.typtype = 'e'
UNION ALL
SELECT 'type', 'domain', t.name,
       concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
         (SELECT 'COLLATE ' || {_collation("t.typcollation")} FROM pg_type b
          WHERE b.oid = t.typbasetype AND b.typcollation <> t.typcollation),
         CASE WHEN t.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || t.typdefault,
         (SELECT string_agg('CONSTRAINT ' || c.conname || ' ' || pg_get_constraintdef(c.oid), ' '
                            ORDER BY c.conname)
          FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c')),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t WHERE t.typtype = 'd'
UNION ALL
SELECT 'type', 'composite type', t.name,
       (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                            CASE WHEN a.attcollation NOT IN (0, b.typcollation)
                              THEN 'COLLATE ' || {_collation("a.attcollation")} END),
                          ', ' ORDER BY a.attnum)
        FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
UNION ALL
SELECT 'type', 'range type', t.name,
       concat_ws(' ', format_type(g.rngsubtype, NULL),
         'COLLATE ' || {_collation("g.rngcollation")},
         'SUBTYPE_DIFF ' || nullif(g.rngsubdiff::oid, 0)::regprocedure::text,
         'CANONICAL ' || nullif(g.rngcanonical::oid, 0)::regprocedure::text),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ty t JOIN pg_range g ON g.rngtypid = t.oid
""",  # noqa: S608 - our own
    "function": f"""
SELECT 'function', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
                 ELSE 'function' END,
       ns.prefix || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       CASE p.prokind WHEN 'a' THEN coalesce((SELECT concat_ws(' ', g.aggtransfn::text,
           g.aggfinalfn::text, format_type(g.aggtranstype, NULL), g.agginitval,
           'COMBINE ' || nullif(g.aggcombinefn::oid, 0)::regproc::text,
           'MOVING ' || nullif(g.aggmtransfn::oid, 0)::regproc::text,
           'SORT ' || nullif(g.aggsortop, 0)::regoperator::text,
           'PARALLEL ' || nullif(p.proparallel::text, 'u'))
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
SELECT 'rule', 'rule', r.name || '.' || w.rulename,
       concat_ws(' ', pg_get_ruledef(w.oid), CASE w.ev_enabled WHEN 'D' THEN 'DISABLED'
         WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END),
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
SELECT 'statistics', 'statistics', ns.prefix || s.stxname,
       concat_ws(' ', pg_get_statisticsobjdef(s.oid),
         'STATISTICS ' || nullif(to_jsonb(s) ->> 'stxstattarget', '-1')),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_statistic_ext s JOIN ns ON ns.oid = s.stxnamespace
""",
    "privileges": f"""
SELECT 'privileges', 'privileges', pg_describe_object(x.class, x.oid, 0), coalesce(x.now, 'none'),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM (
    SELECT o.class, o.oid,
           (SELECT {_GRANTS} FROM aclexplode(o.acl) g WHERE g.grantee <> o.owner) AS now,
           (SELECT {_GRANTS} FROM aclexplode(acldefault(o.kind, o.owner)) g
            WHERE g.grantee <> o.owner) AS usual
    FROM (
      SELECT 'pg_class'::regclass AS class, oid, relacl AS acl, relowner AS owner,
             (CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char" AS kind FROM rel
      UNION ALL SELECT 'pg_namespace'::regclass, oid, nspacl, nspowner, 'n' FROM ns
      UNION ALL SELECT 'pg_type'::regclass, oid, typacl, typowner, 'T' FROM ty
      UNION ALL SELECT 'pg_proc'::regclass, p.oid, p.proacl, p.proowner, 'f'
        FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace WHERE p.oid >= {_FIRST_USER_OID}
        AND NOT EXISTS (SELECT FROM own WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
    ) o WHERE o.acl IS NOT NULL
  ) x WHERE x.now IS DISTINCT FROM x.usual
UNION ALL
SELECT 'privileges', 'default privileges', concat_ws(' in schema ',
         CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
           WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas'
           ELSE 'large objects' END, n.nspname),
       coalesce((SELECT {_GRANTS} FROM aclexplode(d.defaclacl) g
                 WHERE g.grantee <> d.defaclrole), 'none'),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
""",  # noqa: S608 - our own
    "comment": f"""
SELECT 'comment', 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_description d WHERE d.objoid >= {_FIRST_USER_OID}
    AND NOT EXISTS (SELECT FROM own WHERE classid = d.classoid AND objid = d.objoid)
    AND d.classoid <> 'pg_extension'::regclass
""",  # noqa: S608 - a number
}


def query(
    tables: Optional[Iterable[str]],
    keyed: Optional[Iterable[str]],
    sequences: Optional[Iterable[str]],
    kinds: Iterable[str],
) -> str:
    """What tells of these tables, of the keys and indexes of some, of sequences and other objects.

    Relations are given by number (None: all), the rest by kind. Empty where nothing is asked for.
    Numbers must have been told to the server, by what `numbers` gives.
    """
    others = [_QUERIES[kind] for kind in kinds]
    parts = [
        part.format(which=_which(numbers, name, relations))
        for part, numbers, name, relations in (
            (_TABLES, tables, "tables", "'r', 'p', 'f'"),
            (_KEYS, keyed, "keyed", "'r', 'p', 'f'"),
            (_SEQUENCES, sequences, "sequences", "'S'"),
        )
        if numbers is None or numbers
    ]
    return (_HEAD if others else "") + "UNION ALL".join(parts + others)


def numbers(**relations: Optional[Iterable[str]]) -> str:
    """A query that tells the server which relations the next one is about.

    Written into the query they would make it another one each time, to be planned anew.
    """
    told = [
        f"pg_catalog.set_config('{_SETTING}.{name}', '{{{','.join(sorted(given))}}}', false)"
        for name, given in relations.items()
        if given
    ]
    return f"SELECT {', '.join(told)}" if told else ""


def _which(numbers: Optional[Iterable[str]], name: str, relations: str) -> str:
    if numbers is not None:
        return f"= ANY(current_setting('{_SETTING}.{name}')::oid[])"
    return (
        f"IN (SELECT oid FROM pg_class WHERE oid >= {_FIRST_USER_OID} "  # noqa: S608 - our own
        f"AND relkind IN ({relations}))"
    )


OBJECTS = tuple(_OBJECTS)
"""The kinds of objects that `query` takes, but for the rare ones."""
_QUERIES = {**_OBJECTS, **rare.OBJECTS}
