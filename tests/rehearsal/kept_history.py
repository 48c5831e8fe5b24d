"""A history whose last revision is rehearsed from a state that an earlier run has kept."""

from __future__ import annotations

import os
from pathlib import Path

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.rehearsal.events import RevisionFinished, StepStarted
from rehearsal.conftest import collect, timeless

USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(30), nullable=False),
    sa.Column("mood", sa.Enum("sad", "glad", name="mood"), nullable=False),
    sa.Column("extra", sa.JSON),
)
op.execute("INSERT INTO users (id, name, mood) VALUES (1, 'first', 'glad')")
"""
DROP_USERS = """
op.drop_table("users")
sa.Enum(name="mood").drop(op.get_bind())
"""
DROP_NAME = (
    'with op.batch_alter_table("users") as batch: batch.drop_column("name")',
    'op.add_column("users", sa.Column("name", sa.String(30), server_default=""))',
)
EXTRA = """
op.execute("DELETE FROM users WHERE id = 1")
with op.batch_alter_table("users") as batch:
    batch.alter_column("extra", existing_type=sa.JSON, nullable={})
"""
REVISIONS = {
    "a column comes and goes": (
        'op.add_column("users", sa.Column("more", sa.Integer))',
        'with op.batch_alter_table("users") as batch: batch.drop_column("more")',
    ),
    "a column is lost": DROP_NAME,
    "an index stays": ('op.create_index("ix", "users", ["name"])', "pass"),
    "rows are in the way": (EXTRA.format("True"), EXTRA.format("False")),
    "rows that were there change": (
        "op.execute(\"UPDATE users SET name = 'other' WHERE id = 1\")",
        "pass",
    ),
    "it raises": ('raise ValueError("no")', "pass"),
    "it refuses": ("pass", 'raise NotImplementedError("there is no way back")'),
    "it ends the process": ("import os; os._exit(3)", "pass"),
}


def twelve_and_one(project: AlembicProject) -> AlembicProject:
    """Twelve revisions, and one to rehearse."""
    project.add("users", USERS, DROP_USERS)
    for number in range(11):
        project.add(f"step{number}", f'op.create_table("t{number}", sa.Column("id", sa.Integer))')
    project.add("last", *REVISIONS["a column comes and goes"])
    return project


async def rehearsed(
    project: AlembicProject, revision: str = "last", **settings: object
) -> tuple[RevisionEvidence, bool]:
    """The evidence of a revision, without times, and whether others were applied before."""
    events = await collect(project, revision, **settings)
    (found,) = (event.evidence for event in events if isinstance(event, RevisionFinished))
    others = {event.revision for event in events if isinstance(event, StepStarted)} - {revision}
    return timeless(found), bool(others)


def cache() -> Path:
    return Path(os.environ["XDG_CACHE_HOME"]) / "alembic-roundtrip" / "states"
