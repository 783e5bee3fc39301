"""Long work of every kind: what runs, what waits, and what came of it."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.areas.work.views import blueprint
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.settings import Settings


class WorkArea:
    """The list of jobs, and the addresses that cancel and repeat one; the page of a job is its kind's own."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Trabajos"), "work.index", "clock-history", order=55, more=True)]
