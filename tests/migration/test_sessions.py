"""Models that a migration defines itself, and rows that are written through them."""

from __future__ import annotations

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name
from migration.reading import HEADER, migration

MODELS = """
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column("nick", sa.String(30))
    bio: Mapped[str | None]

class Team(Base):
    __tablename__ = "teams"
    __table_args__ = (sa.UniqueConstraint("id", name="uq"), {"schema": "app"})
    id = sa.Column(sa.Integer, primary_key=True)

class Mixed(Dated, Base):
    __tablename__ = "mixed"
    id = sa.Column(sa.Integer)

class Old(Base):
    __table__ = sa.Table("olds", Base.metadata, sa.Column("id", sa.Integer))

def upgrade():
    session = Session(bind=op.get_bind())
"""
USERS, TEAMS = Name("users"), Name("teams", "app")
ADDED = c.WriteRows("insert", USERS, rows=((("nick", "x"),),))
NOTHING: frozenset[str] = frozenset()


def written(body: str) -> list[c.Change]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    found = migration(MODELS + lines, HEADER).upgrade
    assert found is not None
    return [change for operation in found.operations for change in operation.changes]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("op.drop_table(User.__table__.name)", c.DropTable(USERS)),
        ("op.drop_table(Old.__table__.name)", c.DropTable(Name("olds"))),
        ("op.drop_table(Team.__tablename__, schema=Team.__table__.schema)", c.DropTable(TEAMS)),
        ("Team.__table__.drop(session.connection())", c.DropTable(TEAMS)),
        ("t = sa.table('users')\nop.drop_table(t.name)", c.DropTable(USERS)),
        ("e = sa.Enum('a', name='m')\nop.execute(f'DROP TYPE {e.name}')", c.DropEnum(Name("m"))),
        ("session.add(User(name='x'))", ADDED),
        ("user = User(name='x')\nsession.add(user)", ADDED),
        ("session.bulk_insert_mappings(User, [{'nick': 'x'}])", ADDED),
        ("session.add_all([User(name='x'), User(**given)])", c.WriteRows("insert", USERS)),
        ("session.merge(User(id=1))", c.WriteRows("insert", USERS)),
        ("session.add(row)", c.Unknown(NOTHING)),
        ("session.delete(session.get(User, 1))", c.WriteRows("delete", USERS)),
        (
            "for user in session.query(User):\n    session.delete(user)",
            c.WriteRows("delete", USERS, bounded=False),
        ),
        (
            "for team in session.scalars(select(Team).where(Team.id > 1)):\n    team.id = 1",
            c.WriteRows("update", TEAMS, columns=("id",), read=NOTHING),
        ),
        (
            "users = session.query(User).all()\nfor u in users:\n    u.name = u.name.lower()",
            c.WriteRows("update", USERS, bounded=False, columns=("nick",), computed=True),
        ),
        (
            "for u in session.query(models.User):\n    u.bio = None",
            c.WriteRows("update", None, bounded=False, columns=("bio",), read=NOTHING),
        ),
        (
            "class Own(Base):\n    __tablename__ = 'own'\nsession.query(Own).delete()",
            c.WriteRows("delete", Name("own"), bounded=False),
        ),
        (
            "session.execute(update(User).values({User.bio: 'x'}))",
            c.WriteRows("update", USERS, bounded=False, columns=("bio",)),
        ),
    ],
)
def test_rows_of_a_model_are_those_of_its_table(body: str, expected: c.Change) -> None:
    assert written(body) == [expected]


@pytest.mark.parametrize(
    ("model", "columns", "complete"),
    [
        ("User", [("id", False), ("nick", False), ("bio", True)], True),
        ("Mixed", [("id", True)], False),
    ],
)
def test_a_model_has_the_columns_of_its_table(
    model: str, columns: list[tuple[str, bool]], complete: bool
) -> None:
    (made,) = written(f"{model}.__table__.create(session.connection())")
    assert isinstance(made, c.CreateTable)
    assert [(column.name, column.nullable) for column in made.table.columns] == columns
    assert made.table.complete == complete
