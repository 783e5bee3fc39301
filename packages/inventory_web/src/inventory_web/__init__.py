"""The inventory in the browser and on the command line."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inventory_web.app import create_app as create_app
    from inventory_web.db.schema import upgrade_all as upgrade_all
    from inventory_web.settings import Settings as Settings

__all__ = ["Settings", "create_app", "upgrade_all"]


def __getattr__(name: str) -> Any:
    """Import the public names on first use: the command line's ``--help`` does not need the web."""
    if name == "create_app":
        from inventory_web.app import create_app  # noqa: PLC0415

        return create_app
    if name == "upgrade_all":
        from inventory_web.db.schema import upgrade_all  # noqa: PLC0415

        return upgrade_all
    if name == "Settings":
        from inventory_web.settings import Settings  # noqa: PLC0415

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
