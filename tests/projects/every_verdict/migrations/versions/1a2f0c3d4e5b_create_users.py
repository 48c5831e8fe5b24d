"""create users

Revision ID: 1a2f0c3d4e5b
Revises: 
"""

import sqlalchemy as sa
from alembic import op

revision = '1a2f0c3d4e5b'
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("email", sa.String(40)),
    )


def downgrade():
    op.drop_table("users")
