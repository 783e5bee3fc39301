"""Every hook that the web calls. A plugin object may implement these and the core's hooks side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup
from pluggy import HookimplMarker, HookspecMarker

from inventory_core import ProductDetails, ProductRow
from inventory_web.auth.roles import Role

if TYPE_CHECKING:
    from flask import Blueprint

hookspec = HookspecMarker("inventory_web")
hookimpl = HookimplMarker("inventory_web")
"""Marks a plugin's implementation of one of these hooks; the core's own marker is ``inventory_core.hookimpl``."""


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A line of the menu.

    ``label`` is a text, or a lazy one that follows the language of the request; ``endpoint`` names a view without
    arguments; ``icon`` a symbol of ``icons.svg``; entries are shown by ascending ``order`` to accounts with at least ``role``.
    ``badge`` is asked on every page for a short text beside the label; empty shows nothing. ``more`` puts the line under
    "Más", for what is not daily work.
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
    """A further column of the product list.

    ``cell`` computes what to show from the row alone; a plain text is escaped, ``markupsafe.Markup`` is taken as it is.
    """

    header: object
    cell: Callable[[ProductRow], object]
    order: int = 100


@dataclass(frozen=True, slots=True)
class ProductPanel:
    """A part of the page of one product: a ``section`` with class ``card``; shown by ascending ``order``."""

    html: Markup
    order: int = 100


@dataclass(frozen=True, slots=True)
class SelectionAction:
    """Something to do with the products that a person selected in the list: a button of the bar that belongs to it.

    The button sends the selection as a form (POST, with the CSRF token) to the view of ``endpoint``, which takes no
    arguments and reads it with ``read_selection`` or ``selected_rows`` of
    ``inventory_web.blueprints.catalog.selection``. ``label``, ``icon``, ``order``
    and ``role`` are as in ``MenuEntry``. ``retired`` says for which lists it is: False for products in use, True for retired
    ones, None for both.
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
        """Give blueprints to register. Called once for each application, while it is being made.

        Each call must make new blueprints or give ones that hold no state of an application, since two applications may
        live in one process. Views are marked with ``inventory_web.auth.roles.requires`` or ``public``.
        """
        raise NotImplementedError

    @hookspec
    def menu_entries(self) -> Sequence[MenuEntry]:
        """Give lines for the menu. Called once for each application, after the blueprints."""
        raise NotImplementedError

    @hookspec
    def product_columns(self) -> Sequence[ProductColumn]:
        """Give columns for the product list, after the built-in ones. Called once for each application."""
        raise NotImplementedError

    @hookspec
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        """Give parts of the page of one product. Called each time that the page is shown, inside its request."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    def first_page(self) -> str | None:
        """Give the address that ``/`` leads the person of this request to; the first one given counts. None: the list."""
        raise NotImplementedError

    @hookspec
    def selection_actions(self) -> Sequence[SelectionAction]:
        """Give buttons for the products that are selected in the list. Called each time that the list is shown."""
        raise NotImplementedError
