"""SQLite cannot alter constraints or columns in place: this needs `op.batch_alter_table`.

## Why it matters
The operation raises on SQLite, in this direction always.

## What to do
Put it into `with op.batch_alter_table("…") as batch_op:`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration.model import GuardKind, Operation
from alembic_roundtrip.rule import Finding, Rule

rule = Rule(__name__, severity="error")

_REFUSED = frozenset(
    {
        "create_foreign_key",
        "create_unique_constraint",
        "create_check_constraint",
        "create_primary_key",
        "drop_constraint",
    }
)
_ALTERED = frozenset({"type_", "nullable", "server_default"})


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Operations outside a batch block that run on SQLite, in a project that is for SQLite."""
    if context.dialects[:1] != ("sqlite",):
        return
    for operation in (*context.upgrade_operations, *context.downgrade_operations):
        if operation.batch is None and operation.runs_on("sqlite") and _is_certain(operation):
            if operation.name in _REFUSED:
                yield Finding(operation.range, f"SQLite has no `op.{operation.name}`: use a batch")
            elif operation.name == "alter_column" and _alters(operation):
                yield Finding(operation.range, "SQLite cannot alter a column in place: use a batch")


def _is_certain(operation: Operation) -> bool:
    existing = any(guard.kind is GuardKind.EXISTENCE for guard in operation.guards)
    return not operation.doubtful and not existing


def _alters(operation: Operation) -> bool:
    return any(name in _ALTERED for change in operation.changes for name, _ in _options(change))


def _options(change: object) -> tuple[tuple[str, object], ...]:
    return getattr(change, "options", ())


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "A constraint outside a batch",
    """
    def upgrade():
        op.create_unique_constraint("😋", "users", ["nick"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ SQLite has no `op.create_unique_constraint`: use a batch


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("😋", type_="unique")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "A column renamed, which SQLite can",
    """
    def upgrade():
        op.alter_column("users", "nick", new_column_name="name")


    def downgrade():
        op.alter_column("users", "name", new_column_name="nick")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "Not on SQLite",
    """
    def upgrade():
        if op.get_bind().dialect.name != "sqlite":
            op.create_unique_constraint("uq", "users", ["nick"])


    def downgrade():
        if op.get_bind().dialect.name != "sqlite":
            op.drop_constraint("uq", "users", type_="unique")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "A project for PostgreSQL",
    """
    def upgrade():
        op.create_unique_constraint("uq", "users", ["nick"])


    def downgrade():
        op.drop_constraint("uq", "users", type_="unique")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
