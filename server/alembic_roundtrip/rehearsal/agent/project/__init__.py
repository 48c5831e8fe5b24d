"""The user's project: its Alembic, its scripts, its env.py, and what its exceptions say."""
