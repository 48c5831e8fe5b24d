from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest
from alembic.operations import BatchOperations, Operations

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.operations import QUIET, SIGNATURES
from alembic_roundtrip.migration.source import read

HEADER = "import sqlalchemy as sa\nfrom alembic import op\n"
A = Name("a")


def upgrade(body: str, header: str = "", path: Path = Path("versions/a.py")) -> list[Operation]:
    code = indent(dedent(body).strip("\n"), "    ")
    text = f"{HEADER}{dedent(header)}\ndef upgrade():\n{code}\n"
    migration = read(text, path, ("postgresql",))
    assert migration.upgrade is not None
    return list(migration.upgrade.operations)


def changes(body: str, header: str = "", path: Path = Path("versions/a.py")) -> list[c.Change]:
    return [change for operation in upgrade(body, header, path) for change in operation.changes]


FOLLOWED = {"invoke", "run_async"}
"""Neither an operation nor quiet: what they do is up to what they are given."""


@pytest.mark.parametrize("kind", [Operations, BatchOperations])
def test_every_operation_of_alembic_is_known(kind: type[Operations]) -> None:
    offered = {name for name in dir(kind) if not name.startswith("_")}
    assert offered <= SIGNATURES.keys() | QUIET | FOLLOWED


@pytest.mark.parametrize(
    "body",
    [
        "op.get_context()",
        "x = op.inline_literal('y')",
        "op.implementation_for(X)",
        "bind = op.get_bind()",
        "Locale.parse(row.locale)",
    ],
)
def test_what_is_no_operation_does_nothing(body: str) -> None:
    assert upgrade(body) == []


def test_an_operation_object_may_do_anything() -> None:
    (operation,) = upgrade("op.invoke(CreateTableOp('a', []))")
    assert operation.may_do_anything
    assert operation.opaque


def test_an_asynchronous_function_of_the_file_is_followed() -> None:
    assert changes(
        "op.run_async(clean, 'a')",
        """
        async def clean(connection, table):
            await connection.execute(sa.text(f"DROP TABLE {table}"))
        """,
    ) == [c.DropTable(A)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "op.create_entity(PGView(schema='public', signature='v', definition='SELECT 1'))",
            c.CreateObject("view", Name("v")),
        ),
        (
            "op.drop_entity(PGFunction(schema='app', signature='f(x int)', definition='…'))",
            c.DropObject("function", Name("f", "app")),
        ),
        ("op.create_entity(entity)", c.Unknown(frozenset())),
        ("op.replace_entity(entity)", c.Unknown(frozenset())),
        (
            "op.sync_enum_values('public', 'mood', ['x', 'y'], [])",
            c.SetEnumValues(Name("mood"), ("x", "y")),
        ),
        (
            "op.sync_enum_values(enum_schema='app', enum_name='mood', new_values=values)",
            c.SetEnumValues(Name("mood", "app"), None),
        ),
        ("op.drop_geospatial_table('a')", c.DropTable(A)),
        ("op.drop_geospatial_column('a', 'point')", c.DropColumn(A, "point")),
        ("op.drop_geospatial_index('ix', 'a', 'point')", c.DropIndex("ix", A)),
    ],
)
def test_operations_of_other_packages_are_read(body: str, expected: c.Change) -> None:
    assert changes(body) == [expected]


def test_a_spatial_table_has_its_columns() -> None:
    (found,) = changes("op.create_geospatial_table('a', sa.Column('p', Geometry('POINT')))")
    assert isinstance(found, c.CreateTable)
    assert [column.name for column in found.table.columns] == ["p"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("op.execute(CreateSchema('app'))", c.CreateObject("schema", Name("app"))),
        ("op.execute(sa.schema.DropSchema('app'))", c.DropObject("schema", Name("app"))),
        (
            "s = sa.Sequence('s', schema='app')\nop.execute(sa.schema.CreateSequence(s))",
            c.CreateObject("sequence", Name("s", "app")),
        ),
        ("sa.Sequence('s').drop(op.get_bind())", c.DropObject("sequence", Name("s"))),
        ("sa.Table('a', sa.MetaData()).drop(op.get_bind())", c.DropTable(A)),
        ("op.execute(sa.DDL('DROP TABLE a'))", c.DropTable(A)),
    ],
)
def test_a_ddl_construct_is_what_it_makes(body: str, expected: c.Change) -> None:
    assert changes(body) == [expected]


def test_a_table_that_creates_itself_has_its_columns() -> None:
    (found,) = changes(
        """
        users = sa.Table("a", sa.MetaData(), sa.Column("id", sa.Integer(), primary_key=True))
        users.create(op.get_bind(), checkfirst=True)
        """
    )
    assert isinstance(found, c.CreateTable)
    assert found.table.complete
    assert [column.name for column in found.table.columns] == ["id"]


