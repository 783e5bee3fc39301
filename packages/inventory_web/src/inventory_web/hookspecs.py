"""The hooks that the web calls. One plugin object may implement these and the hooks of the core."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup
from pluggy import HookimplMarker, HookspecMarker

from inventory_core import ProductDetails, ProductRow
from inventory_web.roles import Role

if TYPE_CHECKING:
    from flask import Blueprint

hookspec = HookspecMarker("inventory_web")
hookimpl = HookimplMarker("inventory_web")
"""Marks an implementation of one of these hooks; the core has its own marker, ``inventory_core.hookimpl``."""


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A menu entry.

    ``label`` is a text, or a lazy text that follows the language of the request. ``endpoint`` names a view without arguments, and
    ``icon`` a symbol of ``icons.svg``. Entries are sorted by ``order`` and shown to accounts with at least ``role``. ``badge`` is
    called on every page and returns a short text next to the label, or an empty one. ``more`` moves the entry to the submenu
    "Más", for tasks that are not daily work.
    """

    label: object
    endpoint: str
    icon: str = "box-seam"
    order: int = 100
    role: Role = Role.VIEWER
    badge: Callable[[], str] | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class ProductColumn:
    """An additional column of the product list.

    ``cell`` renders one row. A plain text is escaped; ``markupsafe.Markup`` is inserted as it is.
    """

    header: object
    cell: Callable[[ProductRow], object]
    order: int = 100


@dataclass(frozen=True, slots=True)
class ProductPanel:
    """A panel on the page of a product: a ``section`` with class ``card``; sorted by ``order``."""

    html: Markup
    order: int = 100


@dataclass(frozen=True, slots=True)
class SelectionAction:
    """An action for the products that are selected in the list: a button in the selection bar.

    The button posts the selection as a form, with the CSRF token, to the view of ``endpoint``. The view takes no arguments and
    reads the selection with ``read_selection`` or ``selected_rows`` of ``inventory_web.blueprints.catalog.product_list``.
    ``label``, ``icon``, ``order`` and ``role`` are as in ``MenuEntry``. ``retired`` limits the action to products in use (False)
    or retired products (True); None means both.
    """

    label: object
    endpoint: str
    icon: str = "tag"
    order: int = 100
    role: Role = Role.VIEWER
    retired: bool | None = False


class WebHooks:
    """The hooks; a plugin implements any of them with the same name and arguments."""

    @hookspec
    def blueprints(self) -> "Sequence[Blueprint]":
        """Return blueprints to register. Called once for each application, while it is being created.

        Return new blueprints in each call, or ones without state of an application, because one process may have several
        applications. Mark views with ``inventory_web.roles.requires`` or ``public``.
        """
        raise NotImplementedError

    @hookspec
    def menu_entries(self) -> Sequence[MenuEntry]:
        """Return menu entries. Called once for each application, after the blueprints."""
        raise NotImplementedError

    @hookspec
    def product_columns(self) -> Sequence[ProductColumn]:
        """Return columns for the product list, after the built-in ones. Called once for each application."""
        raise NotImplementedError

    @hookspec
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        """Return panels for the page of a product. Called each time that the page is shown, inside its request."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    def first_page(self) -> str | None:
        """Return the URL that ``/`` redirects this user to; the first one wins. None: the product list."""
        raise NotImplementedError

    @hookspec
    def selection_actions(self) -> Sequence[SelectionAction]:
        """Return actions for the selected products. Called each time that the list is shown."""
        raise NotImplementedError
