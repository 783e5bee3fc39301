"""The migrations of the web's tables, and both migration chains together."""

from sqlalchemy import Engine

from inventory_core import CORE_SCHEMA, SchemaChain

WEB_SCHEMA = SchemaChain("inventory_web.db:migrations", "inventory_web_version")
CHAINS = (CORE_SCHEMA, WEB_SCHEMA)


def upgrade_all(engine: Engine) -> None:
    """Bring every table up to date. Safe to repeat. Raises the errors of ``SchemaChain.upgrade``."""
    for chain in CHAINS:
        chain.upgrade(engine)


def require_current(engine: Engine) -> None:
    """Raise ``SchemaNotCurrent`` unless every chain is at its head."""
    for chain in CHAINS:
        chain.require_current(engine)
