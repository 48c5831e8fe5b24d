"""Rows get into every table that a migration may write to, also where no statement names it."""

from __future__ import annotations

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.agent.trip import asked
from rehearsal.conftest import KINDS, Rehearse

TABLE = "CREATE TABLE @ (id INT PRIMARY KEY, n INT)"
TEXT = "CREATE TABLE @ (id INT PRIMARY KEY, v TEXT)"
OTHER = "CREATE TABLE other_@ (id INT PRIMARY KEY, n INT)"
VIEW = "CREATE VIEW view_@ AS SELECT * FROM @"
SEND = "op.get_bind().exec_driver_sql({!r})\n"
PURGE = "DELETE FROM @"
RAW = """
taken = op.get_bind().connection
taken.cursor().execute("DELETE FROM @")
"""
COMMIT = "taken.commit()\n"
RAW_OF_ENGINE = RAW.replace(".connection", ".engine.raw_connection()")
LOOP = """
bind = op.get_bind()
for row in bind.exec_driver_sql("SELECT n FROM other_@").fetchall():
    for row in bind.exec_driver_sql("SELECT n FROM third_@").fetchall():
        bind.exec_driver_sql("DELETE FROM @")
"""
EVERYWHERE = {
    "a loop over rows": ([TABLE, OTHER, OTHER.replace("other", "third")], LOOP),
    "a cursor": ([TABLE], RAW),
    "a cursor, committed": ([TABLE], RAW + COMMIT),
    "a cursor of the engine": ([TABLE], f"{RAW_OF_ENGINE}{COMMIT}taken.close()"),
}
CHILD = OTHER.replace("n INT", "n INT NOT NULL, FOREIGN KEY (n) REFERENCES @ (id)")
FAMILY = [TABLE.replace("@", "other_@"), CHILD.replace("other_@", "@").replace("S @", "S other_@")]
OVERFLOW = """
import math
for row in op.get_bind().exec_driver_sql("SELECT n FROM @ WHERE n IS NOT NULL").fetchall():
    math.exp(row[0])
"""
FIVES = "CREATE TABLE @ (id INT PRIMARY KEY, a INT, b FLOAT, c VARCHAR(9), d DATE)"
NODE = "CREATE TABLE @ (id INT PRIMARY KEY, n INT, FOREIGN KEY (n) REFERENCES @ (id))"
MAPPING = """
for number, text in op.get_bind().exec_driver_sql("SELECT id, v FROM @").fetchall():
    if text in {"guest": "user"}:
        op.get_bind().exec_driver_sql(f"DELETE FROM @ WHERE id = {number}")
"""
PART = """
import json
for number, text in op.get_bind().exec_driver_sql("SELECT id, v FROM @").fetchall():
    found = json.loads(text) if isinstance(text, str) else text
    if isinstance(found, dict) and found.get("lang"):
        op.get_bind().exec_driver_sql(f"DELETE FROM @ WHERE id = {number}")
"""
# Name → what is there before, and how rows go that few tables have.
SELDOM = {
    "a text that is looked for": ([TEXT], SEND.format(f"{PURGE} WHERE v = 'guest'")),
    "a bound text": (
        [TEXT],
        "op.execute(sa.delete(sa.table('@', sa.column('v'))).where(sa.column('v') == 'guest'))",
    ),
    "a text in a list": ([TEXT], SEND.format(f"{PURGE} WHERE v IN ('guest', 'visitor')")),
    "a beginning": ([TEXT], SEND.format(f"{PURGE} WHERE v LIKE 'tmp-%%'")),
    "a number that is looked for": ([TABLE], SEND.format(f"{PURGE} WHERE n = 777")),
    "the second bound number, where no row can have the first": (
        [TABLE],
        f"for n in (2**40, 777): op.execute(sa.text('{PURGE} WHERE n = :n').bindparams(n=n))",
    ),
    "a long text": ([TEXT], SEND.format(f"{PURGE} WHERE length(v) > 1000")),
    "parents without children": (
        [TABLE, CHILD],
        SEND.format("DELETE FROM @ WHERE id NOT IN (SELECT n FROM other_@)"),
    ),
    "second children": (
        FAMILY,
        SEND.format(
            "DELETE FROM @ WHERE id NOT IN (SELECT * FROM (SELECT min(id) FROM @ GROUP BY n) AS f)"
        ),
    ),
    "rows alike": (
        [TABLE.replace(" PRIMARY KEY", "")],
        SEND.format("CREATE TABLE other_@ AS SELECT DISTINCT * FROM @")
        + SEND.format(PURGE)
        + SEND.format("INSERT INTO @ SELECT * FROM other_@")
        + SEND.format("DROP TABLE other_@"),
    ),
    "what refers to itself": ([NODE], SEND.format("UPDATE @ SET n = NULL WHERE n = id")),
    "what refers to a later row": ([NODE], SEND.format("UPDATE @ SET n = NULL WHERE @.n > @.id")),
    "what its own code looks for": ([TEXT], MAPPING),
    "what has a part that its own code looks for": ([TEXT.replace("TEXT", "JSON")], PART),
    "rows alike but for their keys": (
        [FIVES],
        SEND.format(
            "DELETE FROM @ WHERE id NOT IN "
            "(SELECT * FROM (SELECT min(id) FROM @ GROUP BY a, b, c, d) AS f)"
        ),
    ),
    "where the largest do not get through": (
        [TABLE],
        OVERFLOW + SEND.format(f"{PURGE} WHERE n < 0"),
    ),
}
ENDLESS = "CREATE TABLE @ (id INT PRIMARY KEY, d DATE, x FLOAT)"
UNIQUE = "CREATE TABLE @ (id INT PRIMARY KEY, v VARCHAR(90) UNIQUE)"
FOLD = SEND.format("DELETE FROM @ WHERE id NOT IN (SELECT min(id) FROM @ GROUP BY lower(trim(v)))")
TOUCH = SEND.format("UPDATE other_@ SET n = 1")
INSTEAD = """CREATE TRIGGER trigger_@ INSTEAD OF DELETE ON view_@
    BEGIN DELETE FROM @ WHERE id = OLD.id; END"""
