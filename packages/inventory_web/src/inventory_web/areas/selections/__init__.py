"""One change for all products that are selected in the list: category, minimum, retire, restore."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.areas.selections.views import blueprint
from inventory_web.auth.roles import Role
from inventory_web.hookspecs import SelectionAction, hookimpl
from inventory_web.settings import Settings


class SelectionsArea:
    """Registers the pages, and their buttons under the list."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def selection_actions(self) -> Sequence[SelectionAction]:
        operator = Role.OPERATOR
        return [
            SelectionAction(lazy_gettext("Categoría…"), "selections.category", "tag", 10, operator),
            SelectionAction(lazy_gettext("Mínimo…"), "selections.minimum", "funnel", 20, operator),
            SelectionAction(lazy_gettext("Eliminar…"), "selections.retire", "trash", 90, operator),
            SelectionAction(
                lazy_gettext("Restaurar…"), "selections.restore", "arrow-counterclockwise", 10, operator, retired=True
            ),
        ]