@pytest.mark.parametrize(
    "body",
    [
        "op.execute(pg_insert(a).from_select(['x'], b).on_conflict_do_nothing())",
        "op.get_bind().execute(sa.insert(Model.__table__).values(x=uuid4()))",
        "session.execute(sa.insert(Model), rows)",
        "session.execute_sql(sa.text('INSERT INTO a SELECT * FROM b'))",
    ],
)
def test_rows_are_inserted_however_it_is_written(body: str) -> None:
    (found,) = changes(
        f"a, b = sa.table('a'), sa.table('b')\n{body}",
        """
        from sqlalchemy.dialects.postgresql import insert as pg_insert
        class Model(Base):
            __tablename__ = "a"
        """,
    )
    assert isinstance(found, c.WriteRows)
    assert (found.verb, found.table) == ("insert", A)


@pytest.mark.parametrize(
    ("written", "nulls_of"),
    [
        ("a.update().where(a.c.x.is_(None)).values(x=0)", "x"),
        ("a.delete().where(a.c.x == None)", "x"),
        ("a.update().values(x=0).where(a.c.y == 1).where(a.c.x.is_(None))", None),
        ("a.update().where(a.c.x.is_(None), a.c.y == 1).values(x=0)", None),
        ("a.update().where(a.c.x.is_(None)).filter_by(y=1).values(x=0)", None),
        ("a.update().where(a.c.x.is_not(None)).values(x=0)", None),
        ("a.update().where(a.c.x == 1).values(x=0)", None),
        ("a.update().values(x=0)", None),
    ],
)
def test_rows_may_be_chosen_by_nulls_alone(written: str, nulls_of: str | None) -> None:
    (found,) = changes(f"a = sa.table('a', sa.column('x'), sa.column('y'))\nop.execute({written})")
    assert isinstance(found, c.WriteRows)
    assert found.nulls_of == nulls_of


@pytest.mark.parametrize(
    ("body", "bounded", "computed"),
    [
        ("op.execute(a.update().values(x=op.inline_literal('y')))", False, False),
        ("op.execute(a.update().where(a.c.x == 1).values(x=sa.func.lower(a.c.x)))", True, True),
        ("session.query(Model).filter(Model.x == 1).update({'x': 'y'})", True, False),
        ("session.query(Model).update({Model.x: sa.func.lower(Model.x)})", False, True),
    ],
)
def test_rows_are_updated_however_it_is_written(body: str, bounded: bool, computed: bool) -> None:
    (found,) = changes(
        f"a, session = sa.table('a', sa.column('x')), Session(op.get_bind())\n{body}",
        """
        from sqlalchemy.orm import Session
        class Model(Base):
            __tablename__ = "a"
        """,
    )
    assert isinstance(found, c.WriteRows)
    assert (found.verb, found.table) == ("update", A)
    assert (found.bounded, found.computed) == (bounded, computed)


def test_a_query_of_an_imported_model_writes_rows_and_nothing_else() -> None:
    (found,) = changes("session.query(Model).delete()", "from app.models import Model")
    assert found == c.WriteRows("delete", None, bounded=False)


@pytest.mark.parametrize(
    ("made", "asks"),
    [
        ("ENUM('x', name='e').create(op.get_bind())", True),
        ("postgresql.ENUM('x', name='e').create(op.get_bind(), checkfirst=False)", False),
        ("sa.Enum('x', name='e').create(op.get_bind())", False),
        ("sa.Enum('x', name='e').create(op.get_bind(), checkfirst=True)", True),
        ("sa.Enum('x', name='e').create(op.get_bind(), True)", True),
        ("sa.Enum('x', name='e').create(op.get_bind(), checkfirst=first)", True),
    ],
)
def test_an_enum_type_is_created_where_it_is_not_there(made: str, asks: bool) -> None:
    (found,) = changes(made)
    assert isinstance(found, c.CreateEnum)
    assert found.if_not_exists is asks


