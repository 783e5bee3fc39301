"""The choice of light or dark, before a login and after it."""

from flask import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from inventory_core import Fault
from inventory_web import current, htmx, theme
from inventory_web.addresses import page_to_show_again
from inventory_web.areas.accounts import guard, users
from inventory_web.errors import AccountRefused
from inventory_web.roles import public


def add_routes(blueprint: Blueprint) -> None:
    """Add the address that every page's menu posts to."""
    blueprint.add_url_rule("/account/theme", view_func=choose_theme, methods=["POST"])


@public
def choose_theme() -> BaseResponse:
    """Keep the theme for this browser and, after a login, for the account; go back to the page. 422 for one not ours."""
    asked = request.form.get("theme", "")
    chosen = next((known for known in theme.THEMES if known == asked), None)
    if chosen is None:
        raise AccountRefused(Fault("theme", "unknown", asked[:80]))
    account = guard.known_account()
    if account is not None:
        users.set_theme(current.the_inventory(), name=account.name, theme=chosen)
    response = htmx.see_other(page_to_show_again())
    theme.remember(response, chosen, current.the_settings())
    return response
