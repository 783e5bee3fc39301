"""The administrator's pages of accounts."""

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from inventory_core.errors import Fault
from inventory_web import current, htmx
from inventory_web.areas.accounts import users
from inventory_web.errors import AccountRefused
from inventory_web.messages import faults_by_field, faults_text
from inventory_web.roles import Role, requires


def add_routes(blueprint: Blueprint) -> None:
    """Add the pages of the administrator."""
    blueprint.add_url_rule("/users", view_func=accounts)
    blueprint.add_url_rule("/users", view_func=add, methods=["POST"])
    blueprint.add_url_rule("/users/role", view_func=role, methods=["POST"])
    blueprint.add_url_rule("/users/password", view_func=password, methods=["POST"])
    blueprint.add_url_rule("/users/disable", view_func=disable, methods=["POST"])
    blueprint.add_url_rule("/users/enable", view_func=enable, methods=["POST"])


@requires(Role.ADMIN)
def accounts() -> Response:
    """Show every account."""
    return _page({}, 200)


@requires(Role.ADMIN)
def add() -> BaseResponse:
    """Make an account with a provisional password."""
    try:
        name = users.add_account(
            current.the_inventory(),
            name=request.form.get("username", ""),
            role=_role(),
            password=request.form.get("password", ""),
            provisional=True,
        )
    except AccountRefused as error:
        return _page(faults_by_field(error.faults), 422)
    return _done(gettext("Usuario «%(name)s» creado. Comuníquele su contraseña provisional.", name=name))


@requires(Role.ADMIN)
def role() -> BaseResponse:
    """Give an account another role."""
    try:
        users.set_role(current.the_inventory(), name=_name(), role=_role())
    except AccountRefused as error:
        return _refused(error)
    return _done(gettext("Rol de «%(name)s» cambiado.", name=_name()))


@requires(Role.ADMIN)
def password() -> BaseResponse:
    """Set a provisional password and end the sessions."""
    try:
        users.set_password(
            current.the_inventory(), name=_name(), password=request.form.get("new_password", ""), provisional=True
        )
    except AccountRefused as error:
        return _refused(error)
    return _done(gettext("Contraseña de «%(name)s» cambiada; sus sesiones se han cerrado.", name=_name()))


@requires(Role.ADMIN)
def disable() -> BaseResponse:
    """Let nobody in with this account."""
    try:
        users.disable_account(current.the_inventory(), name=_name())
    except AccountRefused as error:
        return _refused(error)
    return _done(gettext("Usuario «%(name)s» desactivado; sus sesiones se han cerrado.", name=_name()))


@requires(Role.ADMIN)
def enable() -> BaseResponse:
    """Let the account in again."""
    users.enable_account(current.the_inventory(), name=_name())
    return _done(gettext("Usuario «%(name)s» activado.", name=_name()))


def _name() -> str:
    return request.form.get("username", "")


def _role() -> Role:
    word = request.form.get("role", "")
    try:
        return Role.from_word(word)
    except KeyError:
        raise AccountRefused(Fault("role", "unknown", word[:80])) from None


def _done(message: str) -> BaseResponse:
    flash(message, "success")
    return htmx.see_other(url_for("accounts.accounts"))


def _refused(error: AccountRefused) -> Response:
    flash(f"{_name()}: {faults_text(error.faults)}", "danger")
    return _page({}, 422)


def _page(faults: dict[str, list[str]], status: int) -> Response:
    rows = users.list_accounts(current.the_inventory())
    return make_response(render_template("accounts/accounts.html", accounts=rows, faults=faults), status)
