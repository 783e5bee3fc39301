"""Alembic environment of the web's tables; run only through ``inventory_web.db.schema``."""

from alembic import context

from inventory_web.db.models import metadata


def run() -> None:
    """Run the Alembic command on the connection of ``SchemaChain``."""
    config = context.config
    context.configure(
        connection=config.attributes["connection"],
        target_metadata=metadata,
        version_table=config.attributes["version_table"],
        render_as_batch=True,
        transactional_ddl=True,
        include_name=lambda name, kind, _: kind != "table" or name in metadata.tables,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
