"""Health for people and for the balancer, and metrics."""

from collections.abc import Sequence

from flask import Blueprint

from inventory_web.areas.status import health, metrics
from inventory_web.hookspecs import hookimpl
from inventory_web.settings import Settings


class StatusArea:
    """``/health``, ``/health/live``, ``/health/ready`` and ``/metrics``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        """The four addresses."""
        blueprint = Blueprint("status", __name__)
        health.add_routes(blueprint)
        metrics.add_routes(blueprint, self._settings)
        return [blueprint]
