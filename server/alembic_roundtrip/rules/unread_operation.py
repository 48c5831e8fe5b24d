"""Something in the migration could not be read, so what it does was not judged.

## Why it matters
Rules stay silent about what they do not know. No diagnostic then does not mean that nothing is wrong.

## What to do
Rehearse the revision: a round trip on a scratch database runs everything.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Related
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.severity import Severity

rule = Rule(__name__, severity="information")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """The first operation that was not read, the others as related places; one a migration."""
    if context.upgrade_only or context.evidence is not None:
        return
    operations = (*context.upgrade_operations, *context.downgrade_operations)
    unread = {o.range: o for o in operations if o.opaque is not None and o.name != "unparsed"}
    if not unread:
        return
    first, *others = unread.values()
    more = f" and {len(others)} more" if others else ""
    related = tuple(
        Related(context.migration.path, other.range, other.opaque or "") for other in others
    )
    message = f"not judged, because {first.opaque}{more}: a rehearsal shows what it does"
    level: Severity = "information" if context.recent else "hint"
    yield Finding(first.range, message, related=related, severity=level)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "A file that is not beside the migration",
    """
    def upgrade():
        op.execute(open("😋.sql").read())
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ not judged, because its arguments are computed: a rehearsal shows what it does


    def downgrade():
        op.drop_table("tags")
    """,
    history=(_USERS,),
)
rule.example(
    "Harmless statements",
    """
    def upgrade():
        op.execute("SET lock_timeout = '1s'")
        op.execute("GRANT SELECT ON users TO reader")
        op.add_column("users", sa.Column("mail", sa.Text()))


    def downgrade():
        op.drop_column("users", "mail")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Queries, comments and extensions",
    """
    def upgrade():
        op.execute("SELECT set_config('search_path', 'api', false)")
        op.get_bind().execute(sa.text("SELECT count(*) FROM users"))
        op.execute("SET search_path TO api")
        op.execute("COMMENT ON TABLE users IS 'people'")
        op.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")
        op.add_column("users", sa.Column("mail", sa.Text()))


    def downgrade():
        op.drop_column("users", "mail")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
