"""The plugins of operation: health, metrics and the topology."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.blueprints.ops import health, metrics
from inventory_web.blueprints.ops.topology_views import topology_blueprint
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.settings import Settings


class HealthPlugin:
    """Registers ``/health``, ``/health/live``, ``/health/ready`` and ``/metrics``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        """Return the blueprints of the four routes."""
        blueprint = Blueprint("status", __name__)
        health.add_routes(blueprint)
        metrics.add_routes(blueprint, self._settings)
        return [blueprint]


class TopologyPlugin:
    """Registers the page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [topology_blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Sistema"), "system.picture", "hdd-network", order=95, more=True)]
