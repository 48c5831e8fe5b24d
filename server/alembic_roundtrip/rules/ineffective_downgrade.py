"""The downgrade has statements, but none of them changes anything on the project's database.

## Why it matters
It looks written and passes; the schema stays as it is, and the next upgrade fails.

## What to do
Undo the upgrade on every database that it runs on.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.prose import documentation, explains
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Code without an effect, against an upgrade that has one on the same database."""
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    for trip in context.round_trips:
        if trip.down.unread or any(_changes(context.downgrade_operations, trip)):
            continue
        if not all(o.doubtful for o in _changes(context.upgrade_operations, trip)):
            if explains(documentation(context.migration)):
                return
            where = f" on {trip.dialect}" if trip.dialect else ""
            yield Finding(downgrade.header, f"downgrade() changes nothing{where}, upgrade() does")
            return


def _changes(operations: tuple[Operation, ...], trip: RoundTrip) -> Iterator[Operation]:
    """What changes something there, if only under a condition."""
    return (o for o in operations if o.changes and o.runs_on(trip.dialect))


rule.example(
    "Only for another database",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        ^^^^^^^^^ downgrade() changes nothing on sqlite, upgrade() does
        if op.get_bind().dialect.name == "postgresql":
            op.drop_column("users", "😋")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
    dialects=("sqlite",),
)
rule.example(
    "Nothing in either direction there",
    """
    def upgrade():
        if op.get_bind().dialect.name == "postgresql":
            op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        if op.get_bind().dialect.name == "postgresql":
            op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
    dialects=("sqlite",),
)
rule.example(
    "A decorator decides whether it runs",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    @only_once
    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
