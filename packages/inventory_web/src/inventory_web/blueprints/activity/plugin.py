"""The timeline: who changed what, when and why; on one page for everything, and on each product page."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext
from markupsafe import Markup

from inventory_core import ProductDetails
from inventory_web.blueprints.activity.views import blueprint, product_panel
from inventory_web.hookspecs import MenuEntry, ProductPanel, hookimpl
from inventory_web.settings import Settings


class ActivityPlugin:
    """Registers the page and the panel."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Cronología"), "timeline.history", "clock-history", order=45, more=True)]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        return [ProductPanel(Markup(product_panel(details)), order=55)]  # noqa: S704 - Jinja escaped every value
