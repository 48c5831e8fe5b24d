"""A constraint or index is dropped by the name `None`, or made without one where that fails.

## Why it matters
Alembic's autogenerate writes `None` for a constraint whose name it leaves to the database. Dropping
a constraint named `None` fails: of 45 such downgrades that were run, 44 crashed. A batch block that
makes a table anew, as on SQLite, takes no new constraint without a name.

## What to do
Name constraints when they are created, or set a naming convention on the metadata, and drop them
by that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.nameless import Drop, creation, known_name
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.changes import (
    AddColumn,
    AddConstraint,
    Change,
    DropConstraint,
    DropIndex,
)
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Constraint
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import has_own_call, renamed

_KINDS = (DropConstraint, DropIndex, AddConstraint, AddColumn)
_MADE = {
    "foreignkey": "a foreign key",
    "unique": "a unique constraint",
    "check": "a CHECK",
    "primary": "a primary key",
    "exclude": "a constraint",
}
rule = Rule(
    __name__,
    severity="error",
    upgrade=_KINDS,
    downgrade=_KINDS,
)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Drops without a name, in either direction, and what SQLite needs one for."""
    for direction in (context.migration.upgrade, context.migration.downgrade):
        if direction is not None:
            yield from _unnamed(direction, context)
            if context.dialects[:1] == ("sqlite",):
                yield from _refused(direction, context)


def _refused(direction: Direction, context: Context) -> Iterator[Finding]:
    """What a batch block on SQLite is to make without a name, where no drop is told to need it."""
    drops = (change for each in context.downgrade_operations for change in each.changes)
    nameless = (x for x in drops if isinstance(x, DropConstraint) and x.name is None)
    told = {made[0] for drop in nameless if (made := creation(context, drop))}
    for operation in direction.operations:
        if operation in told:
            continue
        batch = operation.batch
        given = {name for name, _ in batch.options} if batch is not None else set()
        # A convention may name it; and one that makes nothing anew has no constraints at all.
        if batch is None or not batch.sure or {"naming_convention", "recreate"} & given:
            continue
        if operation.doubtful or not operation.runs_on("sqlite"):
            continue
        for part in (part for change in operation.changes for part in _made(change)):
            if part.name is None and part.sure:
                message = f"{direction.name}() makes {_MADE[part.kind]} without a name in a batch"
                yield Finding(operation.range, f"{message}, which fails on SQLite")


def _made(change: Change) -> tuple[Constraint, ...]:
    if isinstance(change, AddConstraint):
        return (change.constraint,)
    own = change.constraints if isinstance(change, AddColumn) else ()
    return tuple(part for part in own if part.kind in {"foreignkey", "unique"})


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


def _fixes(
    context: Context, direction: Direction, operation: Operation, drop: Drop
) -> tuple[Fix, ...]:
    """The name that it has; where that is not known and nobody has it yet, one of its own."""
    migration, upgrade = context.migration, direction is context.migration.upgrade
    if not has_own_call(migration, operation):
        return ()
    argument = "index_name" if isinstance(drop, DropIndex) else "constraint_name"
    known = known_name(context, operation, drop, upgrade=upgrade)
    if known is not None:
        name, final = known
        rewrite = renamed(migration, operation, argument, name, final=final)
        return (Fix(f"Drop it by its name, `{name}`", (rewrite,), "unsafe"),)
    made = None if upgrade or not context.recent else creation(context, drop)
    if made is None or not has_own_call(migration, made[0]):
        return ()
    rewrites = (renamed(migration, each, argument, made[1]) for each in (made[0], operation))
    return (Fix(f"Name it `{made[1]}` in both directions", tuple(rewrites), "unsafe"),)


rule.example(
    "Left as autogenerate wrote it",
    """
    def upgrade():
        op.create_unique_constraint(None, "users", ["😋"])


    def downgrade():
        op.drop_constraint(None, "users", type_="unique")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ downgrade() drops a constraint of `users` without its name, which fails
    """,
    fixed="""
    def upgrade():
        op.create_unique_constraint("uq_users_😋", "users", ["😋"])


    def downgrade():
        op.drop_constraint("uq_users_😋", "users", type_="unique")
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
    fixed="""
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_foreign_key("fk_users_team_id", "teams", ["team_id"], ["id"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("fk_users_team_id", type_="foreignkey")
    """,
)
rule.example(
    "Made in a batch block for SQLite",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("😋", sa.Integer(), sa.ForeignKey("teams.id")))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ upgrade() makes a foreign key without a name in a batch, which fails on SQLite
            batch_op.add_column(sa.Column("code", sa.Integer(), unique=True))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ upgrade() makes a unique constraint without a name in a batch, which fails on SQLite
            batch_op.add_column(sa.Column("mail", sa.Text(), unique=True, index=True))
            batch_op.add_column(sa.Column("age", sa.Integer(), sa.CheckConstraint("age > 0")))
            batch_op.add_column(sa.Column("team", sa.ForeignKey("teams.id", name="fk_team")))


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("team")
            batch_op.drop_column("age")
            batch_op.drop_column("mail")
            batch_op.drop_column("code")
            batch_op.drop_column("😋")
    """,
    dialects=("sqlite",),
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
rule.example(
    "Made without a name, by a naming convention of the batch block",
    """
    def upgrade():
        convention = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
        with op.batch_alter_table("users", naming_convention=convention) as batch_op:
            batch_op.create_unique_constraint(None, ["nick"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("uq_users_nick", type_="unique")
    """,
)
rule.example(
    "Made without a name, by the naming convention of env.py",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:  # 😋
            batch_op.create_unique_constraint(None, ["nick"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("uq_users_nick", type_="unique")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('nick', sa.Text()))\n",
    ),
    dialects=("sqlite",),
    beside={
        "migrations/env.py": """
        import sqlalchemy as sa
        from alembic import context

        names = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
        target_metadata = sa.MetaData(naming_convention=names)
        context.configure(target_metadata=target_metadata)
        """
    },
)
