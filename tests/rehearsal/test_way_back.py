"""Downgrades that a scratch database tells, of upgrades that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import NamedTuple

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.migration import editing
from alembic_roundtrip.rehearsal.events import NoWayBack, WayBackFound
from alembic_roundtrip.rehearsal.plan import CannotRun
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.rehearsal.way_back import plan_of, way_back
from alembic_roundtrip.scaffold import PLACEHOLDER, fix_from_database
from alembic_roundtrip.text import apply_edits
from alembic_roundtrip.workspace import Workspace
from rehearsal.conftest import KINDS, Rehearse

HIDDEN = 'hidden = globals()["op"]'
"""Reading does not follow this: only running shows what it does."""
SHOP = """
op.create_table(
    "users_N",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("email", sa.String(length=80), nullable=False),
    sa.Column("bio", sa.String(length=200), nullable=True),
    sa.Column("age", sa.Integer(), server_default="18", nullable=False),
    sa.CheckConstraint("age > 0", name="ck_age_N"),
    sa.PrimaryKeyConstraint("id", name="pk_users_N"),
    sa.UniqueConstraint("email", name="uq_email_N"),
)
op.create_table(
    "orders_N",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("user_id", sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(["user_id"], ["users_N.id"], name="fk_user_N", ondelete="CASCADE"),
)
op.create_index("ix_bio_N", "users_N", ["bio"])
op.create_index(
    "ix_old_N",
    "users_N",
    ["age"],
    sqlite_where=sa.text("age > 60"),
    postgresql_where=sa.text("age > 60"),
)
op.execute("CREATE VIEW grown_N AS SELECT id, email FROM users_N WHERE age > 17")
"""


class Result(NamedTuple):
    text: str
    evidence: RevisionEvidence


async def written(
    project: AlembicProject, rehearsed: Rehearse, revisions: Sequence[str]
) -> dict[str, Result]:
    """Write downgrades from the database, all in one run, and rehearse them."""
    workspace = Workspace([project.folder], {"dialects": [project.dialect]})
    paths = {r: next(project.versions.glob(f"{r}_*.py")) for r in revisions}
    contexts = [context for path in paths.values() if (context := workspace.context(path))]
    plan = plan_of(project.environment, Settings(timeout=20.0), contexts)
    async with aclosing(rehearse(plan)) as events:
        told = [event async for event in events]
    stopped = [event for event in told if isinstance(event, NoWayBack)]
    # MariaDB keeps a view whose column is gone, and makes none: there is no state to go back to.
    gone = project.dialect == "mariadb" and "the server cannot make"
    assert [event for event in stopped if not gone or gone not in event.reason] == []
    ways = {e.revision: e.restoration for e in told if isinstance(e, WayBackFound)}
    assert {*ways, *(event.revision for event in stopped)} == {*revisions}
    for context in contexts:
        migration = context.migration
        if migration.id not in ways:
            continue
        made = fix_from_database(context, ways[str(migration.id)])
        if made is not None:
            text = apply_edits(migration.text, editing.edits(migration, made.rewrites))
            migration.path.write_text(text, encoding="utf-8")
    evidence = await rehearsed(*revisions)
    return {r: Result(paths[r].read_text("utf-8"), evidence[r]) for r in revisions if r in ways}


LOSSLESS = {
    "a new table": 'hidden.create_table("new_N", sa.Column("id", sa.Integer()))',
    "a new column with an index": (
        'hidden.add_column("users_N", sa.Column("nick", sa.Text()))\n'
        'hidden.create_index("ix_nick_N", "users_N", ["nick"])'
    ),
    "a dropped index": 'hidden.drop_index("ix_bio_N", "users_N")',
    "a dropped partial index": 'hidden.drop_index("ix_old_N", "users_N")',
    "a dropped view": 'hidden.execute("DROP VIEW grown_N")',
    "a new view": 'hidden.execute("CREATE VIEW old_N AS SELECT id FROM users_N WHERE age > 60")',
    "another view": (
        'hidden.execute("DROP VIEW grown_N")\n'
        'hidden.execute("CREATE VIEW grown_N AS SELECT id FROM users_N WHERE age > 20")'
    ),
}
LOSSY = {
    "dropped tables": (
        'hidden.execute("DROP VIEW grown_N")\n'
        'hidden.drop_table("orders_N")\n'
        'hidden.drop_table("users_N")'
    ),
    "a dropped column": (
        'hidden.drop_index("ix_bio_N", "users_N")\nhidden.drop_column("users_N", "bio")'
    ),
}


@KINDS
async def test_what_cannot_be_read_is_restored(
    project: AlembicProject, rehearsed: Rehearse
) -> None:
    cases = {f"r{n}": upgrade for n, upgrade in enumerate((LOSSLESS | LOSSY).values())}
    for revision, upgrade in cases.items():
        # Each has tables of its own: they follow one another.
        project.add(f"before_{revision}", SHOP.replace("_N", revision))
        project.add(revision, upgrade.replace("_N", revision), head=HIDDEN)
    found = dict(
        zip(LOSSLESS | LOSSY, (await written(project, rehearsed, [*cases])).values(), strict=True)
    )
    wanted = dict.fromkeys(LOSSLESS, Verdict.LOSSLESS) | dict.fromkeys(LOSSY, Verdict.LOSSY)
    verdicts = {name: result.evidence.verdict for name, result in found.items()}
    assert verdicts == wanted, [r for n, r in found.items() if verdicts[n] != wanted[n]]
    assert not [name for name, result in found.items() if PLACEHOLDER in result.text]
    for name in LOSSY:
        assert "# DESTRUCTIVE:" in found[name].text
        assert "WARNING" in found[name].text


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)
async def test_a_dropped_key_that_numbers_rows_numbers_those_there_are(
    project: AlembicProject, rehearsed: Rehearse
) -> None:
    project.add("one", SHOP.replace("_N", ""))
    upgrade = """
    with hidden.batch_alter_table("orders") as batch:
        batch.drop_column("id")
        batch.create_primary_key("pk", ["user_id"])
    """
    project.add("two", upgrade, head=HIDDEN)
    found = (await written(project, rehearsed, ["two"]))["two"]
    # They may happen to be the numbers that they had.
    assert found.evidence.verdict in {Verdict.LOSSLESS, Verdict.LOSSY}, found
    assert "# DESTRUCTIVE: The values of orders.id cannot be restored." in found.text
    assert PLACEHOLDER not in found.text


ON_POSTGRESQL = {
    "another enum type": (
        """
        op.execute("CREATE TYPE mood_N AS ENUM ('sad', 'glad')")
        op.execute("CREATE TABLE people_N (id int PRIMARY KEY, mood mood_N DEFAULT 'sad')")
        """,
        """hidden.execute("ALTER TYPE mood_N ADD VALUE 'great'")""",
    ),
    "a dropped enum type": (
        """
        op.execute("CREATE TYPE mood_N AS ENUM ('sad', 'glad')")
        op.execute("CREATE TABLE people_N (id int PRIMARY KEY, mood mood_N)")
        """,
        """
        hidden.execute("ALTER TABLE people_N DROP COLUMN mood")
        hidden.execute("DROP TYPE mood_N")
        """,
    ),
    "a function and its trigger": (
        """
        op.execute(
            "CREATE FUNCTION touch_N() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.at \\:= now(); RETURN NEW; END $$"
        )
        op.execute("CREATE TABLE people_N (id int PRIMARY KEY, at timestamp)")
        op.execute(
            "CREATE TRIGGER touch BEFORE UPDATE ON people_N FOR EACH ROW EXECUTE FUNCTION touch_N()"
        )
        """,
        """
        hidden.execute("DROP TRIGGER touch ON people_N")
        hidden.execute("DROP FUNCTION touch_N()")
        """,
    ),
    "policies": (
        """
        op.execute("CREATE TABLE people_N (id int PRIMARY KEY, owner text)")
        op.execute("ALTER TABLE people_N ENABLE ROW LEVEL SECURITY")
        op.execute("CREATE POLICY own ON people_N FOR UPDATE USING (owner = current_user)")
        """,
        """
        hidden.execute("DROP POLICY own ON people_N")
        hidden.execute("ALTER TABLE people_N DISABLE ROW LEVEL SECURITY")
        """,
    ),
    "constraints of every kind": (
        """
        op.execute("CREATE TABLE towns_N (id int PRIMARY KEY)")
        op.execute(
            "CREATE TABLE people_N (id int, town int, age int, during int4range, "
            "CONSTRAINT pk_N PRIMARY KEY (id), CONSTRAINT age_N CHECK (age > 0) NO INHERIT, "
            "CONSTRAINT town_N FOREIGN KEY (town) REFERENCES towns_N DEFERRABLE, "
            "CONSTRAINT once_N EXCLUDE USING gist (during WITH &&))"
        )
        """,
        """
        for name in ("pk", "age", "town", "once"):
            hidden.execute(f"ALTER TABLE people_N DROP CONSTRAINT {name}_N")
        hidden.execute("ALTER TABLE people_N ALTER COLUMN id DROP NOT NULL")
        """,
    ),
    "an index on an expression": (
        """
        op.execute("CREATE TABLE people_N (id int PRIMARY KEY, name text)")
        op.execute("CREATE UNIQUE INDEX lower_N ON people_N (lower(name) DESC) WHERE id > 0")
        """,
        'hidden.execute("DROP INDEX lower_N")',
    ),
    "columns that fill themselves": (
        """
        op.execute(
            "CREATE TABLE people_N (id int GENERATED ALWAYS AS IDENTITY, name text, "
            "other text COLLATE \\"C\\", "
            "words tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED)"
        )
        """,
        """
        hidden.execute("ALTER TABLE people_N ALTER COLUMN id DROP IDENTITY, DROP COLUMN words")
        hidden.execute("ALTER TABLE people_N ALTER COLUMN other TYPE text COLLATE \\"default\\"")
        """,
    ),
    "a schema of its own": (
        'op.execute("CREATE SCHEMA own_N")\nop.execute("CREATE TABLE own_N.t (id int, n int)")',
        """
        hidden.execute("ALTER TABLE own_N.t DROP COLUMN n")
        hidden.execute("CREATE TABLE own_N.u (id int)")
        """,
    ),
    "a materialized view": (
        """
        op.execute("CREATE TABLE people_N (id int PRIMARY KEY, name varchar(20))")
        op.execute("CREATE MATERIALIZED VIEW m_N AS SELECT name FROM people_N")
        """,
        """
        hidden.execute("DROP MATERIALIZED VIEW m_N")
        hidden.execute("ALTER TABLE people_N ALTER COLUMN name TYPE varchar(90)")
        """,
    ),
}
KEPT = {Verdict.LOSSLESS, Verdict.LOSSY}


TOWNS = """
op.execute("CREATE TABLE towns_N (id int PRIMARY KEY)")
op.execute(
    "CREATE TABLE people_N (id int AUTO_INCREMENT PRIMARY KEY, town int, age int DEFAULT 1, "
    "name varchar(20) CHARACTER SET latin1, mood enum('sad', 'it''s') NOT NULL DEFAULT 'sad', "
    "at timestamp NULL ON UPDATE CURRENT_TIMESTAMP COMMENT 'seen', twice int AS (age * 2) STORED, "
    "CONSTRAINT age_N CHECK (age > 0), UNIQUE KEY one_N (name), "
    "FOREIGN KEY (town) REFERENCES towns_N (id) ON DELETE SET NULL)"
)
"""
ON_MARIADB = {
    "an index in the place of a foreign key's own": (
        TOWNS,
        'hidden.execute("CREATE INDEX longer_N ON people_N (town, age)")',
    ),
    "a key that no longer counts": (
        TOWNS,
        'hidden.execute("ALTER TABLE people_N MODIFY id int NOT NULL")',
    ),
    "other members": (
        TOWNS,
        "hidden.execute(\"ALTER TABLE people_N MODIFY mood enum('sad') DEFAULT 'sad'\")",
    ),
    "another collation": (
        TOWNS,
        'hidden.execute("ALTER TABLE people_N MODIFY name varchar(20) COLLATE utf8mb4_bin")',
    ),
    "columns that fill themselves": (
        TOWNS,
        'hidden.execute("ALTER TABLE people_N DROP COLUMN at, DROP COLUMN twice")',
    ),
    "a CHECK": (TOWNS, 'hidden.execute("ALTER TABLE people_N DROP CONSTRAINT age_N")'),
    "a key with a prefix": (
        TOWNS,
        'hidden.execute("ALTER TABLE people_N DROP KEY one_N, ADD UNIQUE KEY one_N (name(5))")',
    ),
    "another engine": (
        'op.execute("CREATE TABLE people_N (id int) ENGINE = MyISAM")',
        "hidden.execute(\"ALTER TABLE people_N ENGINE = InnoDB COMMENT = 'new'\")",
    ),
}
NATIVE = [("postgresql", ON_POSTGRESQL), ("mariadb", ON_MARIADB)]


@pytest.mark.parametrize(
    ("kind", "cases"), NATIVE, indirect=["kind"], ids=["postgresql", "mariadb"]
)
async def test_what_only_one_kind_of_database_has_is_restored(
    project: AlembicProject, rehearsed: Rehearse, cases: dict[str, tuple[str, str]]
) -> None:
    for number, (before, upgrade) in enumerate(cases.values()):
        project.add(f"before_r{number}", before.replace("_N", f"_{number}"))
        project.add(f"r{number}", upgrade.replace("_N", f"_{number}"), head=HIDDEN)
    found = await written(project, rehearsed, [f"r{n}" for n in range(len(cases))])
    named = dict(zip(cases, found.values(), strict=True))
    for name, result in named.items():
        assert result.evidence.residue == (), (name, result.text)
        assert PLACEHOLDER not in result.text, (name, result)
        if "# FRAGILE:" not in result.text:
            assert result.evidence.verdict in KEPT, (name, result)


@KINDS
async def test_what_was_there_before_is_not_undone(
    project: AlembicProject, rehearsed: Rehearse
) -> None:
    project.add("one", 'op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True))')
    index = 'op.create_index("ix", "t", ["id"]{})'
    project.add("two", index.format(""))
    project.add("three", index.format(", if_not_exists=True"))
    found = (await written(project, rehearsed, ["three"]))["three"]
    assert found.evidence.verdict is Verdict.LOSSLESS
    assert "drop_index" not in found.text


async def test_a_key_to_a_table_that_is_gone_is_no_obstacle(
    project: AlembicProject, rehearsed: Rehearse
) -> None:
    project.add("one", SHOP.replace("_N", ""))
    project.add("two", 'op.execute("DROP VIEW grown")\nop.drop_table("users")')
    project.add("three", 'hidden.add_column("orders", sa.Column("n", sa.Integer))', head=HIDDEN)
    found = (await written(project, rehearsed, ["three"]))["three"]
    assert found.evidence.verdict is Verdict.LOSSLESS
    assert "drop_column(" in found.text


async def test_an_upgrade_that_fails_has_no_way_back(project: AlembicProject) -> None:
    project.add("one", SHOP)
    path = project.add("two", 'op.drop_table("absent")')
    context = Workspace([project.folder]).context(path)
    assert context is not None
    with pytest.raises(CannotRun, match="`upgrade\\(\\)` fails: OperationalError: no such table"):
        await way_back(project.environment, Settings(), context)
