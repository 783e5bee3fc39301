"""What the list shows, as a file: at once, or made in the background."""

from collections.abc import Sequence

from flask import Blueprint

from inventory_web.areas.exports import direct, prepared
from inventory_web.hookspecs import hookimpl
from inventory_web.settings import Settings


class ExportsArea:
    """Registers the addresses, and what a worker does for them; the list links to them."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        blueprint = Blueprint("exports", __name__, template_folder="templates")
        direct.add_routes(blueprint)
        prepared.add_routes(blueprint)
        return [blueprint]
