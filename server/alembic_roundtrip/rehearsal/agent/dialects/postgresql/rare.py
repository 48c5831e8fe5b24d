"""What is asked of kinds of objects that few schemas have: only where there are any.

Columns of the catalogue that older servers lack are read from the row as JSON.
"""

from __future__ import annotations

from typing import Dict

_FIRST_USER_OID = 16384
_REST = ", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"


def _identified(kind: str, catalogue: str, definition: str, more: str = "", where: str = "") -> str:
    """Objects of one catalogue, `x`, as the server calls them."""
    return f"""
SELECT '{kind}', i.type, i.identity, concat_ws(' ', {definition}){_REST}
  FROM {catalogue} x {more}, pg_identify_object('{catalogue}'::regclass, x.oid, 0) i
  WHERE x.oid >= {_FIRST_USER_OID} {where}
    AND NOT EXISTS (SELECT FROM own WHERE classid = '{catalogue}'::regclass AND objid = x.oid)
"""  # noqa: S608 - our own


def _granted(acl: str) -> str:
    """Privileges, but for the owner's."""
    return f"""(SELECT 'GRANT ' || string_agg(concat_ws(' ',
           CASE g.grantee WHEN 0 THEN 'public' ELSE g.grantee::regrole::text END,
           g.privilege_type, CASE WHEN g.is_grantable THEN 'GRANTABLE' END), ', '
           ORDER BY g.grantee, g.privilege_type)
         FROM aclexplode({acl}) g WHERE g.grantee <> g.grantor)"""  # noqa: S608 - our own


def _function(column: str) -> str:
    return f"nullif({column}::oid, 0)::regprocedure::text"


def _row(names: str) -> str:
    """The row of `x` as JSON, without what is the object's name or has other numbers each time."""
    left_out = " ".join(f"- '{name}'" for name in ("oid", *names.split()))
    return f"(to_jsonb(x) {left_out})::text"


