"""The upgrade destroys older data that no downgrade can bring back.

## Why it matters
What is dropped or deleted going up is gone before anybody thinks of rolling back. A downgrade makes
the table or column anew, and empty.

## What to do
Keep the data for a while: rename what is to go, and drop it in a later revision when nobody will roll
back any more. Or say in the docstring what is lost; any wording counts.

It is a hint at the operation, because `undocumented-data-loss` warns of the same at the docstring; an
error with numbers where the last rehearsal measured it.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.evidence import Loss, RevisionEvidence, Verdict
from alembic_roundtrip.losses import predicted_losses
from alembic_roundtrip.measurements import measured_losses
from alembic_roundtrip.migration.rewrite import AddWarning
from alembic_roundtrip.prose import documentation, says_loss, unsaid_losses
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="hint")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Measured losses of the upgrade; where nothing was measured, those that follow from the code."""
    if context.upgrade_only:
        return
    if context.evidence is not None and context.evidence.rows:
        if says_loss(documentation(context.migration)):
            return
        for found in measured_losses(context, "upgrade"):
            yield Finding(found.range, found.message, (_said(found.sentence),), severity="error")
        return
    losses = predicted_losses(context)
    unsaid = unsaid_losses(documentation(context.migration), (loss.subject for loss in losses))
    for loss in losses:
        if loss.direction == "upgrade" and loss.subject in unsaid:
            yield Finding(
                loss.operation.range,
                f"the data in `{loss.subject}` is gone before any downgrade",
                (_said(loss.sentence),),
            )


def _said(sentence: str) -> Fix:
    return Fix("Add the data loss to the docstring", (AddWarning((sentence,)),))


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('bio', sa.Text()))\n"
)
_MEASURED = RevisionEvidence(
    "under_test",
    None,
    Verdict.LOSSY,
    0.1,
    losses=(Loss("users", "bio", 90, 100, "upgrade"), Loss("users", "bio", 90, 100, "round trip")),
    database_version="3.45",
    rows=100,
)

rule.example(
    "A column is dropped",
    """
    def upgrade():
        print("😋"); op.drop_column("users", "bio")
                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the data in `users.bio` is gone before any downgrade


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    """,
    history=(_USERS,),
)
rule.example(
    "A table is emptied by SQL",
    """
    def upgrade():
        op.execute("TRUNCATE users")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the data in `users` is gone before any downgrade


    def downgrade():
        raise NotImplementedError
    """,
    history=(_USERS,),
)
rule.example(
    "Measured",
    """
    def upgrade():
        op.drop_column("users", "bio")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ upgrading loses `users.bio`: 90 of 100 values differ after the upgrade (SQLite 3.45, 100 made-up rows a table)


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    """,
    history=(_USERS,),
    evidence=_MEASURED,
)
rule.example(
    "Renamed aside, for a later revision to drop",
    """
    def upgrade():
        op.rename_table("users", "users_to_drop")


    def downgrade():
        op.rename_table("users_to_drop", "users")
    """,
    history=(_USERS,),
)
rule.example(
    "Made in the same upgrade",
    """
    def upgrade():
        op.create_table("moved", sa.Column("id", sa.Integer()))
        op.execute("INSERT INTO moved SELECT id FROM users")
        op.drop_table("moved")


    def downgrade():
        pass
    """,
    history=(_USERS,),
)
rule.example(
    "Said in the docstring",
    '''
    """Drop the bio. The texts cannot be restored."""
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
    history=(_USERS,),
)
rule.example(
    "A table copied before it is dropped",
    """
    def upgrade():
        op.execute("CREATE TABLE users_kept AS SELECT * FROM users")
        op.drop_table("users")


    def downgrade():
        op.execute("CREATE TABLE users AS SELECT * FROM users_kept")
        op.drop_table("users_kept")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "The same, with the default schema written out",
    """
    def upgrade():
        op.execute("CREATE TABLE users_kept AS SELECT * FROM public.users")
        op.drop_table("users")


    def downgrade():
        op.execute("CREATE TABLE users AS SELECT * FROM users_kept")
        op.drop_table("users_kept")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A column copied into its successor before it is dropped",
    """
    def upgrade():
        op.add_column("users", sa.Column("about", sa.Text()))
        op.execute("UPDATE users SET about = bio WHERE bio IS NOT NULL")
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
        op.execute("UPDATE users SET bio = about")
        op.drop_column("users", "about")
    """,
    history=(_USERS,),
)
rule.example(
    "A column that becomes part of another, and comes from it",
    """
    def upgrade():
        op.add_column("users", sa.Column("about", sa.Text()))
        op.execute("UPDATE users SET about = coalesce(bio, '')")
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
        users = sa.table("users", sa.column("about"), sa.column("bio"))
        op.execute(users.update().values(bio=users.c.about))
        op.drop_column("users", "about")
    """,
    history=(_USERS,),
)
rule.example(
    "A column that comes back filled with something else",
    """
    def upgrade():
        op.drop_column("users", "bio")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the data in `users.bio` is gone before any downgrade


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
        op.execute("UPDATE users SET bio = 'user ' || id")
    """,
    history=(_USERS,),
)
rule.example(
    "A column that only says which rows are written",
    """
    def upgrade():
        op.execute("UPDATE users SET nick = 'x' WHERE bio IS NOT NULL")
        op.drop_column("users", "bio")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the data in `users.bio` is gone before any downgrade


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
        op.execute("UPDATE users SET bio = cast(nick AS text)")
    """,
    history=(_USERS,),
)
