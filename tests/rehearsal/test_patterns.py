"""Patterns that keep data, rehearsed: what was lost or refused before is not afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.migration.rewrite import edits
from alembic_roundtrip.scaffold.patterns import Pattern, patterns
from alembic_roundtrip.text import apply_edits
from alembic_roundtrip.workspace import Workspace

SQLITE, POSTGRESQL, MARIADB = "sqlite", "postgresql", "mariadb"
EVERY = (SQLITE, POSTGRESQL, MARIADB)
USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("nick", sa.String(30), nullable=False),
    sa.Column("bio", sa.String(40)),
    sa.Column("age", sa.Integer, nullable=False, server_default="7"),
    sa.UniqueConstraint("nick", name="uq_nick"),
    sa.CheckConstraint("age > 3", name="ck_age"),
)
op.create_index("ux_bio", "users", ["bio", "age"], unique=True)
"""
BATCH = 'with op.batch_alter_table("users") as batch:\n    batch.'


@dataclass(frozen=True)
class Case:
    """A round trip that a pattern makes better, and on which databases it is one."""

    pattern: str
    upgrade: str
    downgrade: str
    kinds: tuple[str, ...] = EVERY
    users: str = USERS
    also: tuple[str, ...] = ()
    """What is offered for the rest."""


NICK = "existing_type=sa.String(30), existing_nullable=False"
AGE = 'existing_nullable=False, existing_server_default="7"'
GUARDS = {
    "NOT NULL": Case(
        "guard",
        BATCH + 'alter_column("nick", existing_type=sa.String(30), nullable=True)',
        BATCH + 'alter_column("nick", existing_type=sa.String(30), nullable=False)',
    ),
    "UNIQUE": Case(
        "guard",
        BATCH + 'drop_constraint("uq_nick", type_="unique")',
        BATCH + 'create_unique_constraint("uq_nick", ["nick"])',
    ),
    "a unique index": Case(
        "guard",
        'op.drop_index("ux_bio", "users")',
        'op.create_index("ux_bio", "users", ["bio", "age"], unique=True)',
    ),
    "CHECK": Case(
        "guard",
        BATCH + 'drop_constraint("ck_age", type_="check")',
        BATCH + 'create_check_constraint("ck_age", "age > 3")',
    ),
    "a shorter type": Case(
        "guard",
        'op.alter_column("users", "nick", type_=sa.String(90), existing_nullable=False)',
        'op.alter_column("users", "nick", type_=sa.String(30), existing_nullable=False)',
        (POSTGRESQL, MARIADB),
    ),
    "a smaller integer": Case(
        "guard",
        f'op.alter_column("users", "age", type_=sa.BigInteger(), {AGE})',
        f'op.alter_column("users", "age", type_=sa.Integer(), {AGE})',
        (POSTGRESQL, MARIADB),
    ),
    "UNIQUE in a renamed column": Case(
        "guard",
        BATCH + 'drop_constraint("uq_nick", type_="unique")\n'
        f'    batch.alter_column("nick", new_column_name="order", {NICK})',
        BATCH + f'alter_column("order", new_column_name="nick", {NICK})\n'
        f'{BATCH}create_unique_constraint("uq_nick", ["nick"])',
    ),
}
ORDERS = """
op.create_table(
    "orders",
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", name="fk_user")),
    sa.Column("state", sa.String(9), index=True),
)
"""


def with_name(definition: str) -> str:
    """The table of users with one column more."""
    return USERS.replace(
        'sa.Column("bio"', f'sa.Column("name", {definition}),\n    sa.Column("bio"'
    )


