"""never reached

Revision ID: 70b3caf5e1b2
Revises: 6f72b9e4d0a1
"""

import sqlalchemy as sa
from alembic import op

revision = '70b3caf5e1b2'
down_revision = '6f72b9e4d0a1'
branch_labels = None
depends_on = None


def upgrade():
    op.drop_column("nowhere", "y")


def downgrade():
    op.add_column("nowhere", sa.Column("y", sa.Integer()))
