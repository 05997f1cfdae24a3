"""Runs the migrations for Alembic, on the connection of `upgrade_schema`.

They run inside its transaction. If it has none, each has a transaction of its own.
"""

from alembic import context

from app.store.tables.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
    version_table="schema_version",
    wats_step_by_step=not connection.in_transaction(),
)
context.run_migrations()
