"""Runs the migrations on the connection that ``wiring.migrate`` opened, in its transaction."""

from alembic import context

import service.adapters.schema_jitsi  # noqa: F401 - ``metadata`` knows a table once its module was read
from service.adapters.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
