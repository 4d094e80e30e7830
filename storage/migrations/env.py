"""Run by Alembic for each command: one connection, and each migration one transaction, its version included.

A process that is killed in the middle leaves no half-made tables behind: SQLite can take back a CREATE TABLE, but
its driver, left to itself, begins a transaction only before an INSERT.
"""

from pathlib import Path
from typing import Any

from alembic import context
from sqlalchemy import create_engine, event

from storage.schema import metadata

path: Path = context.config.attributes["database"]
engine = create_engine(f"sqlite:///{path}")


@event.listens_for(engine, "connect")
def _connected(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
    connection.isolation_level = None


@event.listens_for(engine, "begin")
def _begun(connection: Any) -> None:  # pyright: ignore[reportUnusedFunction]
    connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
