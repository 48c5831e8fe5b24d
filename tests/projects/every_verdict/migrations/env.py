"""A stock env.py."""

from logging.config import fileConfig

from alembic import context
from sqlalchemy import engine_from_config, pool

fileConfig(context.config.config_file_name)
engine = engine_from_config(
    context.config.get_section(context.config.config_ini_section),
    prefix="sqlalchemy.",
    poolclass=pool.NullPool,
)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
