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
]


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_only_what_is_wrong_is_found(case: Case, tmp_path: Path) -> None:
    source = dedent(case.source).strip("\n") + "\n"
    project = write_project(Example("", source, history=case.history), tmp_path)
    diagnostics = Workspace([tmp_path], {"dialects": [case.dialect]}).diagnostics(project.file)
    wrong = {each.rule for each in diagnostics if each.severity in {"error", "warning"}}
    assert wrong == set(case.found), diagnostics