AFTER = "CREATE TRIGGER trigger_@ AFTER UPDATE ON other_@"
FUNCTION = "CREATE FUNCTION {}_@() RETURNS {} LANGUAGE {} AS '{}'"
BODY = "BEGIN DELETE FROM @; RETURN NULL; END"
# Kind of database → name → what is there before, and how rows go.
WAYS = {
    "sqlite": {
        "texts alike but for capitals": ([UNIQUE], FOLD),
        "a view": ([TABLE, VIEW, INSTEAD], SEND.format("DELETE FROM view_@")),
        "a trigger": ([TABLE, OTHER, f"{AFTER} BEGIN {PURGE}; END"], TOUCH),
    },
    "postgresql": {
        "texts alike but for capitals": ([UNIQUE], FOLD),
        "a day that never comes": (
            [ENDLESS],
            SEND.format("UPDATE @ SET d = NULL WHERE NOT isfinite(d)"),
        ),
        "a part that goes": (
            [TEXT.replace("TEXT", "JSONB")],
            SEND.format("UPDATE @ SET v = v - 'legacy'"),
        ),
        "no number": ([ENDLESS], SEND.format("UPDATE @ SET x = NULL WHERE x = 'NaN'")),
        "a view": ([TABLE, VIEW], SEND.format("DELETE FROM view_@")),
        "a function of a function": (
            [
                TABLE,
                FUNCTION.format("inner", "void", "sql", PURGE),
                FUNCTION.format("outer", "void", "sql", "SELECT inner_@()"),
            ],
            SEND.format("SELECT outer_@()"),
        ),
        "a trigger": (
            [
                TABLE,
                OTHER,
                FUNCTION.format("purge", "trigger", "plpgsql", BODY),
                f"{AFTER} FOR EACH STATEMENT EXECUTE FUNCTION purge_@()",
            ],
            TOUCH,
        ),
        "a rule": (
            [TABLE, OTHER, f"CREATE RULE r AS ON UPDATE TO other_@ DO ALSO {PURGE}"],
            TOUCH,
        ),
        "a partition": (
            [f"{TABLE} PARTITION BY RANGE (id)", "CREATE TABLE part_@ PARTITION OF @ DEFAULT"],
            SEND.format("TRUNCATE part_@"),
        ),
    },
    "mariadb": {
        "a view": ([TABLE, VIEW], SEND.format("DELETE FROM view_@")),
        "a procedure": (
            [TABLE, f"CREATE PROCEDURE purge_@() {PURGE}"],
            SEND.format("CALL purge_@()"),
        ),
        "a trigger": ([TABLE, OTHER, f"{AFTER} FOR EACH ROW {PURGE}"], TOUCH),
        "a statement in a text": ([TABLE], SEND.format(f"EXECUTE IMMEDIATE '{PURGE}'")),
    },
}


@KINDS
async def test_rows_are_lost_that_nothing_names(
    project: AlembicProject, rehearsed: Rehearse, kind: str
) -> None:
    ways = {**EVERYWHERE, **SELDOM, **WAYS[kind]}
    names = {way: f"t{number}" for number, way in enumerate(ways)}
    for way, (before, upgrade) in ways.items():
        name = names[way]
        there = "".join(SEND.format(each.replace("@", name)) for each in before)
        project.add(f"before_{name}", there, after=None)
        project.add(name, upgrade.replace("@", name))

    found = await rehearsed(*names.values(), rows=40)

    lost = {
        way: [loss.table for loss in found[name].losses if loss.step == "upgrade"]
        for way, name in names.items()
    }
    assert {way for way, name in names.items() if name not in lost[way]} == set()
    assert {found[name].verdict for name in names.values()} == {Verdict.LOSSY}


# Statement, what is bound to it → which values are looked for, by column.
LOOKED_FOR = (
    ("DELETE FROM t WHERE v = %s AND n = %s", ("old", 5), {"v": ["old"], "n": [5]}),
    ("DELETE FROM t WHERE v = :v", {"v": "old"}, {"v": ["old"]}),
    # As asyncpg has them, whatever their order.
    ("DELETE FROM t WHERE v = $2::VARCHAR AND n = $1::INT", (5, "old"), {"v": ["old"], "n": [5]}),
    ("SELECT 1 WHERE n = " + "9" * 5000, (), {}),
    (" ".join(f"WHEN n = {n} THEN 0" for n in range(50_000)), (), {"n": list(range(12))}),
)


def test_what_a_statement_looks_for() -> None:
    for statement, bound, expected in LOOKED_FOR:
        found: asked.Asked = {}
        asked.add(found, statement, bound)
        assert found == expected, statement[:60]


async def test_a_text_need_not_be_one(project: AlembicProject, rehearsed: Rehearse) -> None:
    project.add("a", SEND.format("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)"))
    project.add("b", SEND.format("UPDATE t SET b = CAST(b AS TEXT)"))
    assert (await rehearsed("b"))["b"].verdict is Verdict.LOSSY
