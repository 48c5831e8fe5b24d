"""The upgrade of a deployed migration was changed.

## Why it matters
Databases that ran the migration do not run it again. They keep the schema of the old version, new
ones get the schema of the new version, and no revision tells the two apart.

## What to do
Restore the upgrade and write the change as a new migration. Deployed is what HEAD shares with the
default branch, or with the setting `deployed-ref`. The meaning is compared: comments, docstrings
and layout of an old migration may change, and a repaired downgrade is only noted.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.meaning import same_meaning
from alembic_roundtrip.migration.model import Direction, Identifier, Migration
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Edit, apply_edits

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """What means something else than on the deployed ref."""
    deployed, migration = context.deployed, context.migration
    if deployed is None or deployed.text is None or migration.problems:
        return
    before = read(deployed.text, migration.path)
    if before.problems:
        return
    if migration.part is not None and before.parts:
        its_own = before.of_engine(migration.part.engine)
        if its_own is None:
            return
        before = its_own
    yield from _identifiers(before, migration, deployed.ref)
    upgrade = migration.upgrade
    if upgrade is not None and not same_meaning(before, migration, "upgrade"):
        yield Finding(
            upgrade.header,
            f"`upgrade()` is not the one on `{deployed.ref}`: databases that ran that one do not "
            "run this one",
            lambda: tuple(_restored(before, migration, upgrade, deployed.ref)),
        )
    downgrade = migration.downgrade
    if downgrade is not None and not same_meaning(before, migration, "downgrade"):
        message = f"`downgrade()` is not the one on `{deployed.ref}`"
        yield Finding(downgrade.header, message, severity="information")


def _identifiers(before: Migration, now: Migration, ref: str) -> Iterator[Finding]:
    for name in ("revision", "down_revision", "depends_on"):
        old: Identifier | None = getattr(before, name)
        new: Identifier | None = getattr(now, name)
        if old is None or new is None or not (old.literal and new.literal):
            continue
        if sorted(old.values) != sorted(new.values):
            told = ", ".join(f"`{value}`" for value in old.values) or "`None`"
            fix = Fix(
                f"Restore `{name}` from `{ref}`",
                (Replace(new.range, before.source.slice(old.range)),),
                "unsafe",
            )
            yield Finding(new.range, f"`{name}` is {told} on `{ref}`", (fix,))


def _restored(before: Migration, now: Migration, upgrade: Direction, ref: str) -> Iterator[Fix]:
    """The old upgrade in place of the new one, where it stands on its own there."""
    if before.upgrade is None:
        return
    rewrite = Replace(upgrade.range, before.source.slice(before.upgrade.range))
    restored = read(apply_edits(now.text, [Edit(rewrite.range, rewrite.text)]), now.path)
    if now.part is not None:
        restored = restored.of_engine(now.part.engine) or restored
    if same_meaning(before, restored, "upgrade"):
        yield Fix(f"Restore `upgrade()` from `{ref}`", (rewrite,), "unsafe")


_DEPLOYED = """
def upgrade():
    op.add_column("users", sa.Column("😋", sa.Text()))


def downgrade():
    op.drop_column("users", "😋")
"""

rule.example(
    "Another type than the one that was deployed",
    '''
    def upgrade():
        ^^^^^^^ `upgrade()` is not the one on `main`: databases that ran that one do not run this one
        """Adds a 😋 to everybody."""
        op.add_column("users", sa.Column("😋", sa.String(80)))


    def downgrade():
        op.drop_column("users", "😋")
    ''',
    deployed=_DEPLOYED,
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        op.drop_column("users", "😋")
    """,
)
rule.example(
    "A place in the history that it did not have",
    """
    revision = "bbbb2222"
    down_revision = "revision0"
                    ^^^^^^^^^^^ `down_revision` is `None` on `main`


    def upgrade():
        op.execute("SELECT 1")
    """,
    history=("def upgrade():\n    pass\n",),
    deployed='revision = "bbbb2222"\ndown_revision = None\ndef upgrade():\n    op.execute("SELECT 1")\n',
    fixed="""
    revision = "bbbb2222"
    down_revision = None


    def upgrade():
        op.execute("SELECT 1")
    """,
)
rule.example(
    "A repaired downgrade: noted, not warned about",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        ^^^^^^^^^ `downgrade()` is not the one on `main`
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("😋")
    """,
    deployed=_DEPLOYED.replace("op.drop_column", "pass  # op.drop_column"),
)
rule.example(
    "Documented and formatted anew",
    '''
    def upgrade() -> None:
        """Adds a 😋 to everybody."""
        # DESTRUCTIVE: nothing
        op.add_column(
            "users",
            sa.Column("😋", sa.Text()),
        )


    def downgrade() -> None:
        op.drop_column("users", "😋")  # the values are lost
    ''',
    deployed=_DEPLOYED,
)
rule.example(
    "The same arguments in another order",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch:
            batch.alter_column("😋", type_=sa.Text(), existing_nullable=True)
    """,
    deployed="""
    def upgrade():
        with op.batch_alter_table("users") as batch:
            batch.alter_column("😋", existing_nullable=True, type_=sa.Text())
    """,
)
