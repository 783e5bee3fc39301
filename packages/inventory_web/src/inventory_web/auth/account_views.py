"""The account pages for administrators."""

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from inventory_core import Cursor, Fault
from inventory_web import context
from inventory_web.audit.log import Event, current_author, log_event_throttled
from inventory_web.auth import two_factor, users
from inventory_web.auth.users import is_mixed_script
from inventory_web.errors import AccountNotFound, AccountRefused
from inventory_web.http import error_pages, responses
from inventory_web.http.urls import read_cursor
from inventory_web.i18n.error_messages import faults_message, messages_by_field
from inventory_web.i18n.labels import mixed_script_warning
from inventory_web.roles import Role, requires

PAGE = 25


def add_routes(blueprint: Blueprint) -> None:
    """Add the pages for administrators."""
    blueprint.register_error_handler(AccountNotFound, _not_found)
    blueprint.add_url_rule("/users", view_func=accounts)
    blueprint.add_url_rule("/users", view_func=add, methods=["POST"])
    blueprint.add_url_rule("/users/role", view_func=role, methods=["POST"])
    blueprint.add_url_rule("/users/password", view_func=password, methods=["POST"])
    blueprint.add_url_rule("/users/disable", view_func=disable, methods=["POST"])
    blueprint.add_url_rule("/users/enable", view_func=enable, methods=["POST"])
    blueprint.add_url_rule("/users/sessions/end", view_func=end_sessions, methods=["POST"])
    blueprint.add_url_rule("/users/second-factor", view_func=reset_second_factor, methods=["POST"])


@requires(Role.ADMIN)
def accounts() -> Response:
    """Show every account."""
    return _page({}, 200)


@requires(Role.ADMIN)
def add() -> BaseResponse:
    """Create an account with a provisional password."""
    try:
        name = users.add_account(
            context.current_inventory(),
            name=request.form.get("username", ""),
            role=_role(),
            password=request.form.get("password", ""),
            provisional=True,
            by=current_author(),
        )
    except AccountRefused as error:
        _audit_refusal(error)
        return _page(messages_by_field(error.faults), 422)
    if is_mixed_script(name):
        flash(mixed_script_warning(name), "warning")
    return _done(gettext("Usuario «%(name)s» creado. Comuníquele su contraseña provisional.", name=name))


@requires(Role.ADMIN)
def role() -> BaseResponse:
    """Change the role of an account."""
    try:
        users.set_role(context.current_inventory(), name=_name(), role=_role(), by=current_author())
    except AccountRefused as error:
        return _refused(error)
    return _done(gettext("Rol de «%(name)s» cambiado.", name=_name()))


@requires(Role.ADMIN)
def password() -> BaseResponse:
    """Set a provisional password and end the sessions."""
    try:
        users.set_password(
            context.current_inventory(),
            name=_name(),
            password=request.form.get("new_password", ""),
            provisional=True,
            by=current_author(),
        )
    except AccountRefused as error:
        return _refused(error)
    return _done(gettext("Contraseña de «%(name)s» cambiada; sus sesiones se han cerrado.", name=_name()))


@requires(Role.ADMIN)
def disable() -> BaseResponse:
    """Disable the account."""
    try:
        users.disable_account(context.current_inventory(), name=_name(), by=current_author())
    except AccountRefused as error:
        return _refused(error)
    return _done(gettext("Usuario «%(name)s» desactivado; sus sesiones se han cerrado.", name=_name()))


@requires(Role.ADMIN)
def enable() -> BaseResponse:
    """Enable the account again."""
    users.enable_account(context.current_inventory(), name=_name(), by=current_author())
    return _done(gettext("Usuario «%(name)s» activado.", name=_name()))


@requires(Role.ADMIN)
def end_sessions() -> BaseResponse:
    """End every session of the account."""
    users.end_sessions(context.current_inventory(), name=_name(), by=current_author())
    return _done(gettext("Sesiones de «%(name)s» cerradas.", name=_name()))


@requires(Role.ADMIN)
def reset_second_factor() -> BaseResponse:
    """Remove the second factor of a user who has lost it."""
    if not two_factor.disable(context.current_inventory(), name=_name(), by=current_author()):
        flash(gettext("«%(name)s» no tiene verificación en dos pasos.", name=_name()), "warning")
        return responses.see_other(url_for("accounts.accounts"))
    return _done(
        gettext("Verificación en dos pasos de «%(name)s» quitada: entra solo con su contraseña.", name=_name())
    )


def _name() -> str:
    return request.form.get("username", "")


def _role() -> Role:
    word = request.form.get("role", "")
    try:
        return Role.from_word(word)
    except KeyError:
        raise AccountRefused(Fault("role", "unknown", word[:80])) from None


def _audit_refusal(error: AccountRefused | AccountNotFound) -> None:
    faults = error.faults if isinstance(error, AccountRefused) else (Fault("username", "unknown"),)
    log_event_throttled(
        context.current_inventory(),
        Event.ACCOUNT_CHANGE_REFUSED,
        by=current_author(),
        subject=_name(),
        page=f"{request.method} {request.path}",
        reason=", ".join(f"{fault.field}: {fault.reason}" for fault in faults),
    )


def _not_found(error: AccountNotFound) -> Response:
    _audit_refusal(error)
    return error_pages.refuse(error)


def _done(message: str) -> BaseResponse:
    flash(message, "success")
    return responses.see_other(url_for("accounts.accounts"))


def _refused(error: AccountRefused) -> Response:
    _audit_refusal(error)
    flash(f"{_name()}: {faults_message(error.faults)}", "danger")
    return _page({}, 422)


def _page(faults: dict[str, list[str]], status: int) -> Response:
    search, after = request.args.get("search", "").strip()[:80], read_cursor(request.args)
    rows = users.list_accounts(context.current_inventory(), search=search, after=after, limit=PAGE + 1)
    further = Cursor(rows[PAGE - 1].name, rows[PAGE - 1].id) if len(rows) > PAGE else None
    page = render_template(
        "accounts/accounts.html", accounts=rows[:PAGE], search=search, after=after, further=further, faults=faults
    )
    return make_response(page, status)
