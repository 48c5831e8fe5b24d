"""give names a default

Revision ID: 3c58e2b7a914
Revises: 2b7d91e06fa3
"""

import sqlalchemy as sa
from alembic import op

revision = '3c58e2b7a914'
down_revision = '2b7d91e06fa3'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("users") as batch:
        batch.alter_column("name", server_default="nobody")


def downgrade():
    pass
