"""Runs the migrations on the connection that engine.storage.migrate hands over."""

from sqlmodel import SQLModel

import engine.model  # noqa: F401 makes every table known
from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    compare_type=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