_OPERATORS = "\nUNION ALL".join((
    _identified(
        "operator",
        "pg_operator",
        f"""{_function("x.oprcode")},
           'COMMUTATOR ' || nullif(x.oprcom, 0)::regoperator::text,
           'NEGATOR ' || nullif(x.oprnegate, 0)::regoperator::text,
           'RESTRICT ' || {_function("x.oprrest")}, 'JOIN ' || {_function("x.oprjoin")},
           CASE WHEN x.oprcanhash THEN 'HASHES' END, CASE WHEN x.oprcanmerge THEN 'MERGES' END""",
        where="AND x.oprcode <> 0",
    ),
    _identified(
        "operator",
        "pg_cast",
        f"{_function('x.castfunc')}, 'CONTEXT', x.castcontext, 'METHOD', x.castmethod",
    ),
    _identified(
        "operator",
        "pg_opclass",
        """CASE WHEN x.opcdefault THEN 'DEFAULT' END,
           'STORAGE ' || nullif(x.opckeytype, 0)::regtype::text""",
    ),
    _identified(
        "operator",
        "pg_opfamily",
        """(SELECT string_agg(concat_ws(' ', 'OPERATOR', o.amopstrategy, o.amopopr::regoperator,
             'ORDER BY ' || (SELECT f.opfname FROM pg_opfamily f WHERE f.oid = o.amopsortfamily)),
             ', ' ORDER BY o.amopstrategy, o.amopopr::regoperator::text)
            FROM pg_amop o WHERE o.amopfamily = x.oid),
           (SELECT string_agg(concat_ws(' ', 'FUNCTION', p.amprocnum, p.amproc::regprocedure), ', '
             ORDER BY p.amprocnum, p.amproc::regprocedure::text)
            FROM pg_amproc p WHERE p.amprocfamily = x.oid)""",
    ),
))  # fmt: skip
_SEARCH = "\nUNION ALL".join((
    _identified(
        "search",
        "pg_ts_config",
        """p.prsname, (SELECT string_agg(m.maptokentype || ' ' || d.dictname, ', '
                        ORDER BY m.maptokentype, m.mapseqno)
             FROM pg_ts_config_map m JOIN pg_ts_dict d ON d.oid = m.mapdict
             WHERE m.mapcfg = x.oid)""",
        "JOIN pg_ts_parser p ON p.oid = x.cfgparser",
    ),
    _identified(
        "search",
        "pg_ts_dict",
        "'TEMPLATE', t.tmplname, x.dictinitoption",
        "JOIN pg_ts_template t ON t.oid = x.dicttemplate",
    ),
    _identified("search", "pg_ts_parser", _row("prsnamespace prsname")),
    _identified("search", "pg_ts_template", _row("tmplnamespace tmplname")),
))  # fmt: skip
_FOREIGN = "\nUNION ALL".join((
    _identified(
        "foreign",
        "pg_foreign_data_wrapper",
        f"""{_function("x.fdwhandler")}, {_function("x.fdwvalidator")},
           'OPTIONS (' || array_to_string(x.fdwoptions, ', ') || ')', {_granted("x.fdwacl")}""",
    ),
    _identified(
        "foreign",
        "pg_foreign_server",
        f"""'TYPE ' || x.srvtype, 'VERSION ' || x.srvversion, w.fdwname,
           'OPTIONS (' || array_to_string(x.srvoptions, ', ') || ')', {_granted("x.srvacl")}""",
        "JOIN pg_foreign_data_wrapper w ON w.oid = x.srvfdw",
    ),
))  # fmt: skip
_PUBLICATIONS = _identified(
    "publication",
    "pg_publication",
    f"""{_row("pubname pubowner")},
       (SELECT string_agg(concat_ws(' ', pg_describe_object(d.classid, d.objid, 0),
           CASE WHEN to_jsonb(r) ->> 'prattrs' IS NOT NULL THEN to_jsonb(v) ->> 'attnames' END,
           'WHERE ' || (to_jsonb(v) ->> 'rowfilter')), ', '
           ORDER BY pg_describe_object(d.classid, d.objid, 0))
        FROM pg_depend d
             LEFT JOIN pg_publication_rel r ON r.oid = d.objid
               AND d.classid = 'pg_publication_rel'::regclass
             LEFT JOIN pg_class c ON c.oid = r.prrelid
             LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_publication_tables v ON v.pubname = x.pubname
               AND v.schemaname = n.nspname AND v.tablename = c.relname
        WHERE d.refclassid = 'pg_publication'::regclass AND d.refobjid = x.oid
          AND d.deptype = 'a')""",  # noqa: S608 - our own
)
_EVENTS = _identified(
    "event trigger",
    "pg_event_trigger",
    f"x.evtevent, {_function('x.evtfoid')}, x.evtenabled, array_to_string(x.evttags, ', ')",
)
_LANGUAGES = "\nUNION ALL".join((
    _identified(
        "language",
        "pg_language",
        f"""CASE WHEN x.lanpltrusted THEN 'TRUSTED' END, {_function("x.lanplcallfoid")},
           {_function("x.laninline")}, {_function("x.lanvalidator")}, {_granted("x.lanacl")}""",
    ),
    _identified(
        "language",
        "pg_transform",
        f"'FROM SQL ' || {_function('x.trffromsql')}, 'TO SQL ' || {_function('x.trftosql')}",
    ),
    _identified("language", "pg_conversion", f"{_function('x.conproc')}, x.condefault"),
    _identified("language", "pg_am", f"x.amtype, {_function('x.amhandler')}"),
))  # fmt: skip
_COLLATIONS = _identified(
    "collation",
    "pg_collation",
    _row("collname collnamespace collowner collversion"),
)

OBJECTS: Dict[str, str] = {
    "collation": _COLLATIONS,
    "event trigger": _EVENTS,
    "foreign": _FOREIGN,
    "language": _LANGUAGES,
    "operator": _OPERATORS,
    "publication": _PUBLICATIONS,
    "search": _SEARCH,
}
"""Queries by the kind they tell of."""
