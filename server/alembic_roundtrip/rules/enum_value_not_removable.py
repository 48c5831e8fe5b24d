"""PostgreSQL cannot take a value out of an enum type: the downgrade leaves it.

## Why it matters
After the rollback the type still has the value, and rows may hold it that the old version of the
application cannot read. Without `IF NOT EXISTS` the next upgrade fails, too.

## What to do
Make the type anew without the value (rename the old one, create, cast, drop), or say in the docstring
that the value stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.sql.words import has_words, spoken
from alembic_roundtrip.prose import documentation, explains
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.patterns.enum_value import removal

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """ADD VALUE in an upgrade whose downgrade does not make the type anew."""
    downgrade = context.written_downgrade
    added = [operation for operation in context.upgrade_operations if _adds_value(operation)]
    if not added or "postgresql" not in context.dialects or downgrade is None:
        return
    remade = any(
        isinstance(change, c.CreateEnum | c.RenameEnum | c.DropEnum)
        for operation in downgrade.operations
        for change in operation.changes
    )
    trips = context.round_trips
    if remade or trips[0].down.unread or explains(documentation(context.migration)):
        return
    for operation in added:
        again = _fails_again(operation)
        yield Finding(
            operation.range,
            "the new value stays after downgrade(): PostgreSQL cannot remove it"
            + (", and the next upgrade fails because it already exists" if again else ""),
            partial(_fixes, context, operation),
            severity=None if again or context.recent else "hint",
        )


def _fails_again(operation: Operation) -> bool:
    """Whether a value that is there already is in the way of the next upgrade."""
    added = [each for each in operation.changes if isinstance(each, c.AddEnumValue)]
    return not operation.doubtful and any(not each.if_not_exists for each in added)


def _adds_value(operation: Operation) -> bool:
    return any(
        tokens[:2] == ("ALTER", "TYPE") and has_words(tokens, "ADD", "VALUE")
        for tokens in spoken(operation.sql)
    )


def _fixes(context: Context, operation: Operation) -> tuple[Fix, ...]:
    """The type made anew, where it is known what it was and who uses it."""
    names = [each.name for each in operation.changes if isinstance(each, c.AddEnumValue)]
    made = (removal(context, name) for name in names)
    return tuple(fix for fix in made if fix is not None)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "A new value",
    """
    def upgrade():
        op.execute("ALTER TYPE state ADD VALUE '😋'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the new value stays after downgrade(): PostgreSQL cannot remove it, and the next upgrade fails because it already exists
        op.add_column("users", sa.Column("mail", sa.Text()))


    def downgrade():
        op.drop_column("users", "mail")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A new value of a type whose columns are known",
    """
    def upgrade():
        op.execute("ALTER TYPE state ADD VALUE 'paid'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the new value stays after downgrade(): PostgreSQL cannot remove it, and the next upgrade fails because it already exists
        op.add_column("orders", sa.Column("mail", sa.Text()))


    def downgrade():
        op.drop_column("orders", "mail")
    """,
    fixed="""
    def upgrade():
        op.execute("ALTER TYPE state ADD VALUE 'paid'")
        op.add_column("orders", sa.Column("mail", sa.Text()))


    def downgrade():
        op.drop_column("orders", "mail")
        in_the_way = "FROM orders WHERE CAST(state AS text) IN ('paid')"
        count = op.get_bind().scalar(sa.text(f"SELECT count(*) {in_the_way}"))
        if count:
            raise RuntimeError(
                f"{count} rows of orders are in the way of this downgrade: "
                f"SELECT * {in_the_way}"
            )
        op.execute("ALTER TYPE state RENAME TO state_old")
        op.execute("CREATE TYPE state AS ENUM ('new', 'sent')")
        op.execute(
            "ALTER TABLE orders ALTER COLUMN state TYPE state USING state::text::state"
        )
        op.execute("DROP TYPE state_old")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('orders', sa.Column('state', sa.Enum('new', 'sent', name='state')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "The type is made anew",
    """
    def upgrade():
        op.execute("ALTER TYPE state ADD VALUE 'paid'")


    def downgrade():
        op.execute("ALTER TYPE state RENAME TO state_old")
        op.execute("CREATE TYPE state AS ENUM ('new')")
        op.execute("ALTER TABLE orders ALTER COLUMN state TYPE state USING state::text::state")
        op.execute("DROP TYPE state_old")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A value that is only added where it is missing",
    """
    def upgrade():
        op.execute("ALTER TYPE state ADD VALUE IF NOT EXISTS '😋'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the new value stays after downgrade(): PostgreSQL cannot remove it
        op.add_column("users", sa.Column("mail", sa.Text()))


    def downgrade():
        op.drop_column("users", "mail")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