def test_constants_of_classes_are_known_and_members_of_enums_only_by_value() -> None:
    header = """
    class Model(Base):
        __tablename__ = "a"
    class Color(Enum):
        red = "b"
    """
    assert changes("op.drop_table(Model.__tablename__)", header) == [c.DropTable(A)]
    assert changes("op.drop_table(Color.red.value)", header) == [c.DropTable(Name("b"))]
    assert changes("op.drop_table(Color.red)", header) == [c.Unknown()]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "op.execute(f'UPDATE a SET x = {x()} WHERE y')",
            c.WriteRows("update", A, columns=("x",), computed=True),
        ),
        (
            "op.execute(\"UPDATE a SET x = '%s'\" % x())",
            c.WriteRows("update", A, bounded=False, columns=("x",), read=frozenset()),
        ),
        ("op.execute('DELETE FROM a WHERE id IN (' + ids() + ')')", c.WriteRows("delete", A)),
        ("op.execute('DELETE FROM {} WHERE y'.format(t()))", c.WriteRows("delete", None)),
        ("op.execute(f'DROP TABLE {t()}')", c.Unknown()),
        ("op.execute(f'DROP INDEX {t()}')", c.Unknown()),
        ("op.execute(f'ALTER TABLE a ADD {column()} int')", c.Unknown(frozenset({A}))),
        ("op.execute(f'ALTER TABLE a {action()}')", c.Unknown(frozenset({A}))),
        ("op.execute(f'CREATE TRIGGER {t()} AFTER UPDATE ON a')", c.Unknown(frozenset())),
        ("op.execute(f'{sql()}; DROP TABLE a')", c.Unknown()),
    ],
)
def test_sql_with_computed_parts_does_what_holds_for_all_of_them(
    body: str, expected: c.Change
) -> None:
    assert changes(body) == [expected]


