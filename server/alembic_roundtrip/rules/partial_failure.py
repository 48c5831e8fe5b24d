"""MySQL and MariaDB commit every DDL statement: a downgrade that fails half-way leaves half a state.

## Why it matters
Neither the downgrade nor the upgrade runs from there; somebody repairs the schema by hand, at night.

## What to do
Split what can fail into revisions of its own, and let each operation ask whether it is still to be
done.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import GuardKind, Operation
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="information")

_MANY = 4
_CERTAIN = frozenset({GuardKind.DIALECT, GuardKind.ENGINE, GuardKind.LOOP})


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Long downgrades of the newest revision, where DDL cannot be rolled back."""
    downgrade = context.written_downgrade
    known = MYSQL.issuperset(context.dialects) and context.dialects
    if downgrade is None or not known or not context.recent:
        return
    changing = [o for o in downgrade.operations if any(_is_ddl(change) for change in o.changes)]
    if len(changing) >= _MANY and not any(_asks(operation) for operation in changing):
        yield Finding(
            downgrade.header,
            f"{len(changing)} statements that commit one by one: one that fails leaves half a state",
        )


def _asks(operation: Operation) -> bool:
    """Whether it stands under a condition, which may ask what is still to be done."""
    return any(guard.kind not in _CERTAIN for guard in operation.guards)


def _is_ddl(change: c.Change) -> bool:
    return not isinstance(change, c.WriteRows | c.Unknown)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Four statements",
    """
    def upgrade():
        op.add_column("users", sa.Column("a", sa.Text()))
        op.add_column("users", sa.Column("b", sa.Text()))
        op.add_column("users", sa.Column("c", sa.Text()))
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        ^^^^^^^^^ 4 statements that commit one by one: one that fails leaves half a state
        op.drop_column("users", "😋")
        op.drop_column("users", "c")
        op.drop_column("users", "b")
        op.drop_column("users", "a")
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
rule.example(
    "One statement",
    """
    def upgrade():
        op.add_column("users", sa.Column("a", sa.Text()))


    def downgrade():
        op.drop_column("users", "a")
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
rule.example(
    "Four times in a loop",
    """
    def upgrade():
        for name in ("a", "b", "c", "d"):
            op.add_column("users", sa.Column(name, sa.Text()))


    def downgrade():
        ^^^^^^^^^ 4 statements that commit one by one: one that fails leaves half a state
        for name in ("d", "c", "b", "a"):
            op.drop_column("users", name)
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
rule.example(
    "Each asks first",
    """
    def upgrade():
        for name in ("a", "b", "c", "d"):
            op.add_column("users", sa.Column(name, sa.Text()))


    def downgrade():
        there = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("users")]
        for name in ("d", "c", "b", "a"):
            if name in there:
                op.drop_column("users", name)
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
