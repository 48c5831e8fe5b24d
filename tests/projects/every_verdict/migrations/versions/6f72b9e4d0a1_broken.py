"""fail

Revision ID: 6f72b9e4d0a1
Revises: 5e61a8d3c9f0
"""

import sqlalchemy as sa
from alembic import op

revision = '6f72b9e4d0a1'
down_revision = '5e61a8d3c9f0'
branch_labels = None
depends_on = None


def upgrade():
    op.drop_column("nowhere", "x")


def downgrade():
    pass
