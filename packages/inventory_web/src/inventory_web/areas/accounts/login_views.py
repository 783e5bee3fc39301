"""Pages of login, logout and one's own password."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from inventory_core.errors import Fault
from inventory_web import current, htmx
from inventory_web.areas.accounts import guard, logins, users
from inventory_web.errors import AccountRefused, TooManyLogins
from inventory_web.messages import faults_by_field
from inventory_web.refusals import refusal_text
from inventory_web.roles import Role, public, requires


def add_routes(blueprint: Blueprint) -> None:
    """Add the pages that each account has."""
    blueprint.add_url_rule("/login", view_func=login, methods=["GET", "POST"])
    blueprint.add_url_rule("/logout", view_func=logout, methods=["POST"])
    blueprint.add_url_rule("/account/password", view_func=own_password, methods=["GET", "POST"])


@public
def login() -> BaseResponse:
    """Show the form, or begin a session and go where the person was going."""
    if request.method == "GET":
        if guard.known_account() is not None:
            return redirect(_safe_target())
        return make_response(render_template("accounts/login.html", faults=[]))
    name, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        token = logins.log_in(
            current.the_inventory(),
            name=name,
            password=password,
            address=guard.client_address(),
            idle=guard.idle_time(),
        )
    except TooManyLogins as error:
        response = _login_again(refusal_text(error), 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    if token is None:
        return _login_again(gettext("El usuario o la contraseña no son correctos."), 422)
    # Whatever the browser brought along from before the login is not carried over.
    session.clear()
    session.permanent = True
    session[guard.TOKEN] = token
    return htmx.see_other(_safe_target())


@public
def logout() -> BaseResponse:
    """End the session, here and in the database."""
    token = session.get(guard.TOKEN)
    if isinstance(token, str):
        logins.log_out(current.the_inventory(), token)
    session.clear()
    flash(gettext("Sesión cerrada."), "success")
    return htmx.see_other(url_for("accounts.login"))


@requires(Role.VIEWER)
def own_password() -> BaseResponse:
    """Show the form, or change the password and end the other sessions."""
    if request.method == "GET":
        return _password_page({}, 200)
    account = current.the_account()
    if account is None:
        return redirect(url_for("accounts.login"))
    try:
        _change_own_password(account)
    except AccountRefused as error:
        return _password_page(faults_by_field(error.faults), 422)
    except TooManyLogins as error:
        response = _password_page({"current_password": [refusal_text(error)]}, 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    flash(gettext("Contraseña cambiada. Las demás sesiones de su cuenta se han cerrado."), "success")
    return htmx.see_other(url_for("home"))


def _change_own_password(account: current.Account) -> None:
    new, repeated = request.form.get("new_password", ""), request.form.get("repeated_password", "")
    if new != repeated:
        raise AccountRefused(Fault("repeated_password", "mismatch"))
    known = request.form.get("current_password", "")
    inventory = current.the_inventory()
    if not logins.confirm_password(inventory, name=account.name, password=known, address=guard.client_address()):
        raise AccountRefused(Fault("current_password", "wrong"))
    if new == known:
        raise AccountRefused(Fault("new_password", "unchanged"))
    users.set_password(inventory, name=account.name, password=new, keep_session=account.session_id)


def _login_again(message: str, status: int) -> Response:
    return make_response(render_template("accounts/login.html", faults=[message]), status)


def _password_page(faults: dict[str, list[str]], status: int) -> Response:
    return make_response(render_template("accounts/password.html", faults=faults), status)


def _safe_target() -> str:
    """Where to go after the login: an address of this application only, whatever the link said."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    foreign = parts.scheme or parts.netloc or not wanted.startswith("/") or wanted.startswith(("//", "/\\"))
    return url_for("home") if foreign or not wanted.isprintable() else wanted
