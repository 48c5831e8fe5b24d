"""Correct migrations that look wrong, and wrong ones that look right, in many hands' styles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.rule import Example
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

_TABLE = """
def upgrade():
    op.create_table(
        "t",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("a", sa.Integer()),
        sa.Column("b", sa.String(30)),
        sa.Index("old", "a", unique=True),
    )
"""
_ENUM = """
def upgrade():
    op.create_table("e", sa.Column("k", sa.Enum("a", name="kind")))
"""


@dataclass(frozen=True)
class Case:
    """A migration after one that makes the table `t`, and the rules that find something in it."""

    title: str
    source: str
    found: tuple[str, ...] = ()
    dialect: str = "postgresql"
    history: tuple[str, ...] = (_TABLE,)


CASES = [
    Case(
        "an index that became a constraint goes with it",
        """
        def upgrade():
            with op.get_context().autocommit_block():
                op.create_index("ix", "t", ["b"], unique=True, postgresql_concurrently=True)
            op.execute("ALTER TABLE t ADD CONSTRAINT uq UNIQUE USING INDEX ix")

        def downgrade():
            op.drop_constraint("uq", "t", type_="unique")
        """,
        ("fragile-upgrade",),
    ),
    Case(
        "an index that became a constraint cannot be dropped as one",
        """
        def upgrade():
            op.create_index("ix", "t", ["a"], unique=True)
            op.execute("ALTER TABLE t ADD CONSTRAINT uq UNIQUE USING INDEX ix")

        def downgrade():
            op.drop_index("ix", table_name="t")
        """,
        ("constraint-not-dropped", "unknown-object"),
    ),
    Case(
        "an older index that became a constraint is gone with it",
        """
        def upgrade():
            op.execute("ALTER TABLE t ADD CONSTRAINT uq UNIQUE USING INDEX old")

        def downgrade():
            op.execute("ALTER TABLE t DROP CONSTRAINT uq")
        """,
        ("index-not-restored",),
    ),
    Case(
        "rows of a model that is defined here",
        """
        class T(declarative_base()):
            __tablename__ = "t"
            id = sa.Column(sa.Integer, primary_key=True)

        def upgrade():
            op.add_column("t", sa.Column("c", sa.Text()))
            session = Session(bind=op.get_bind())
            session.add(T(id=1))
            session.commit()

        def downgrade():
            op.drop_column("t", "c")
        """,
        ("rows-not-removed",),
    ),
    Case(
        "rows of a model go by themselves",
        """
        class T(declarative_base()):
            __tablename__ = "t"
            id = sa.Column(sa.Integer, primary_key=True)

        def upgrade():
            session = Session(bind=op.get_bind())
            session.add(T(id=1))
            session.commit()

        def downgrade():
            session = Session(bind=op.get_bind())
            for each in session.query(T).filter_by(id=1):
                session.delete(each)
            session.commit()
        """,
    ),
    Case(
        "each tenant has a table of that name",
        """
        def upgrade():
            for tenant in ("north", "south"):
                op.execute(f"SET search_path TO {tenant}")
                op.create_table("n", sa.Column("id", sa.Integer()))

        def downgrade():
            for tenant in ("north", "south"):
                op.execute(f'SET LOCAL search_path = "{tenant}"')
                op.drop_table("n")
        """,
    ),
    Case(
        "one tenant is forgotten",
        """
        def upgrade():
            for tenant in ("north", "south"):
                op.execute(f"SET search_path TO {tenant}")
                op.create_table("n", sa.Column("id", sa.Integer()))

        def downgrade():
            op.drop_table("n", schema="north")
        """,
        ("table-not-dropped",),
    ),
    Case(
        "nobody knows which tenants there are",
        """
        def upgrade():
            for tenant in op.get_bind().execute(sa.text("SELECT name FROM tenants")):
                op.execute(f"SET search_path TO {tenant.name}, public")
                op.drop_table("t")

        def downgrade():
            op.execute("SELECT set_config('search_path', 'north', false)")
            op.create_table("t", sa.Column("id", sa.Integer()))
        """,
    ),
    Case(
        "the search path is the usual one again",
        """
        def upgrade():
            op.execute("SET search_path TO north")
            op.create_table("t", sa.Column("id", sa.Integer()))
            op.execute("RESET search_path")
            op.add_column("t", sa.Column("c", sa.Integer()))

        def downgrade():
            op.drop_column("t", "c")
            op.execute("SET search_path TO north, public")
            op.drop_table("t")
        """,
    ),
    Case(
        "a search path that is only spoken of, or set for another database",
        """
        def upgrade():
            op.execute("SELECT set_config('search_path')")
            op.execute("SELECT set_config FROM t WHERE y = 'search_path'")
            op.execute(f"CREATE FUNCTION f() RETURNS {KIND} SET search_path = '' AS $$ {BODY} $$")
            op.add_column("t", sa.Column("c", sa.Integer()))

        def downgrade():
            if op.get_bind().dialect.name == "mysql":
                op.execute("SET search_path TO north")
            op.execute("DROP FUNCTION f()")
        """,
        ("column-not-dropped",),
    ),
    Case(
        "nobody knows whether there is a search path",
        """
        def upgrade():
            if schema:
                op.execute("SET search_path TO north")
            op.add_column("t", sa.Column("c", sa.Integer()))

        def downgrade():
            op.drop_column("t", "c")
        """,
    ),
    Case(
        "what a search path of several schemas finds",
        """
        def upgrade():
            op.execute("SET search_path TO north, public")
            op.execute("CREATE VIEW v AS SELECT 1 AS x")
            op.execute("CREATE TYPE k AS ENUM ('a')")
            op.create_table("n", sa.Column("id", sa.Integer()))

        def downgrade():
            op.execute("SET search_path TO north, public")
            op.execute("DROP VIEW v")
            op.execute("DROP TYPE k")
        """,
        ("table-not-dropped",),
    ),
    Case(
        "what the migration made is the first that a search path of several schemas finds",
        """
        def upgrade():
            op.execute("SET search_path TO north, public")
            op.create_table("t", sa.Column("id", sa.Integer()), sa.Column("d", sa.Text()))
            op.add_column("t", sa.Column("c", sa.Integer()))
            op.create_table("n", sa.Column("id", sa.Integer()))
            op.create_index("ix_n", "n", ["id"])

        def downgrade():
            op.execute("SET search_path TO north, public")
            op.drop_table("t")
            op.drop_column("t", "b")
            op.drop_column("n", "c")
        """,
        ("table-not-dropped", "unknown-object"),
    ),
    Case(
        "a search path for the rest of the same text",
        """
        def upgrade():
            op.execute("SET search_path TO north; CREATE TABLE n (id int); CREATE TABLE m (id int)")

        def downgrade():
            op.execute("SET search_path TO north")
            op.drop_table("n")
        """,
        ("table-not-dropped",),
    ),
    Case(
        "an index is renamed in letters only",
        """
        def upgrade():
            op.execute("ALTER TABLE t RENAME INDEX old TO OLD")

        def downgrade():
            op.drop_index("OLD", table_name="t")
            op.create_index("old", "t", ["a"], unique=True)
        """,
        dialect="mysql",
    ),
    Case(
        "objects are made again under computed names",
        """
        from views import NAME, SCHEMA, VIEWS

        def upgrade():
            op.execute("DROP VIEW v")
            op.execute("DROP SEQUENCE s")

        def downgrade():
            for view in VIEWS:
                op.execute(f"CREATE VIEW {SCHEMA}.v AS {view.sql}")
            op.execute("CREATE SEQUENCE %s" % NAME)
        """,
        history=("def upgrade(): op.execute('CREATE VIEW v AS SELECT 1; CREATE SEQUENCE s')\n",),
    ),
    Case(
        "several columns in one text",
        """
        def upgrade():
            op.drop_index("both", table_name="t")

        def downgrade():
            op.create_index("both", "t", ["a", "b"])
        """,
        history=(f"{_TABLE}    op.create_index('both', 't', [sa.text('a, b')])\n",),
    ),
    Case(
        "one of several columns in one text",
        """
        def upgrade():
            op.drop_index("both", table_name="t")

        def downgrade():
            op.create_index("both", "t", ["a"])
        """,
        ("definition-not-restored",),
        history=(f"{_TABLE}    op.create_index('both', 't', [sa.text('a, b')])\n",),
    ),
    Case(
        "what is behind two stars may be a default",
        """
        from app import given

        def upgrade():
            op.add_column("t", sa.Column("n", sa.Integer(), nullable=False, **given))

        def downgrade():
            op.drop_column("t", "n")
        """,
    ),
    Case(
        "an index goes with a column of its predicate",
        """
        def upgrade():
            op.drop_column("t", "b")

        def downgrade():
            op.add_column("t", sa.Column("b", sa.String(30)))
        """,
        ("undocumented-data-loss", "index-not-restored"),
        history=(f"{_TABLE}    op.create_index('p', 't', ['a'], postgresql_where='b IS NULL')\n",),
    ),
    Case(
        "an index on what only sounds like the column stays",
        """
        def upgrade():
            op.drop_column("t", "b")

        def downgrade():
            op.add_column("t", sa.Column("b", sa.String(30)))
        """,
        ("undocumented-data-loss",),
        history=(f"{_TABLE}    op.create_index('p', 't', [sa.text('abs(a) -- b')])\n",),
    ),
    Case(
        "MySQL keeps an index of the other columns",
        """
        def upgrade():
            op.drop_column("t", "b")

        def downgrade():
            op.add_column("t", sa.Column("b", sa.String(30)))
        """,
        ("undocumented-data-loss", "definition-not-restored"),
        dialect="mysql",
        history=(f"{_TABLE}    op.create_index('both', 't', ['a', 'b'])\n",),
    ),
    Case(
        "an index that keeps the name it was given",
        """
        def upgrade():
            op.rename_table("t", "u")
            op.execute("ALTER INDEX old RENAME TO other")

        def downgrade():
            op.rename_table("u", "t")
        """,
        ("rename-not-reversed",),
    ),
    Case(
        "an index that is called as it was",
        """
        def upgrade():
            op.rename_table("t", "u")
            op.execute("ALTER INDEX old RENAME TO other")

        def downgrade():
            op.execute("ALTER INDEX other RENAME TO old")
            op.rename_table("u", "t")
        """,
    ),
    Case(
        "a sequence before the default that needs it",
        """
        def upgrade():
            op.execute("CREATE SEQUENCE s")
            op.add_column("t", sa.Column("n", sa.Integer(), server_default=sa.text("nextval('s')")))

        def downgrade():
            op.execute("DROP SEQUENCE s")
            op.drop_column("t", "n")
        """,
        ("misordered-downgrade",),
    ),
    Case(
        "a sequence that takes the default with it",
        """
        def upgrade():
            op.execute("CREATE SEQUENCE s")
            op.add_column("t", sa.Column("n", sa.Integer(), server_default=sa.text("nextval('s')")))

        def downgrade():
            op.execute("DROP SEQUENCE s CASCADE")
            op.drop_column("t", "n")
        """,
    ),
    Case(
        "rows that are there may exclude one another",
        """
        def upgrade():
            op.create_exclude_constraint("ex", "t", ("a", "="), using="gist")

        def downgrade():
            op.drop_constraint("ex", "t")
        """,
        ("fragile-upgrade",),
    ),
    Case(
        "an index on what a function makes of its column",
        """
        def upgrade():
            op.drop_index("old", table_name="t")

        def downgrade():
            op.create_index("old", "t", [sa.text("abs(a)")], unique=True)
        """,
        ("definition-not-restored", "fragile-downgrade"),
    ),
    Case(
        "an enum type that nobody makes again",
        """
        def upgrade():
            op.drop_column("e", "k")
            op.execute("DROP TYPE kind")

        def downgrade():
            op.add_column("e", sa.Column("k", sa.Enum("a", name="kind")))
        """,
        ("undocumented-data-loss", "unknown-object"),
        history=(_ENUM,),
    ),
    Case(
        "an enum type that is made again",
        """
        def upgrade():
            op.drop_column("e", "k")
            sa.Enum(name="kind").drop(op.get_bind())

        def downgrade():
            kind = sa.Enum("a", name="kind")
            kind.create(op.get_bind())
            op.add_column("e", sa.Column("k", kind))
        """,
        ("undocumented-data-loss",),
        history=(_ENUM,),
    ),
    Case(
        "an enum type before the column that has it",
        """
        def upgrade():
            sa.Enum("a", name="new").create(op.get_bind())
            op.add_column("e", sa.Column("n", sa.Enum("a", name="new")))

        def downgrade():
            sa.Enum(name="new").drop(op.get_bind())
            op.drop_column("e", "n")
        """,
        ("misordered-downgrade",),
        history=(_ENUM,),
    ),
    Case(
        "an enum type that outlived its table",
        """
        def upgrade():
            op.drop_table("e")

        def downgrade():
            op.create_table("e", sa.Column("k", sa.Enum("a", name="kind")))
        """,
        ("undocumented-data-loss", "existing-object"),
        history=(_ENUM,),
    ),
    Case(
        "an enum type that went with its table",
        """
        def upgrade():
            op.drop_table("e")
            op.execute("DROP TYPE kind")

        def downgrade():
            op.create_table("e", sa.Column("k", sa.Enum("a", name="kind")))
        """,
        ("undocumented-data-loss",),
        history=(_ENUM,),
    ),
    Case(
        "an enum type that the migration does not make",
        """
        def upgrade():
            op.add_column("e", sa.Column("z", sa.Enum("a", name="made_elsewhere")))

        def downgrade():
            op.drop_column("e", "z")
        """,
        history=(_ENUM,),
    ),
    *(
        Case(
            f"names in other letters for {dialect}",
            """
            def upgrade():
                op.execute("ALTER TABLE T ADD COLUMN Extra INT")
                op.execute("CREATE TABLE Other (Id INT)")
                op.create_index("IX_extra", "t", ["EXTRA"])
                op.alter_column("t", "b", new_column_name="B", existing_type=sa.String(30))

            def downgrade():
                op.alter_column("t", "B", new_column_name="b", existing_type=sa.String(30))
                op.drop_table("other")
                op.drop_index("ix_extra", table_name="T")
                op.drop_column("t", "extra")
            """,
            found,
            dialect,
        )
        for dialect, found in (
            ("sqlite", ()),
            ("mysql", ()),
            ("postgresql", ("index-not-dropped",)),
        )
    ),
]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_only_what_is_wrong_is_found(case: Case, tmp_path: Path) -> None:
    source = dedent(case.source).strip("\n") + "\n"
    project = write_project(Example("", source, history=case.history), tmp_path)
    diagnostics = Workspace([tmp_path], {"dialects": [case.dialect]}).diagnostics(project.file)
    wrong = {each.rule for each in diagnostics if each.severity in {"error", "warning"}}
    assert wrong == set(case.found), diagnostics
