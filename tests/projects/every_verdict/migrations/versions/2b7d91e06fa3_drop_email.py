"""drop the e-mail address

WARNING: data loss: rolling back does not restore the addresses.

Revision ID: 2b7d91e06fa3
Revises: 1a2f0c3d4e5b
"""

import sqlalchemy as sa
from alembic import op

revision = '2b7d91e06fa3'
down_revision = '1a2f0c3d4e5b'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("users") as batch:
        batch.drop_column("email")


def downgrade():
    op.add_column("users", sa.Column("email", sa.String(40)))
