"""The pages of the user's own account: profile, password, sessions, language and theme."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from inventory_core import Fault
from inventory_web import context
from inventory_web.audit.log import current_author
from inventory_web.auth import access_control, authentication, users
from inventory_web.errors import AccountRefused, TooManyLogins
from inventory_web.http import forms, preferences, responses
from inventory_web.http.urls import retry_url
from inventory_web.i18n.catalogues import LANGUAGES
from inventory_web.i18n.error_messages import error_message, messages_by_field
from inventory_web.i18n.labels import device_label, format_number, role_text
from inventory_web.roles import Role, public, requires


def add_routes(blueprint: Blueprint) -> None:
    """Add the pages of the user's own account, and the choice of language and theme."""
    blueprint.add_url_rule("/account", view_func=profile)
    blueprint.add_url_rule("/account/password", view_func=own_password, methods=["GET", "POST"])
    blueprint.add_url_rule("/account/sessions/end", view_func=end_session, methods=["POST"])
    blueprint.add_url_rule("/account/sessions/end-others", view_func=end_other_sessions, methods=["POST"])
    blueprint.add_url_rule("/account/resume", view_func=resume)
    blueprint.add_url_rule("/account/resume/discard", view_func=discard, methods=["POST"])
    blueprint.add_app_template_global(device_label)
    blueprint.add_app_template_global(role_text)
    blueprint.add_url_rule("/account/language", view_func=choose_language, methods=["POST"])
    blueprint.add_url_rule("/account/theme", view_func=choose_theme, methods=["POST"])


@requires(Role.VIEWER)
def profile() -> BaseResponse:
    """Show the user's account, preferences and sessions."""
    account = context.require_user()
    open_sessions = authentication.sessions_of(
        context.current_inventory(), account, idle=access_control.idle_time(), longest=access_control.max_session_age()
    )
    return make_response(render_template("accounts/profile.html", sessions=open_sessions))


@requires(Role.VIEWER)
def own_password() -> BaseResponse:
    """Show the form, or change the password and end the other sessions."""
    if request.method == "GET":
        return _password_page({}, 200)
    try:
        _change_own_password(context.require_user())
    except AccountRefused as error:
        return _password_page(messages_by_field(error.faults), 422)
    except TooManyLogins as error:
        response = _password_page({"current_password": [error_message(error)]}, 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    flash(gettext("Contraseña cambiada. Las demás sesiones de su cuenta se han cerrado."), "success")
    return responses.see_other(url_for("home"))


@requires(Role.VIEWER)
def end_session() -> BaseResponse:
    """End one of the user's own sessions, on any device; succeeds if it has already ended."""
    account, wanted = context.require_user(), request.form.get("session", "")
    if wanted == account.session_id:
        flash(gettext("Esta es la sesión que está usando: para cerrarla, pulse «Salir»."), "warning")
    else:
        authentication.end_session(context.current_inventory(), account, wanted[:64], by=current_author())
        flash(gettext("La sesión se ha cerrado."), "success")
    return responses.see_other(url_for("accounts.profile"))


@requires(Role.VIEWER)
def end_other_sessions() -> BaseResponse:
    """End all of the user's sessions except this one."""
    ended = authentication.end_others(context.current_inventory(), context.require_user(), by=current_author())
    text = ngettext(
        "Se ha cerrado %(number)s sesión.", "Se han cerrado %(number)s sesiones.", ended, number=format_number(ended)
    )
    flash(text, "success")
    return responses.see_other(url_for("accounts.profile"))


@requires(Role.VIEWER)
def resume() -> BaseResponse:
    """Show the form that was sent without a session before this login."""
    stored = authentication.kept_form(context.current_inventory(), context.require_user())
    return forms.page(forms.read(stored), 200) if stored else redirect(url_for("home"))


@requires(Role.VIEWER)
def discard() -> BaseResponse:
    """Discard that form."""
    authentication.drop_kept_form(context.current_inventory(), context.require_user())
    return responses.see_other(url_for("home"))


def _change_own_password(account: context.CurrentUser) -> None:
    new, repeated = request.form.get("new_password", ""), request.form.get("repeated_password", "")
    if new != repeated:
        raise AccountRefused(Fault("repeated_password", "mismatch"))
    known = request.form.get("current_password", "")
    inventory = context.current_inventory()
    if not authentication.confirm_password(inventory, account, password=known, by=current_author()):
        raise AccountRefused(Fault("current_password", "wrong"))
    if new == known:
        raise AccountRefused(Fault("new_password", "unchanged"))
    users.set_password(inventory, name=account.name, password=new, keep_session=account.session_id, by=current_author())


def _password_page(faults: dict[str, list[str]], status: int) -> Response:
    return make_response(render_template("accounts/password.html", faults=faults), status)


@public
def choose_language() -> BaseResponse:
    """Store the language in this browser and, if logged in, in the account; then go back. Unknown languages get 422."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise AccountRefused(Fault("language", "unknown", chosen[:80]))
    account = access_control.authenticate_request()
    if account is not None:
        users.set_language(context.current_inventory(), name=account.name, language=chosen)
    response = responses.see_other(retry_url())
    preferences.save_language(response, chosen, context.current_settings())
    return response


@public
def choose_theme() -> BaseResponse:
    """Store the theme in this browser and, if logged in, in the account; then go back. Unknown themes get 422."""
    requested = request.form.get("theme", "")
    chosen = next((known for known in preferences.THEMES if known == requested), None)
    if chosen is None:
        raise AccountRefused(Fault("theme", "unknown", requested[:80]))
    account = access_control.authenticate_request()
    if account is not None:
        users.set_theme(context.current_inventory(), name=account.name, theme=chosen)
    response = responses.see_other(retry_url())
    preferences.save_theme(response, chosen, context.current_settings())
    return response
