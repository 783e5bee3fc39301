"""The pages of the user's own second factor: enrolment with a QR code, recovery codes, and deactivation."""

import segno
from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from inventory_core import Fault, code_key
from inventory_web import context
from inventory_web.audit.log import Event, current_author, log_event_throttled
from inventory_web.auth import authentication, throttling, two_factor
from inventory_web.errors import AccountRefused, TooManyLogins
from inventory_web.http import responses
from inventory_web.http.security import signing_keys
from inventory_web.i18n.error_messages import error_message, messages_by_field
from inventory_web.roles import Role, requires


def add_routes(blueprint: Blueprint) -> None:
    """Add the pages of the second factor."""
    blueprint.add_url_rule("/account/second-factor", view_func=second_factor)
    blueprint.add_url_rule("/account/second-factor/begin", view_func=begin_second_factor, methods=["POST"])
    blueprint.add_url_rule("/account/second-factor/confirm", view_func=confirm_second_factor, methods=["POST"])
    blueprint.add_url_rule("/account/second-factor/off", view_func=end_second_factor, methods=["POST"])
    blueprint.add_url_rule("/account/second-factor/codes", view_func=recovery_codes)
    blueprint.add_url_rule("/account/second-factor/codes", view_func=renew_recovery_codes, methods=["POST"])
    blueprint.add_url_rule("/account/second-factor/codes.txt", view_func=recovery_codes_file)
    blueprint.add_url_rule("/account/second-factor/codes/seen", view_func=recovery_codes_seen, methods=["POST"])


@requires(Role.VIEWER)
def second_factor() -> BaseResponse:
    """Show the status of the second factor and the possible actions."""
    return _page({}, 200)


@requires(Role.VIEWER)
def begin_second_factor() -> BaseResponse:
    """Create a secret; requires the password."""
    account = context.require_user()
    try:
        _require_password(account)
        two_factor.begin(context.current_inventory(), account, secret_keys=signing_keys())
    except (AccountRefused, TooManyLogins) as error:
        return _refused(error, "current_password")
    return responses.see_other(url_for("accounts.second_factor"))


@requires(Role.VIEWER)
def confirm_second_factor() -> BaseResponse:
    """Activate it with a first code, and redirect to the recovery codes."""
    account, inventory, by = context.require_user(), context.current_inventory(), current_author()
    if not two_factor.confirm(
        inventory, account, request.form.get("second_code", ""), secret_keys=signing_keys(), by=by
    ):
        return _refused(AccountRefused(Fault("second_code", "wrong_code")), "second_code")
    flash(gettext("La verificación en dos pasos está activada."), "success")
    return responses.see_other(url_for("accounts.recovery_codes"))


@requires(Role.VIEWER)
def end_second_factor() -> BaseResponse:
    """Deactivate it; requires the password and a code."""
    account = context.require_user()
    try:
        _require_password_and_code(account)
    except (AccountRefused, TooManyLogins) as error:
        log_event_throttled(
            context.current_inventory(), Event.SECOND_FACTOR_OFF_REFUSED, by=current_author(), subject=account.name
        )
        return _refused(error, "second_code")
    two_factor.disable(context.current_inventory(), name=account.name, by=current_author())
    flash(gettext("La verificación en dos pasos está desactivada."), "success")
    return responses.see_other(url_for("accounts.profile"))


@requires(Role.VIEWER)
def renew_recovery_codes() -> BaseResponse:
    """Create new recovery codes; requires the password and a code."""
    account = context.require_user()
    try:
        _require_password_and_code(account)
        two_factor.renew_codes(context.current_inventory(), account, secret_keys=signing_keys(), by=current_author())
    except (AccountRefused, TooManyLogins) as error:
        return _refused(error, "second_code")
    return responses.see_other(url_for("accounts.recovery_codes"))


@requires(Role.VIEWER)
def recovery_codes() -> BaseResponse:
    """Show the new recovery codes, until the user confirms or after 15 minutes."""
    fresh = _standing().fresh
    if not fresh:
        return redirect(url_for("accounts.second_factor"))
    return make_response(render_template("accounts/recovery_codes.html", codes=fresh))


@requires(Role.VIEWER)
def recovery_codes_file() -> BaseResponse:
    """Return the new recovery codes as a text file."""
    fresh = _standing().fresh
    if not fresh:
        return redirect(url_for("accounts.second_factor"))
    lines = [
        gettext("Códigos de recuperación de «%(name)s»; cada uno sirve una vez.", name=context.current_actor()),
        request.url_root,
        "",
        *fresh,
    ]
    response = Response("\r\n".join(lines) + "\r\n", mimetype="text/plain")
    response.headers.set("Content-Disposition", "attachment", filename="inventory-recovery-codes.txt")
    return response


@requires(Role.VIEWER)
def recovery_codes_seen() -> BaseResponse:
    """Stop showing the recovery codes."""
    two_factor.hide_codes(context.current_inventory(), context.require_user())
    return responses.see_other(url_for("accounts.profile"))


def _require_password(account: context.CurrentUser) -> None:
    known = request.form.get("current_password", "")
    if not authentication.confirm_password(context.current_inventory(), account, password=known, by=current_author()):
        raise AccountRefused(Fault("current_password", "wrong"))


def _require_password_and_code(account: context.CurrentUser) -> None:
    _require_password(account)
    inventory, by, key = context.current_inventory(), current_author(), code_key(account.name)
    throttling.count_attempt(
        inventory, name_key=key, address=by.address, by=by, second_factor=True, device=account.session_id
    )
    code = request.form.get("second_code", "")
    if not two_factor.check(inventory, account.id, code, secret_keys=signing_keys(), by=by):
        raise AccountRefused(Fault("second_code", "wrong_code"))
    throttling.forgive(inventory, name_key=key, address=by.address, second_factor=True, device=account.session_id)


def _refused(error: AccountRefused | TooManyLogins, field: str) -> Response:
    if isinstance(error, AccountRefused):
        return _page(messages_by_field(error.faults), 422)
    response = _page({field: [error_message(error)]}, 429)
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _page(faults: dict[str, list[str]], status: int) -> Response:
    standing = _standing()
    values: dict[str, object] = {"standing": standing, "faults": faults}
    if standing.secret:
        account = context.require_user()
        address = two_factor.provisioning_uri(standing.secret, account, issuer=gettext("Inventario"))
        values["groups"] = [standing.secret[start : start + 4] for start in range(0, len(standing.secret), 4)]
        values["picture"] = _picture(address)
        values["address"] = address
    return make_response(render_template("accounts/second_factor.html", **values), status)


def _picture(address: str) -> Markup:
    """Return the QR code as inline SVG, dark on light in both themes, because cameras need that."""
    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    return Markup(svg)  # noqa: S704 - made of numbers alone


def _standing() -> two_factor.TwoFactorStatus:
    return two_factor.two_factor_status(context.current_inventory(), context.require_user(), secret_keys=signing_keys())
