"""Nicknames

Revision ID: c90f3e82d617
Revises: 5b1d0c7e9a34
"""
from alembic import op
import sqlalchemy as sa

revision = "c90f3e82d617"
down_revision = "5b1d0c7e9a34"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("customer", sa.Column("nickname", sa.String(40), server_default="😋"))


def downgrade(): "😋"; pass
