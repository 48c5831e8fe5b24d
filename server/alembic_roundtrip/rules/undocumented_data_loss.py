"""A rollback loses older data, and the migration does not say so.

## Why it matters
Whoever rolls back at night reads the migration first. What the upgrade dropped, no downgrade brings
back; what it moved into a new table goes with that table. Dropping what the upgrade itself made
empty is normal and not meant here.

## What to do
Say in the docstring what is lost. Any wording counts; the fix writes a WARNING paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix, Related
from alembic_roundtrip.losses import DESTROYING, predicted_losses
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.migration.rewrite import AddWarning
from alembic_roundtrip.prose import documentation, unsaid_losses
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import first_line

rule = Rule(__name__, severity="warning", upgrade=DESTROYING, downgrade=DESTROYING)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Losses that no docstring, comment or message speaks of, one finding a migration."""
    migration = context.migration
    downgrade = migration.downgrade
    if context.upgrade_only or (downgrade is not None and downgrade.kind is Body.RAISES):
        return
    losses = predicted_losses(context)
    unsaid = unsaid_losses(documentation(migration), (loss.subject for loss in losses))
    losses = tuple(loss for loss in losses if loss.subject in unsaid)
    if not losses:
        return
    subjects = list(dict.fromkeys(loss.subject for loss in losses))
    names = ", ".join(f"`{subject}`" for subject in subjects)
    sentences = tuple(dict.fromkeys(loss.sentence for loss in losses))
    yield Finding(
        first_line(migration),
        f"rolling back can lose the data in {names}, and the migration does not say so",
        (Fix("Add the data loss to the docstring", (AddWarning(sentences),)),),
        tuple(
            Related(migration.path, loss.operation.range, f"loses {loss.subject}")
            for loss in losses
        ),
        None if context.recent else "hint",
    )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('bio', sa.Text()))\n"
)

rule.example(
    "The upgrade drops a column",
    '''
    """Drop the 😋 bio.
    ^^^^^^^^^^^^^^^^^^ rolling back can lose the data in `users.bio`, and the migration does not say so

    Revision ID: bbbb2222
    Revises: revision0
    """
    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
    history=(_USERS,),
    fixed='''
    """Drop the 😋 bio.

    Revision ID: bbbb2222
    Revises: revision0

    WARNING: Downgrade will result in data loss. The values of users.bio cannot be restored.
    """
    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
)
rule.example(
    "It is said, in other words",
    '''
    """Drop the bio. The texts cannot be restored.

    Revision ID: bbbb2222
    """
    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
    history=(_USERS,),
)
rule.example(
    "A rollback drops what the upgrade made",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
        op.drop_table("tags")
    """,
    history=(_USERS,),
)
rule.example(
    "Moved into a new table, and back",
    """
    def upgrade():
        op.create_table("nicks", sa.Column("user", sa.Integer()), sa.Column("nick", sa.Text()))
        op.execute("INSERT INTO nicks SELECT id, nick FROM users")
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.execute("UPDATE users SET nick = n.nick FROM nicks n WHERE n.user = users.id")
        op.drop_table("nicks")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "That it does not come back is said",
    '''
    """Drop the nicknames; they are deleted and will not come back."""
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
    ''',
    history=(_USERS,),
)
rule.example(
    "A downgrade that refuses",
    """
    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        raise NotImplementedError
    """,
    history=(_USERS,),
)
rule.example(
    "Said by a comment at the operation",
    """
    def upgrade():
        # The nicks are lost for good.
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
    """,
    history=(_USERS,),
)
rule.example(
    "Made anew with its rows, as SQLite needs it",
    """
    def upgrade():
        op.create_table("made_anew", sa.Column("id", sa.Integer()), sa.Column("bio", sa.Text()))
        op.execute("INSERT INTO made_anew (id, bio) SELECT id, bio FROM users")
        op.drop_table("users")
        op.rename_table("made_anew", "users")


    def downgrade():
        op.create_table("made_anew", sa.Column("id", sa.Integer()), sa.Column("bio", sa.Text()))
        op.execute("INSERT INTO made_anew SELECT id, bio FROM users")
        op.drop_table("users")
        op.rename_table("made_anew", "users")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "A table that stands in for another one",
    """
    def upgrade():
        op.rename_table("users", "old_users")
        op.create_table("users", sa.Column("id", sa.Integer()), sa.Column("name", sa.Text()))
        op.execute("INSERT INTO users (id, name) SELECT id, bio FROM old_users")


    def downgrade():
        op.drop_table("users")
        op.rename_table("old_users", "users")
    """,
    history=(_USERS,),
)
rule.example(
    "A table that stands in for another one, which is gone",
    '''
    """Make the users anew."""
    ^^^^^^^^^^^^^^^^^^^^^^^^^^ rolling back can lose the data in `users`, and the migration does not say so
    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.rename_table("users", "old_users")
        op.create_table("users", sa.Column("id", sa.Integer()), sa.Column("name", sa.Text()))
        op.execute("INSERT INTO users (id, name) SELECT id, bio FROM old_users")
        op.drop_table("old_users")


    def downgrade():
        op.drop_table("users")
        op.create_table("users", sa.Column("id", sa.Integer()), sa.Column("bio", sa.Text()))
    ''',
    history=(_USERS,),
)
rule.example(
    "The same, with its rows back",
    """
    def upgrade():
        op.rename_table("users", "old_users")
        op.create_table("users", sa.Column("id", sa.Integer()), sa.Column("name", sa.Text()))
        op.execute("INSERT INTO users (id, name) SELECT id, bio FROM old_users")
        op.drop_table("old_users")


    def downgrade():
        op.create_table("old_users", sa.Column("id", sa.Integer()), sa.Column("bio", sa.Text()))
        op.execute("INSERT INTO old_users (id, bio) SELECT id, name FROM users")
        op.drop_table("users")
        op.rename_table("old_users", "users")
    """,
    history=(_USERS,),
)
rule.example(
    "A table that was there already",
    '''
    """Make sure of the users."""
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ rolling back can lose the data in `users`, and the migration does not say so
    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.create_table("users", sa.Column("id", sa.Integer()), if_not_exists=True)


    def downgrade():
        op.drop_table("users")
    ''',
    history=(_USERS,),
)
rule.example(
    "Another loss is documented",
    '''
    """Drop the 😋 bio.
    ^^^^^^^^^^^^^^^^^^ rolling back can lose the data in `users.bio`, and the migration does not say so

    WARNING: the values of `users.nick` cannot be restored.
    """
    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
        op.add_column("users", sa.Column("nick", sa.Text()))
    ''',
    history=(_USERS.replace("sa.Column('bio'", "sa.Column('nick', sa.Text()), sa.Column('bio'"),),
)
rule.example(
    "Moved to a new column, from which nothing takes it back",
    '''
    """Call the bio a story 😋."""
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ rolling back can lose the data in `users.bio`, and the migration does not say so
    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.add_column("users", sa.Column("story", sa.Text()))
        op.execute("UPDATE users SET story = bio")
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
        op.drop_column("users", "story")
    ''',
    history=(_USERS,),
)
rule.example(
    "Moved to a new column, and back in Python",
    """
    def upgrade():
        op.add_column("users", sa.Column("story", sa.Text()))
        op.execute("UPDATE users SET story = bio")
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
        bind = op.get_bind()
        for row in bind.execute(sa.text("SELECT id, story FROM users")):
            values = {"bio": row.story, "id": row.id}
            bind.execute(sa.text("UPDATE users SET bio = :bio WHERE id = :id"), values)
        op.drop_column("users", "story")
    """,
    history=(_USERS,),
)