_BY_DIALECT = """
if dialect == "sqlite":
    sql = sa.text("DELETE FROM a WHERE x")
elif dialect == "mysql":
    sql = sa.text("DELETE a FROM a JOIN b USING (x)")
else:
    raise ValueError(dialect)
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if t():\n    sql = 'DROP TABLE a'\nelse:\n    raise", c.DropTable(A)),
        ("if t():\n    raise\nelse:\n    sql = 'DROP TABLE a'", c.DropTable(A)),
        (
            "sql = 'DROP TABLE a'\nif t():\n    sql = 'DROP TABLE b'",
            c.Unknown(frozenset({A, Name("b")})),
        ),
        ("sql = 'DROP TABLE a'\nif t():\n    sql = 'DROP TYPE b'", c.Unknown()),
        ("sql = 'DROP TABLE a'\nif t():\n    sql = t()", c.Unknown()),
        (
            "if t():\n    sql = 'UPDATE a SET x = 1'\nelse:\n    sql = 'UPDATE a SET x = y'",
            c.WriteRows("update", A, bounded=False, computed=True),
        ),
        ("sql = 'DELETE FROM a'\nif t():\n    sql = 'DELETE FROM b'", c.Unknown(frozenset())),
        (_BY_DIALECT, c.WriteRows("delete", A)),
    ],
)
def test_a_statement_that_a_condition_chooses_does_what_holds_for_all(
    body: str, expected: c.Change
) -> None:
    assert changes(f"{body}\nop.execute(sql)") == [expected]


@pytest.mark.parametrize(
    "body",
    [
        "op.execute(Path(__file__).with_suffix('.sql').read_text())",
        "op.execute((Path(__file__).parent / 'a.sql').read_text(encoding='utf-8'))",
        "op.execute(sa.text(Path(__file__).resolve().parent.joinpath('a.sql').read_text()))",
        "op.execute(open(os.path.join(os.path.dirname(__file__), 'a.sql')).read())",
        "with open(HERE / 'a.sql') as file:\n    op.execute(file.read())",
        "op.execute((Path(__file__).parents[1] / 'sql' / 'b.sql').read_text())",
        "op.execute(open('migrations/versions/a.sql').read())",
        "op.execute(load('a.sql'))",
        "op.execute(open(__file__.replace('.py', '.sql')).read())",
        "op.execute(open(os.path.splitext(__file__)[0] + '.sql').read())",
    ],
)
def test_sql_files_beside_the_migration_are_read(body: str, tmp_path: Path) -> None:
    header = """
    import os
    from pathlib import Path
    HERE = Path(__file__).parent
    def load(name):
        return (HERE / name).read_text()
    """
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "a.sql").write_text("DROP TABLE a;", encoding="utf-8")
    (versions.parent / "sql").mkdir()
    (versions.parent / "sql" / "b.sql").write_text("DROP TABLE a;", encoding="utf-8")
    assert changes(body, header, versions / "a.py") == [c.DropTable(A)]


@pytest.mark.parametrize(
    "path",
    ["'../../outside.sql'", "'/etc/passwd'", "'other.txt'", "'link.sql'", "'large.sql'", "'d.sql'"],
)
def test_no_other_file_is_ever_read(path: str, tmp_path: Path) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "outside.sql").write_text("DROP TABLE a;", encoding="utf-8")
    (versions / "other.txt").write_text("DROP TABLE a;", encoding="utf-8")
    (versions / "large.sql").write_text("DROP TABLE a;" + " " * 1_000_000, encoding="utf-8")
    (versions / "d.sql").mkdir()
    (versions / "link.sql").symlink_to(tmp_path / "outside.sql")
    body = f"op.execute((Path(__file__).parent / {path}).read_text())"
    assert changes(body, "from pathlib import Path", versions / "a.py") == [c.Unknown()]


def test_an_index_on_a_list_made_of_a_literal_is_known() -> None:
    (found,) = changes("columns = ('x', 'y')\nop.create_index('ix', 'a', list(columns))")
    assert isinstance(found, c.CreateIndex)
    assert [part.value for part in found.index.columns] == ["x", "y"]


def test_constructs_of_sqlalchemy_change_no_database() -> None:
    header = "from sqlalchemy import MetaData, Table"
    assert upgrade("t = Table('t', MetaData(), autoload_with=bind)", header) == []


def test_sql_may_be_laid_out_by_a_function() -> None:
    body = 'op.execute(sa.text(dedent("""\n    DROP TABLE a\n""")))'
    assert changes(body, "from textwrap import dedent") == [c.DropTable(A)]


def test_a_question_changes_no_database() -> None:
    body = "old = is_old(connection)\nif old:\n    op.drop_table('a')"
    (operation,) = upgrade(body, "from app.database import is_old")
    assert operation.doubtful


def test_pythons_own_modules_change_no_database() -> None:
    assert upgrade("shutil.rmtree('x')\nbisect.insort(a, b)", "import bisect\nimport shutil") == []
    (operation,) = upgrade("subprocess.run(['psql'])", "import subprocess")
    assert operation.may_do_anything


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ("op.create_index('i', 'a', [*COLUMNS])", "COLUMNS = ['x', 'y']"),
        ("op.create_index('i', *ARGUMENTS)", "ARGUMENTS = ('a', ['x', 'y'])"),
        ("op.create_index('i', **NAMED)", "NAMED = {'table_name': 'a', 'columns': ['x', 'y']}"),
        ("op.create_index('i', 'a', [n for n in NAMES if n != 'z'])", "NAMES = 'x', 'y', 'z'"),
    ],
)
def test_what_stands_behind_stars_and_in_comprehensions_is_known(body: str, header: str) -> None:
    (created,) = changes(body, header)
    assert isinstance(created, c.CreateIndex)
    assert [part.value for part in created.index.columns] == ["x", "y"]


def test_columns_and_members_may_be_listed_elsewhere() -> None:
    header = """
        STATES = ["new", "old"]
        COLUMNS = [sa.Column(name, sa.Enum(*STATES, name="state")) for name in ("x", "y")]
    """
    (created,) = changes("op.create_table('a', *COLUMNS)", header)
    assert isinstance(created, c.CreateTable)
    assert created.table.complete
    assert [column.name for column in created.table.columns] == ["x", "y"]
    assert {enum.members for enum in created.enums} == {("new", "old")}


def test_a_loop_may_be_over_a_comprehension() -> None:
    body = """
        for name in [f"{stem}_id" for stem in ("x", "y")]:
            op.drop_column("a", name)
    """
    assert changes(body) == [c.DropColumn(A, "x_id"), c.DropColumn(A, "y_id")]


@pytest.mark.parametrize(
    "body", ["op.drop_table('a', schema='public')", "op.execute('DROP TABLE public.a')"]
)
def test_the_schema_where_names_go_by_themselves_need_not_be_named(body: str) -> None:
    assert changes(body) == [c.DropTable(A)]


def test_a_schema_may_be_given_by_position_as_earlier_releases_of_alembic_take_it() -> None:
    body = """
        op.drop_table("a", "audit")
        op.create_primary_key("pk", "a", ["x"], "audit")
        op.create_foreign_key(
            "fk", "a", "b", ["x"], ["y"], None, "CASCADE", None, None, None, "audit", "app"
        )
    """
    dropped, primary, foreign = changes(body)
    audit = Name("a", "audit")
    assert dropped == c.DropTable(audit)
    assert isinstance(primary, c.AddConstraint)
    assert isinstance(foreign, c.AddConstraint)
    assert (primary.table, foreign.table) == (audit, audit)
    assert foreign.constraint.referent == Name("b", "app")
    assert dict(foreign.constraint.options)["ondelete"].value == "CASCADE"


def test_an_enum_type_of_a_class_has_its_name_and_members() -> None:
    header = """
        import enum

        class State(enum.Enum):
            new = 1
            old = 2
    """
    (added,) = changes("op.add_column('a', sa.Column('x', sa.Enum(State)))", header)
    assert isinstance(added, c.AddColumn)
    assert [(enum.name, enum.members) for enum in added.enums] == [(Name("state"), ("new", "old"))]


def test_an_enum_type_of_a_class_elsewhere_has_members_that_are_not_known() -> None:
    header = "from app.models import State"
    (added,) = changes("op.add_column('a', sa.Column('x', sa.Enum(State, name='s')))", header)
    assert isinstance(added, c.AddColumn)
    assert [(enum.name, enum.members) for enum in added.enums] == [(Name("s"), None)]