PARKED = {
    "a table": Case("park", 'op.drop_table("users")', USERS),
    "a table whose indexes go first": Case(
        "park", 'op.drop_index("ux_bio", "users")\nop.drop_table("users")', USERS
    ),
    "a table and what refers to it": Case(
        "park",
        'op.drop_table("orders")\nop.drop_table("users")',
        USERS + ORDERS,
        users=USERS + ORDERS,
    ),
    "a table without a way back": Case("park", 'op.drop_table("users")', "pass"),
    "a column with a default": Case(
        "park",
        'op.drop_column("users", "name")',
        'op.add_column("users", sa.Column("name", sa.String(9), server_default="x"))',
        users=with_name('sa.String(9), server_default="x"'),
    ),
    "a column with its index": Case(
        "park",
        'op.drop_index("ix_name", "users")\nop.drop_column("users", "name")',
        'op.add_column("users", sa.Column("name", sa.String(9)))\n'
        'op.create_index("ix_name", "users", ["name"])',
        users=with_name("sa.String(9)") + 'op.create_index("ix_name", "users", ["name"])',
    ),
    "a column that shares a key": Case(
        "park",
        'op.drop_index("ux_bio", "users")\nop.drop_column("users", "bio")',
        'op.add_column("users", sa.Column("bio", sa.String(40)))\n'
        'op.create_index("ux_bio", "users", ["bio", "age"], unique=True)',
        also=("guard",),
    ),
    "a required column": Case(
        "park",
        'op.drop_column("users", "name")',
        'op.add_column("users", sa.Column("name", sa.String(9), nullable=False))',
        users=with_name("sa.String(9), nullable=False"),
    ),
    "a column in a batch": Case(
        "park",
        BATCH + 'drop_column("name")',
        BATCH + 'add_column(sa.Column("name", sa.String(9)))',
        users=with_name("sa.String(9)"),
    ),
    "a required column in a batch": Case(
        "park",
        BATCH + 'drop_column("name")',
        BATCH + 'add_column(sa.Column("name", sa.String(9), nullable=False))',
        users=with_name("sa.String(9), nullable=False"),
    ),
    "a column without a way back": Case(
        "park", 'op.drop_column("users", "name")', "pass", users=with_name("sa.String(9)")
    ),
}


def every(cases: dict[str, Case]):
    """Each case on each database it is about."""
    return pytest.mark.parametrize(
        ("case", "kind"),
        [
            pytest.param(case, kind, id=f"{name}-{kind}")
            for name, case in cases.items()
            for kind in case.kinds
        ],
        indirect=["kind"],
    )


def offered(project: AlembicProject, file: Path) -> tuple[Pattern, ...]:
    workspace = Workspace([project.folder], {"dialects": [project.dialect]})
    context = workspace.context(file)
    assert context is not None
    return patterns(context)


def apply(project: AlembicProject, file: Path, name: str) -> str:
    """Make the change that is offered, as often as one is; gives the text."""
    for _ in range(4):
        found = [pattern for pattern in offered(project, file) if pattern.name == name]
        if not found:
            break
        workspace = Workspace([project.folder], {"dialects": [project.dialect]})
        migration = workspace.migration(file)
        assert migration is not None
        text = apply_edits(migration.text, edits(migration, found[0].fix.rewrites))
        assert text != migration.text
        file.write_bytes(text.encode())
    assert found == []
    return file.read_text()


async def improved(project: AlembicProject, case: Case, rehearsed) -> RevisionEvidence:
    """The evidence after the pattern, where there was none so good before."""
    project.add("users", case.users, "pass")
    file = project.add("it", case.upgrade, case.downgrade)
    before = (await rehearsed("it"))["it"]
    assert before.verdict is not Verdict.LOSSLESS
    for name in (case.pattern, *case.also):
        apply(project, file, name)
    evidence: RevisionEvidence = (await rehearsed("it"))["it"]
    return evidence


@every(GUARDS)
async def test_a_guarded_downgrade_refuses_with_the_numbers_and_loses_nothing(
    case: Case, project: AlembicProject, rehearsed
) -> None:
    evidence = await improved(project, case, rehearsed)
    (refusal,) = [note for note in evidence.notes if "refuses made-up rows" in note]
    assert "rows of users are in the way of this downgrade: SELECT * FROM users WHERE" in refusal
    assert evidence.old_losses() == ()
    assert evidence.residue == ()
    assert evidence.verdict is Verdict.LOSSLESS


@every(PARKED)
async def test_what_is_parked_comes_back(case: Case, project: AlembicProject, rehearsed) -> None:
    evidence = await improved(project, case, rehearsed)
    assert evidence.old_losses() == ()
    assert [each for each in evidence.residue if each.grade != "cosmetic"] == []
    assert evidence.verdict is Verdict.LOSSLESS, evidence.reason


TAKEN_AGAIN = Case(
    "park",
    'op.drop_column("users", "name")\nop.add_column("users", sa.Column("name", sa.Integer))',
    'op.drop_column("users", "name")\nop.add_column("users", sa.Column("name", sa.String(9)))',
    users=with_name("sa.String(9)"),
)


@every({"a column whose name is taken again": TAKEN_AGAIN})
async def test_a_parked_column_comes_back_under_a_name_that_another_had(
    case: Case, project: AlembicProject, rehearsed
) -> None:
    evidence = await improved(project, case, rehearsed)
    # Under that name the upgrade has other values; the old ones are all there again afterwards.
    assert {loss.step for loss in evidence.old_losses()} == {"upgrade"}
    assert [each for each in evidence.residue if each.grade != "cosmetic"] == []
