"""Alembic environment of the core's tables; run only through ``inventory_core.database.schema``."""

from alembic import context

from inventory_core.models import alembic_include_name, metadata


def run() -> None:
    """Run the migrations that ``SchemaChain`` asks for, on its connection."""
    config = context.config
    context.configure(
        connection=config.attributes["connection"],
        target_metadata=metadata,
        version_table=config.attributes["version_table"],
        render_as_batch=True,
        transactional_ddl=True,
        include_name=lambda *name: not alembic_include_name(*name),
    )
    with context.begin_transaction():
        context.run_migrations()


run()
