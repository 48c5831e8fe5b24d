"""index names

Revision ID: 4d09f6c2b8e7
Revises: 3c58e2b7a914
"""

import sqlalchemy as sa
from alembic import op

revision = '4d09f6c2b8e7'
down_revision = '3c58e2b7a914'
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_users_name", "users", ["name"])


def downgrade():
    pass
