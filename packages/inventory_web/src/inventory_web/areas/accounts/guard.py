"""Who may come in: asked once for each request, before its view."""

from datetime import timedelta

from flask import Flask, abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from inventory_web import current, htmx
from inventory_web.areas.accounts import logins
from inventory_web.roles import role_of

TOKEN = "token"  # noqa: S105 - the name of the entry
WITH_PROVISIONAL_PASSWORD = frozenset({"accounts.own_password", "accounts.logout"})


def watch(app: Flask) -> None:
    """Check each request: an open session, the role that the view asks for, and in production a password of one's own."""

    def check() -> Response | None:
        g.account = None
        view = app.view_functions.get(request.endpoint or "")
        required = role_of(view) if view is not None else None
        if required is None:
            return None
        account = g.account = known_account()
        if account is None:
            return _to_login()
        if (
            account.provisional
            and current.the_settings().production
            and request.endpoint not in WITH_PROVISIONAL_PASSWORD
        ):
            return htmx.see_other(url_for("accounts.own_password"))
        if not account.may(required):
            abort(403)
        return None

    app.before_request(check)


def known_account() -> current.Account | None:
    """The account of this browser's session, looked up in the database."""
    token = session.get(TOKEN)
    if not isinstance(token, str):
        return None
    return logins.find_account(current.the_inventory(), token, idle=idle_time(), address=client_address())


def idle_time() -> timedelta:
    """How long a login may stand idle."""
    return timedelta(hours=current.the_settings().session_hours)


def client_address() -> str:
    """The address of the browser, as far as trusted proxies tell it."""
    return request.remote_addr or ""


def _to_login() -> Response:
    wanted = request.full_path.rstrip("?") if request.method == "GET" and not htmx.wants_fragment() else None
    address = url_for("accounts.login", next=None if wanted == "/" else wanted)
    if htmx.wants_fragment():
        return htmx.see_other(address)
    return redirect(address, 302 if request.method == "GET" else 303)
