"""The upgrade drops or changes what something else still uses, which the database refuses.

## Why it matters
The deployment stops at that operation. A view on a table is easily forgotten: no model has it, and
the database of a test may not.

## What to do
Drop what uses it before, and make it again afterwards, in both directions.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.dependents import DEPENDED_ON, depended_on_in_upgrade
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.severity import Severity

rule = Rule(__name__, severity="error", upgrade=DEPENDED_ON)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Drops and changes of type with a view, an index, a trigger or a foreign key in their way."""
    # What was deployed has found nothing in its way.
    severity: Severity | None = None if context.recent else "information"
    for operation, what in depended_on_in_upgrade(context):
        yield Finding(operation.range, what, severity=severity)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Integer()))\n"
    '    op.execute("CREATE VIEW ages AS SELECT id, age FROM users")\n'
)

rule.example(
    "A view with the column",
    """
    def upgrade():
        op.alter_column("users", "age", type_=sa.BigInteger(), comment="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the view `ages` still uses it
        op.alter_column("users", "nick", type_=sa.Text())
        op.drop_column("users", "age")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the view `ages` still uses it


    def downgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
        op.alter_column("users", "nick", type_=sa.String(30))
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "An index, which SQLite does not drop along with its column",
    """
    def upgrade():
        op.create_index("ix_age", "users", ["age"])  # 😋
        op.drop_column("users", "age")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the index `ix_age` still uses it


    def downgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
    """,
    history=(_USERS.replace("    op.execute", "    # "),),
    dialects=("sqlite",),
)
rule.example(
    "Dropped before, or taken along",
    """
    def upgrade():
        op.execute("DROP VIEW ages")
        op.alter_column("users", "age", type_=sa.BigInteger())
        op.execute("CREATE VIEW ages AS SELECT id, age FROM users")
        op.execute("ALTER TABLE users DROP COLUMN age CASCADE")


    def downgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
        op.execute("CREATE VIEW ages AS SELECT id, age FROM users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Dropped by a name that only running tells",
    """
    def upgrade():
        for (view,) in op.get_bind().execute(sa.text("SELECT viewname FROM pg_views")):
            op.execute(f"DROP VIEW {view}")
        op.drop_column("users", "age")


    def downgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
