"""What the list shows, as a file."""

from collections.abc import Sequence

from flask import Blueprint

from inventory_web.areas.exports.views import blueprint
from inventory_web.hookspecs import hookimpl
from inventory_web.settings import Settings


class ExportsArea:
    """Registers the two addresses; the list links to them."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]
