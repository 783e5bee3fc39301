"""The list of keys: a dialog of every page, and a page of its own without scripts."""

from collections.abc import Sequence

from flask import Blueprint, render_template

from inventory_web.hookspecs import hookimpl
from inventory_web.roles import Role, requires
from inventory_web.settings import Settings


class ShortcutsPlugin:
    """Registers the page; the frame of all pages links to it, and ``static/keyboard.js`` is what makes the keys work."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        """The page of the keys."""
        blueprint = Blueprint("shortcuts", __name__, template_folder="templates")
        blueprint.add_url_rule("/shortcuts", view_func=keys)
        return [blueprint]


@requires(Role.VIEWER)
def keys() -> str:
    """Show the list of keys."""
    return render_template("shortcuts/page.html")
