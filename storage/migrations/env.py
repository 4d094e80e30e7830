"""Run by Alembic for each command: one connection, one transaction for all changes."""

from pathlib import Path

from alembic import context
from sqlalchemy import create_engine

from storage.schema import metadata

path: Path = context.config.attributes["database"]
engine = create_engine(f"sqlite:///{path}")
with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
