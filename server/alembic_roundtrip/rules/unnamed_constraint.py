"""A constraint or index is dropped by the name `None`.

## Why it matters
Alembic's autogenerate writes `None` for a constraint whose name it leaves to the database. Dropping
a constraint named `None` fails: of 45 such downgrades that were run, 44 crashed.

## What to do
Name constraints when they are created, or set a naming convention on the metadata, and drop them
by that name.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration.changes import DropConstraint, DropIndex
from alembic_roundtrip.migration.model import Direction
from alembic_roundtrip.rule import Finding, Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Drops without a name, in either direction."""
    for direction in (context.migration.upgrade, context.migration.downgrade):
        if direction is not None:
            yield from _unnamed(direction)


def _unnamed(direction: Direction) -> Iterator[Finding]:
    for operation in direction.operations:
        for change in operation.changes:
            if isinstance(change, DropConstraint | DropIndex) and change.name is None:
                what = "a constraint" if isinstance(change, DropConstraint) else "an index"
                where = f" of `{change.table}`" if change.table else ""
                yield Finding(
                    operation.range,
                    f"{direction.name}() drops {what}{where} without its name, which fails",
                )


rule.example(
    "Left as autogenerate wrote it",
    """
    def upgrade():
        op.create_unique_constraint(None, "users", ["😋"])


    def downgrade():
        op.drop_constraint(None, "users", type_="unique")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ downgrade() drops a constraint of `users` without its name, which fails
    """,
)
rule.example(
    "In a batch block",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_foreign_key(None, "teams", ["team_id"], ["id"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint(None, type_="foreignkey")
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ downgrade() drops a constraint of `users` without its name, which fails
    """,
)
rule.example(
    "By its name",
    """
    def upgrade():
        op.create_unique_constraint("uq_users_nick", "users", ["nick"])


    def downgrade():
        op.drop_constraint("uq_users_nick", "users", type_="unique")
    """,
)
rule.example(
    "By a name that is computed",
    """
    def upgrade():
        op.create_unique_constraint(None, "users", ["nick"])


    def downgrade():
        op.drop_constraint(find_name("users"), "users", type_="unique")
    """,
)
