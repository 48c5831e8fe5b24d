"""forget what was asked to be forgotten

Revision ID: 5e61a8d3c9f0
Revises: 4d09f6c2b8e7
"""

import sqlalchemy as sa
from alembic import op

revision = '5e61a8d3c9f0'
down_revision = '4d09f6c2b8e7'
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    raise NotImplementedError("what was forgotten cannot be remembered")
