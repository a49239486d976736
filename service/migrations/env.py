"""Runs the migrations on the connection that ``wiring.migrate`` opened, in its transaction."""

from alembic import context

from service.adapters import schema_grants  # noqa: F401 - describes tables in the same metadata
from service.adapters.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
