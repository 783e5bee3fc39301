"""Labels for products and shelves: selected, laid out on a sheet, and printed by the browser."""

from collections.abc import Sequence

from flask import Blueprint, render_template
from flask_babel import lazy_gettext
from markupsafe import Markup

from inventory_core import ProductDetails
from inventory_web.blueprints.labels.symbols import qr_symbol
from inventory_web.blueprints.labels.views import blueprint
from inventory_web.hookspecs import MenuEntry, ProductPanel, SelectionAction, hookimpl
from inventory_web.settings import Settings


class LabelsPlugin:
    """Registers the pages, and links to them from the menu, the selection and the product page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Etiquetas"), "labels.choose", "qr-code", order=55, more=True)]

    @hookimpl
    def selection_actions(self) -> Sequence[SelectionAction]:
        return [SelectionAction(lazy_gettext("Imprimir etiquetas"), "labels.choose_selected", "printer", order=50)]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        if details.row.retired:
            return []
        page = render_template("labels/panel.html", product=details, symbol=qr_symbol(details.row.code))
        return [ProductPanel(Markup(page), order=60)]  # noqa: S704 - Jinja escaped every value
