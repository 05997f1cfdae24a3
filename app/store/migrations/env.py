"""What Alembic runs: the migrations, on the connection and inside the transaction of `upgrade_schema`."""

from alembic import context

from app.store.tables.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    version_table="schema_version",
)
context.run_migrations()
