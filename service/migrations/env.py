"""Runs the migrations on the connection that ``wiring.migrate`` opened, in its transaction."""

from alembic import context

# Imported for the tables that they describe in the same metadata.
from service.adapters import (  # noqa: F401
    schema_answers,
    schema_decisions,
    schema_erasures,
    schema_exports,
    schema_grants,
    schema_jitsi,
    schema_log,
    schema_rescans,
    schema_reviewers,
    schema_webhooks,
)
from service.adapters.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
