"""What Alembic runs: the migrations on the connection that `app.store.migrate` holds, inside its transaction."""

from alembic import context

from app.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    version_table="schema_version",
)
context.run_migrations()
