"""A view, function, trigger, sequence or other object made by SQL stays after the downgrade.

## Why it matters
The next upgrade fails because the object exists; until then it works on a schema that it was not
written for.

## What to do
Drop it in the downgrade, before the tables that it uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.symmetry import MAKING, Leftover, leftovers
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix, Related
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.sql.ownership import row_security
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import at_downgrade, inverse_of
from alembic_roundtrip.severity import Severity

rule = Rule(__name__, severity="error", upgrade=(*MAKING["object"], c.Unknown))

_KINDS = (
    *("view", "function", "procedure", "sequence", "domain", "type", "trigger", "aggregate"),
    *("policy", "extension"),
)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Objects without an operation of their own that nothing drops."""
    for kind in _KINDS:
        for leftover in leftovers(context, kind):
            if _goes_along(kind, context):
                continue
            yield Finding(
                leftover.operation.range,
                f"nothing in downgrade() drops the {kind} `{leftover.key.table}`",
                partial(_fixes, context, leftover),
                at_downgrade(leftover, context),
                _severity(leftover),
            )
    yield from _secured(context)


def _secured(context: Context) -> Iterator[Finding]:
    """Row level security of older tables: without its policies nobody but the owner sees a row."""
    downgrade = context.written_downgrade
    trip = next((trip for trip in context.round_trips if trip.dialect == "postgresql"), None)
    if downgrade is None or trip is None or trip.down.unread:
        return
    off = {table for o in context.downgrade_operations for table in row_security(o.sql, "DISABLE")}
    for operation in context.upgrade_operations:
        for table in () if operation.doubtful else row_security(operation.sql, "ENABLE"):
            if (
                table not in off
                and table in trip.before.tables
                and table in trip.down.schema.tables
            ):
                message = f"nothing in downgrade() disables the row level security of `{table}`"
                related = Related(context.migration.path, downgrade.header, "the downgrade")
                yield Finding(operation.range, message, related=(related,), severity="warning")


def _fixes(context: Context, leftover: Leftover) -> tuple[Fix, ...]:
    fix = None if leftover.key.kind == "extension" else inverse_of(context, leftover.operation)
    return () if fix is None else (fix,)


def _severity(leftover: Leftover) -> Severity | None:
    """An extension that the next upgrade finds there is in nobody's way."""
    shared = leftover.key.kind == "extension" and leftover.operation.says("IF", "NOT", "EXISTS")
    return "information" if shared else None


def _goes_along(kind: str, context: Context) -> bool:
    """Whether it may go with a table, or with CASCADE."""
    changes = [change for o in context.downgrade_operations for change in o.changes]
    if kind in {"trigger", "policy"} and any(isinstance(change, c.DropTable) for change in changes):
        return True
    return any(operation.says("CASCADE") for operation in context.downgrade_operations)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "A view stays",
    """
    def upgrade():
        op.execute("CREATE VIEW 😋s AS SELECT 1")
        op.execute("CREATE VIEW adults AS SELECT * FROM users")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the view `adults`
        op.add_column("teams", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("teams", "name")
    """,
    fixed="""
    def upgrade():
        op.execute("CREATE VIEW 😋s AS SELECT 1")
        op.execute("CREATE VIEW adults AS SELECT * FROM users")
        op.add_column("teams", sa.Column("name", sa.Text()))


    def downgrade():
        op.execute("DROP VIEW adults")
        op.drop_column("teams", "name")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Replaced, and so not made here",
    """
    def upgrade():
        op.execute("CREATE OR REPLACE VIEW adults AS SELECT * FROM users")
        op.add_column("teams", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("teams", "name")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Dropped",
    """
    def upgrade():
        op.execute("CREATE MATERIALIZED VIEW adults AS SELECT * FROM users")


    def downgrade():
        op.execute("DROP MATERIALIZED VIEW adults")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A trigger goes with its table",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer()))
        op.execute("CREATE TRIGGER touched AFTER UPDATE ON tags FOR EACH ROW EXECUTE FUNCTION f()")


    def downgrade():
        op.drop_table("tags")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A sequence goes with the column that owns it, and stays with one that stays",
    """
    def upgrade():
        op.execute("CREATE SEQUENCE codes; CREATE SEQUENCE ages OWNED BY users.age -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the sequence `ages`
        op.add_column("users", sa.Column("code", sa.Integer()))
        op.execute("ALTER SEQUENCE codes OWNED BY public.users.code")


    def downgrade():
        op.drop_column("users", "code")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Row level security, and a policy",
    """
    def upgrade():
        op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() disables the row level security of `users`
        op.execute("CREATE POLICY own ON users USING (nick = current_user)")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the policy `own`
        op.execute("ALTER TABLE teams ENABLE ROW LEVEL SECURITY")
        op.add_column("teams", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("teams", "name")
        op.execute("ALTER TABLE IF EXISTS ONLY public.teams DISABLE ROW LEVEL SECURITY")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Row level security alone",
    """
    def upgrade():
        op.execute("ALTER TABLE teams ENABLE ROW LEVEL SECURITY")  # 😋
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() disables the row level security of `teams`


    def downgrade():
        op.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Both go with their table",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer()))
        op.execute("ALTER TABLE tags ENABLE ROW LEVEL SECURITY")
        op.execute("CREATE POLICY own ON tags USING (true)")


    def downgrade():
        op.drop_table("tags")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "An extension that every revision may use",
    """
    def upgrade():
        op.execute("CREATE EXTENSION IF NOT EXISTS citext -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the extension `citext`
        op.add_column("teams", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("teams", "name")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A trigger whose table stays",
    """
    def upgrade():
        op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        op.execute("CREATE TRIGGER touched AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the trigger `touched`
        op.add_column("teams", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("teams", "name")
        op.execute("DROP FUNCTION f()")
    """,
    fixed="""
    def upgrade():
        op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        op.execute("CREATE TRIGGER touched AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()")
        op.add_column("teams", sa.Column("name", sa.Text()))


    def downgrade():
        op.execute("DROP TRIGGER touched ON users")
        op.drop_column("teams", "name")
        op.execute("DROP FUNCTION f()")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Types of every kind are dropped alike",
    """
    def upgrade():
        op.execute("CREATE TYPE pair AS (a int, b int)")
        op.execute("CREATE TYPE span AS RANGE (subtype = float8)")
        op.execute("CREATE TYPE kind AS ENUM ('a')")


    def downgrade():
        op.execute("DROP TYPE pair")
        op.execute("DROP TYPE public.span, kind")
    """,
    dialects=("postgresql",),
)
