"""Patterns that keep data, rehearsed: what was lost or refused before is not afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.migration.editing import edits
from alembic_roundtrip.scaffold.patterns import Pattern, patterns
from alembic_roundtrip.text import apply_edits
from alembic_roundtrip.workspace import Workspace
from rehearsal.conftest import KINDS

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
    # Under that name the upgrade has other values; the old ones are all there again afterwards.
    "a column whose name is taken again": Case(
        "park",
        'op.drop_column("users", "name")\nop.add_column("users", sa.Column("name", sa.Integer))',
        'op.drop_column("users", "name")\nop.add_column("users", sa.Column("name", sa.String(9)))',
        users=with_name("sa.String(9)"),
    ),
}


LOWERED = "op.execute(\"UPDATE users SET name = 'x'\")"
KEPT = {
    "an UPDATE": Case("backup", LOWERED, "pass", users=with_name("sa.String(9)")),
    "an UPDATE of a required column": Case(
        "backup", LOWERED, "pass", users=with_name("sa.String(9), nullable=False")
    ),
    "an UPDATE of a required and a nullable column": Case(
        "backup",
        "op.execute(\"UPDATE users SET name = 'x', age = 9 WHERE id > 0\")\n"
        'op.create_index("ix_name", "users", ["name"])',
        'op.drop_index("ix_name", "users")',
        users=with_name("sa.String(9)")
        .replace('["bio", "age"]', '["bio"]')
        .replace('sa.CheckConstraint("age > 3", name="ck_age"),', ""),
    ),
    "a day without its time": Case(
        "backup",
        'op.alter_column("users", "name", type_=sa.Date())',
        'op.alter_column("users", "name", type_=sa.DateTime())',
        (POSTGRESQL, MARIADB),
        users=with_name("sa.DateTime"),
    ),
    "a cut text": Case(
        "backup",
        'op.alter_column("users", "name", type_=sa.String(2), postgresql_using="left(name, 2)")',
        'op.alter_column("users", "name", type_=sa.String(9))',
        (POSTGRESQL,),
        users=with_name("sa.String(9)"),
    ),
}
NAME = 'sa.Column("name", sa.String(9))'
TITLE = 'sa.Column("title", sa.String(9))'
RENAMED = {
    "dropped, then added": Case(
        "rename",
        f'op.drop_column("users", "name")\nop.add_column("users", {TITLE})',
        f'op.drop_column("users", "title")\nop.add_column("users", {NAME})',
        users=with_name("sa.String(9)"),
    ),
    "added, used, then dropped": Case(
        "rename",
        f'op.add_column("users", {TITLE})\nop.create_index("ix", "users", ["title"])\n'
        'op.drop_column("users", "name")',
        f'op.add_column("users", {NAME})\nop.drop_index("ix", "users")\n'
        'op.drop_column("users", "title")',
        users=with_name("sa.String(9)"),
    ),
    "in a batch": Case(
        "rename",
        f'{BATCH}add_column({TITLE})\n    batch.drop_column("name")',
        f'{BATCH}add_column({NAME})\n    batch.drop_column("title")',
        users=with_name("sa.String(9)"),
    ),
    "without a way back": Case(
        "rename",
        f'op.add_column("users", {TITLE})\nop.drop_column("users", "name")',
        "pass",
        users=with_name("sa.String(9)"),
    ),
}
STATE = 'sa.Enum("new", "done", name="state")'
PAID = """
with op.get_context().autocommit_block():
    op.execute("ALTER TYPE state ADD VALUE 'paid' BEFORE 'done'")
