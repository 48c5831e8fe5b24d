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
from functools import partial

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration.changes import DropConstraint, DropIndex
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Constraint, Index, Table
from alembic_roundtrip.migration.rendering import Renderer
from alembic_roundtrip.rule import Finding, Fix, Rule
from alembic_roundtrip.scaffold.edits import changed_call, has_own_call, receiver
from alembic_roundtrip.schema.names import known_as

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Drops without a name, in either direction."""
    for direction in (context.migration.upgrade, context.migration.downgrade):
        if direction is not None:
            yield from _unnamed(direction, context)


def _unnamed(direction: Direction, context: Context) -> Iterator[Finding]:
    for operation in direction.operations:
        for change in operation.changes:
            if isinstance(change, DropConstraint | DropIndex) and change.name is None:
                what = "a constraint" if isinstance(change, DropConstraint) else "an index"
                where = f" of `{change.table}`" if change.table else ""
                yield Finding(
                    operation.range,
                    f"{direction.name}() drops {what}{where} without its name, which fails",
                    partial(_fixes, context, direction, operation, change),
                )


_Drop = DropConstraint | DropIndex


def _fixes(
    context: Context, direction: Direction, operation: Operation, change: _Drop
) -> tuple[Fix, ...]:
    """The name that it has on all dialects, where it can only be this one."""
    running = [trip for trip in context.round_trips if operation.runs_on(trip.dialect)]
    found = {_name(trip, direction, change) for trip in running}
    if len(found) != 1 or None in found or not has_own_call(context.migration, operation):
        return ()
    ((name, final),) = filter(None, found)
    argument = "index_name" if isinstance(change, DropIndex) else "constraint_name"
    target = receiver(context.migration, operation) or "op"
    text = Renderer(context.migration).named(name, final=final, target=target)
    rewrite = changed_call(operation, {argument: text})
    return (Fix(f"Drop it by its name, `{name}`", (rewrite,), "unsafe"),)


def _name(trip: RoundTrip, direction: Direction, change: _Drop) -> tuple[str, bool] | None:
    """The name and whether it is final; of several that all are dropped, the last made first."""
    replayed = trip.up if direction.name == "upgrade" else trip.down
    met = [(step, schema) for _, step, schema in replayed.steps if step == change]
    place, schema = next((n, s) for n, (step, s) in enumerate(met) if step is change)
    table = schema.table(change.table) if change.table else None
    if table is None or not schema.knows(table.name):
        return None
    parts: list[Constraint | Index] = [*_candidates(change, table)]
    if direction.name == "downgrade":
        old = trip.before.table(table.name)
        parts = [part for part in parts if not _is_part(part, old)] or parts
    if len(parts) != len(met) or not all(part.sure for part in parts):
        return None
    part = parts[-1 - place]
    name = known_as(part) if isinstance(part, Constraint) else part.name
    return (name, part.final) if name else None


def _candidates(change: _Drop, table: Table) -> Iterator[Constraint | Index]:
    if isinstance(change, DropIndex):
        yield from table.indexes
    else:
        yield from (part for part in table.constraints if change.kind in {None, part.kind})


def _is_part(part: Constraint | Index, table: Table | None) -> bool:
    return table is not None and part in (*table.constraints, *table.indexes)


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
rule.example(
    "Named by PostgreSQL",
    """
    def upgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        op.create_foreign_key(None, "users", "teams", ["team"], ["id"])


    def downgrade():
        op.drop_constraint(None, "users", type_="foreignkey")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ downgrade() drops a constraint of `users` without its name, which fails
        op.drop_column("users", "team")
    """,
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        op.create_foreign_key(None, "users", "teams", ["team"], ["id"])


    def downgrade():
        op.drop_constraint("users_team_fkey", "users", type_="foreignkey")
        op.drop_column("users", "team")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('main', sa.Integer(), sa.ForeignKey('teams.id')))\n",
    ),
    dialects=("postgresql",),
)
