"""The quick quantity: set it, or change it by one, in the row of the list or beside a place of the product."""

from collections.abc import Sequence

from flask import Blueprint, render_template
from markupsafe import Markup

from inventory_core import ProductDetails
from inventory_web.areas.counting.views import blueprint
from inventory_web.hookspecs import ProductPanel, hookimpl
from inventory_web.settings import Settings


class CountingArea:
    """Registers the form's target, and shows what lies where on the page of a product."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        page = render_template("counting/panel.html", product=details)
        return [ProductPanel(Markup(page), order=10)]  # noqa: S704 - Jinja escaped every value