"""
STATES = f"""
from sqlalchemy.dialects import postgresql
op.create_table(
    "orders",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("state", {STATE}, nullable=False, server_default="new"),
    sa.Column("was", {STATE.replace("sa.Enum", "postgresql.ENUM")[:-1]}, create_type=False)),
)
"""
ENUMS = {
    "a value": Case("enum-value", PAID, "pass", (POSTGRESQL,), users=STATES),
    "two values": Case(
        "enum-value",
        PAID + "    op.execute(\"ALTER TYPE state ADD VALUE 'can''t'\")\n",
        "pass",
        (POSTGRESQL,),
        users=STATES,
    ),
    "a value beside other changes": Case(
        "enum-value",
        PAID + 'op.add_column("orders", sa.Column("note", sa.Text()))',
        'op.drop_column("orders", "note")',
        (POSTGRESQL,),
        users=STATES,
    ),
}


TAKES_NULL = 'existing_type=sa.Integer, existing_server_default="7", nullable={}'
FILLED = {
    "NULLs written since": Case(
        "required",
        f'{BATCH}alter_column("age", {TAKES_NULL.format("True")})',
        f'{BATCH}alter_column("age", {TAKES_NULL.format("False")})',
    ),
    "a new required text": Case(
        "required",
        'op.add_column("users", sa.Column("name", sa.String(9), nullable=False))',
        'op.drop_column("users", "name")',
        (SQLITE, POSTGRESQL),
    ),
    "a new required number in a batch": Case(
        "required",
        BATCH + 'add_column(sa.Column("name", sa.BigInteger(), nullable=False))',
        BATCH + 'drop_column("name")',
        (SQLITE, POSTGRESQL),
    ),
    "a new required flag": Case(
        "required",
        'op.add_column("users", sa.Column("name", sa.Boolean(), nullable=False))',
        'op.drop_column("users", "name")',
        (SQLITE, POSTGRESQL),
    ),
}


CLEAR = "".join(
    f'op.execute("DROP TABLE IF EXISTS {name}")\n'
    for name in ("orders_parked", "orders", "users_parked", "users")
)
CLEAR_ENUM = 'op.execute("DROP TYPE IF EXISTS state")'


def offered(workspace: Workspace, file: Path, case: Case) -> Pattern | None:
    """The next change to make; what is offered for the rest comes last."""
    context = workspace.context(file)
    assert context is not None
    found = patterns(context)
    return next(
        (each for name in (case.pattern, *case.also) for each in found if each.name == name), None
    )


def improve(project: AlembicProject, cases: Mapping[Path, Case]) -> None:
    """Make every change that is offered, as often as one is."""
    left = dict(cases)
    for _ in range(5):
        workspace = Workspace([project.folder], {"dialects": [project.dialect]})
        found = {file: offered(workspace, file, case) for file, case in left.items()}
        for file, pattern in found.items():
            migration = workspace.migration(file)
            assert migration is not None
            if pattern is None:
                del left[file]
                continue
            text = apply_edits(migration.text, edits(migration, pattern.fix.rewrites))
            assert text != migration.text
            file.write_bytes(text.encode())
    assert not left


def refuses_with_the_numbers(evidence: RevisionEvidence) -> None:
    assert "rows of users are in the way of this downgrade: SELECT * FROM users WHERE" in refusal(
        evidence
    )
    comes_back(evidence)


def refuses_the_new_value(evidence: RevisionEvidence) -> None:
    assert "rows are in the way of this downgrade: SELECT * FROM orders WHERE" in refusal(evidence)
    comes_back(evidence)


def refusal(evidence: RevisionEvidence) -> str:
    (text,) = [each.text for each in evidence.notes if each.kind == "guarded"]
    return text


def comes_back(evidence: RevisionEvidence) -> None:
    assert evidence.old_losses() == ()
    assert [each for each in evidence.residue if each.grade != "cosmetic"] == []


def comes_back_whatever_was_written(evidence: RevisionEvidence) -> None:
    comes_back(evidence)
    assert not any(each.kind == "guarded" for each in evidence.notes)


def keeps_its_values(evidence: RevisionEvidence) -> None:
    assert evidence.losses == ()
    assert evidence.residue == ()


GROUPS: tuple[tuple[Mapping[str, Case], Callable[[RevisionEvidence], None]], ...] = (
    (GUARDS, refuses_with_the_numbers),
    (ENUMS, refuses_the_new_value),
    (PARKED, comes_back),
    (KEPT, comes_back),
    (FILLED, comes_back_whatever_was_written),
    (RENAMED, keeps_its_values),
)


@KINDS
async def test_what_was_lost_or_refused_is_not_any_more(
    kind: str, project: AlembicProject, rehearsed, subtests: pytest.Subtests
) -> None:
    # One history has them all: each gets tables of its own, which go before the next.
    cases, expected = {}, {}
    for cases_of, expectation in GROUPS:
        for name, case in cases_of.items():
            if kind in case.kinds:
                revision = f"case{len(cases)}"
                project.add(f"{revision}_tables", case.users, "pass")
                cases[project.add(revision, case.upgrade, case.downgrade)] = case
                expected[revision] = (name, expectation)
                clear = CLEAR + CLEAR_ENUM if kind == POSTGRESQL else CLEAR
                project.add(f"{revision}_clear", clear, "pass")
    before = await rehearsed(*expected)
    improve(project, cases)
    after = await rehearsed(*expected)
    for revision, (name, expectation) in expected.items():
        with subtests.test(name):
            assert before[revision].verdict is not Verdict.LOSSLESS
            expectation(after[revision])
            assert after[revision].verdict is Verdict.LOSSLESS, after[revision].reason
