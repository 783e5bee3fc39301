"""The choice of a language, before a login and after it."""

from flask import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from inventory_core import Fault
from inventory_web import current, htmx, language
from inventory_web.addresses import page_to_show_again
from inventory_web.areas.accounts import guard, users
from inventory_web.catalogues import LANGUAGES
from inventory_web.errors import AccountRefused
from inventory_web.roles import public


def add_routes(blueprint: Blueprint) -> None:
    """Add the address that every page's menu posts to."""
    blueprint.add_url_rule("/account/language", view_func=choose_language, methods=["POST"])


@public
def choose_language() -> BaseResponse:
    """Keep the language for this browser and, after a login, for the account; go back to the page. 422 for one not ours."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise AccountRefused(Fault("language", "unknown", chosen[:80]))
    account = guard.known_account()
    if account is not None:
        users.set_language(current.the_inventory(), name=account.name, language=chosen)
    response = htmx.see_other(page_to_show_again())
    language.remember(response, chosen, current.the_settings())
    return response
