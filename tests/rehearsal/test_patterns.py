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

SQLITE, POSTGRESQL = "sqlite", "postgresql"
EVERY = (SQLITE, POSTGRESQL)
USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("nick", sa.String(30), nullable=False),
    sa.Column("bio", sa.Text),
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
    bad: Verdict = Verdict.LOSSY
    """The verdict without it."""


GUARDS = {
    "NOT NULL": Case(
        "guard",
        BATCH + 'alter_column("nick", existing_type=sa.String(30), nullable=True)',
        BATCH + 'alter_column("nick", existing_type=sa.String(30), nullable=False)',
        bad=Verdict.FAILED,
    ),
    "UNIQUE": Case(
        "guard",
        BATCH + 'drop_constraint("uq_nick", type_="unique")',
        BATCH + 'create_unique_constraint("uq_nick", ["nick"])',
        bad=Verdict.FAILED,
    ),
    "a unique index": Case(
        "guard",
        'op.drop_index("ux_bio", "users")',
        'op.create_index("ux_bio", "users", ["bio", "age"], unique=True)',
        bad=Verdict.FAILED,
    ),
    "CHECK": Case(
        "guard",
        BATCH + 'drop_constraint("ck_age", type_="check")',
        BATCH + 'create_check_constraint("ck_age", "age > 3")',
        bad=Verdict.FAILED,
    ),
    "a shorter type": Case(
        "guard",
        'op.alter_column("users", "nick", type_=sa.String(90))',
        'op.alter_column("users", "nick", type_=sa.String(30))',
        (POSTGRESQL,),
        bad=Verdict.FAILED,
    ),
    "a smaller integer": Case(
        "guard",
        'op.alter_column("users", "age", type_=sa.BigInteger())',
        'op.alter_column("users", "age", type_=sa.Integer())',
        (POSTGRESQL,),
        bad=Verdict.FAILED,
    ),
    "UNIQUE in a renamed column": Case(
        "guard",
        BATCH + 'drop_constraint("uq_nick", type_="unique")\n    '
        'batch.alter_column("nick", new_column_name="order", existing_type=sa.String(30))',
        BATCH
        + 'alter_column("order", new_column_name="nick", existing_type=sa.String(30))\n'
        + BATCH
        + 'create_unique_constraint("uq_nick", ["nick"])',
        bad=Verdict.FAILED,
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
    assert before.verdict is case.bad, before
    apply(project, file, case.pattern)
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
