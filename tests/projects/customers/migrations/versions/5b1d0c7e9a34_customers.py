"""Customers

Revision ID: 5b1d0c7e9a34
Revises:
"""
from alembic import op
import sqlalchemy as sa

revision = "5b1d0c7e9a34"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
    )


def downgrade():
    op.drop_table("customer")
