"""One's own pages: the profile, the password, and the sessions that are open."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from inventory_core import Fault
from inventory_web import current, htmx, kept_forms
from inventory_web.areas.accounts import guard, logins, open_sessions, users
from inventory_web.auditing import the_author
from inventory_web.devices import device_text
from inventory_web.errors import AccountRefused, TooManyLogins
from inventory_web.messages import faults_by_field, number, role_text
from inventory_web.refusals import refusal_text
from inventory_web.roles import Role, requires


def add_routes(blueprint: Blueprint) -> None:
    """Add the pages that each account has."""
    blueprint.add_url_rule("/account", view_func=profile)
    blueprint.add_url_rule("/account/password", view_func=own_password, methods=["GET", "POST"])
    blueprint.add_url_rule("/account/sessions/end", view_func=end_session, methods=["POST"])
    blueprint.add_url_rule("/account/sessions/end-others", view_func=end_other_sessions, methods=["POST"])
    blueprint.add_url_rule("/account/resume", view_func=resume)
    blueprint.add_url_rule("/account/resume/discard", view_func=discard, methods=["POST"])
    blueprint.add_app_template_global(device_text)
    blueprint.add_app_template_global(role_text)


@requires(Role.VIEWER)
def profile() -> BaseResponse:
    """Who one is here, how the pages look, and where one is logged in."""
    account = current.require_account()
    sessions = open_sessions.sessions_of(
        current.the_inventory(), account, idle=guard.idle_time(), longest=guard.longest_time()
    )
    return make_response(render_template("accounts/profile.html", sessions=sessions))


@requires(Role.VIEWER)
def own_password() -> BaseResponse:
    """Show the form, or change the password and end the other sessions."""
    if request.method == "GET":
        return _password_page({}, 200)
    try:
        _change_own_password(current.require_account())
    except AccountRefused as error:
        return _password_page(faults_by_field(error.faults), 422)
    except TooManyLogins as error:
        response = _password_page({"current_password": [refusal_text(error)]}, 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    flash(gettext("Contraseña cambiada. Las demás sesiones de su cuenta se han cerrado."), "success")
    return htmx.see_other(url_for("home"))


@requires(Role.VIEWER)
def end_session() -> BaseResponse:
    """End one of one's own sessions, wherever it is; one that has ended already is as well."""
    account, wanted = current.require_account(), request.form.get("session", "")
    if wanted == account.session_id:
        flash(gettext("Esta es la sesión que está usando: para cerrarla, pulse «Salir»."), "warning")
    else:
        open_sessions.end_session(current.the_inventory(), account, wanted[:64], by=the_author())
        flash(gettext("La sesión se ha cerrado."), "success")
    return htmx.see_other(url_for("accounts.profile"))


@requires(Role.VIEWER)
def end_other_sessions() -> BaseResponse:
    """End every session of one's own but this one."""
    ended = open_sessions.end_others(current.the_inventory(), current.require_account(), by=the_author())
    text = ngettext(
        "Se ha cerrado %(number)s sesión.", "Se han cerrado %(number)s sesiones.", ended, number=number(ended)
    )
    flash(text, "success")
    return htmx.see_other(url_for("accounts.profile"))


@requires(Role.VIEWER)
def resume() -> BaseResponse:
    """Show the form that was sent without a session before this login."""
    stored = open_sessions.kept_form(current.the_inventory(), current.require_account())
    return kept_forms.page(kept_forms.read(stored), 200) if stored else redirect(url_for("home"))


@requires(Role.VIEWER)
def discard() -> BaseResponse:
    """Forget that form."""
    open_sessions.drop_kept_form(current.the_inventory(), current.require_account())
    return htmx.see_other(url_for("home"))


def _change_own_password(account: current.Account) -> None:
    new, repeated = request.form.get("new_password", ""), request.form.get("repeated_password", "")
    if new != repeated:
        raise AccountRefused(Fault("repeated_password", "mismatch"))
    known = request.form.get("current_password", "")
    inventory = current.the_inventory()
    if not logins.confirm_password(inventory, account, password=known, by=the_author()):
        raise AccountRefused(Fault("current_password", "wrong"))
    if new == known:
        raise AccountRefused(Fault("new_password", "unchanged"))
    users.set_password(inventory, name=account.name, password=new, keep_session=account.session_id, by=the_author())


def _password_page(faults: dict[str, list[str]], status: int) -> Response:
    return make_response(render_template("accounts/password.html", faults=faults), status)
