"""Filters of the list under a name, for oneself or for everybody."""

from collections.abc import Sequence

from flask import Blueprint

from inventory_web.areas.views.pages import blueprint, first_address
from inventory_web.hookspecs import hookimpl
from inventory_web.settings import Settings


class ViewsArea:
    """Registers the pages, and opens the view that a person wants to begin with."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def first_page(self) -> str | None:
        return first_address()
