"""The pages for login and logout."""

import time
from dataclasses import asdict

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from inventory_core import code_key
from inventory_web import context
from inventory_web.audit.log import Author, Event, add_event, current_author
from inventory_web.auth import access_control, authentication, throttling, two_factor
from inventory_web.auth.throttling import known_device, remember_device
from inventory_web.errors import TooManyLogins
from inventory_web.http import forms, responses
from inventory_web.http.security import signing_keys
from inventory_web.http.urls import is_local_url
from inventory_web.i18n.error_messages import error_message
from inventory_web.roles import public

PENDING = "second_step"
PENDING_SECONDS = 600


def add_routes(blueprint: Blueprint) -> None:
    """Add the pages that start and end a session."""
    blueprint.add_url_rule("/login", view_func=login, methods=["GET", "POST"])
    blueprint.add_url_rule("/login/code", view_func=second_step, methods=["GET", "POST"])
    blueprint.add_url_rule("/logout", view_func=logout, methods=["POST"])
    blueprint.register_error_handler(CSRFError, _stale)


@public
def login() -> BaseResponse:
    """Show the form, or start a session and redirect to the requested page."""
    if request.method == "GET":
        if access_control.authenticate_request() is not None:
            return redirect(_safe_target())
        return access_control.login_page([], 200)
    name, password, start = request.form.get("username", ""), request.form.get("password", ""), _SessionStart()
    try:
        device = known_device(authentication.typed_key(name))
        known = authentication.check_password(
            context.current_inventory(),
            name=name,
            password=password,
            by=current_author(),
            device=device,
            begin=start.begin,
        )
    except TooManyLogins as error:
        return _too_many(access_control.login_page([error_message(error)], 429), error)
    if known is None:
        return access_control.login_page([gettext("El usuario o la contraseña no son correctos.")], 422)
    return _to_second_step(known) if known.second_factor else _begin(known, start, _safe_target())


@public
def second_step() -> BaseResponse:
    """Show the form for the code, or start the session of an account whose password was just verified."""
    pending = session.get(PENDING)
    if not isinstance(pending, dict) or time.time() - pending["at"] > PENDING_SECONDS:
        session.pop(PENDING, None)
        if request.method == "GET":
            return redirect(url_for("accounts.login"))
        return access_control.login_page([_again()], 422)
    if request.method == "GET":
        return _second_page([], 200)
    known = authentication.VerifiedLogin(pending["id"], pending["name"], pending["proof"], second_factor=True)
    start = _SessionStart()
    try:
        right = _check_code(known, start)
    except TooManyLogins as error:
        return _too_many(_second_page([error_message(error)], 429), error)
    if not right:
        return _second_page([gettext("El código no es correcto, ya se usó o ha caducado. Escriba el siguiente.")], 422)
    return _begin(known, start, pending["next"])


@public
def logout() -> BaseResponse:
    """End the session, here and in the database."""
    token = session.get(access_control.TOKEN)
    account = access_control.authenticate_request()
    if isinstance(token, str):
        by = current_author() if account is None else Author(account.name, *_from_where())
        authentication.log_out(context.current_inventory(), token, by=by)
    user_id = session.get(access_control.USER)
    session.clear()
    if user_id is not None:
        # A form from another tab still belongs to this user.
        session[access_control.USER] = user_id
    flash(gettext("Sesión cerrada."), "success")
    return responses.see_other(url_for("accounts.login"))


def _to_second_step(known: authentication.VerifiedLogin) -> BaseResponse:
    # Start with an empty session: nothing from before the login is carried over.
    session.clear()
    session[PENDING] = {**asdict(known), "at": int(time.time()), "next": _safe_target()}
    if request.form.get(forms.FIELD):
        return _second_page([], 200)
    return responses.see_other(url_for("accounts.second_step"))


class _SessionStart:
    """Starts the session of this request in the transaction of the last step of the login.

    ``token`` is None until then, and if the account has changed since its password was checked. ``kept`` is the form that
    was sent before the login.
    """

    def __init__(self) -> None:
        self.token: str | None = None
        self.sent = request.form.get(forms.FIELD, "")
        self.kept: forms.KeptForm | None = None

    def begin(self, unit: Session, known: authentication.VerifiedLogin) -> None:
        """Start the session; may run again with a repeated transaction."""
        self.kept = forms.unpack(self.sent, user_id=known.id)
        self.token = authentication.add_session(
            unit,
            known,
            now=context.current_inventory().clock(),
            by=Author(known.name, *_from_where()),
            idle=access_control.idle_time(),
            longest=access_control.max_session_age(),
            agent=request.user_agent.string,
            kept=forms.write(self.kept) if self.kept else None,
        )


def _check_code(known: authentication.VerifiedLogin, start: _SessionStart) -> bool:
    """Count the attempt, check the code and start the session, in one transaction."""
    inventory, by, key = context.current_inventory(), Author(known.name, *_from_where()), code_key(known.name)
    attempt = throttling.Attempt(key, by.address, by, second_factor=True, device=known_device(key))
    code = request.form.get("second_code", "")

    def work(unit: Session, _: int) -> bool:
        now = inventory.clock()
        if not two_factor.accept_code(unit, known.id, code, now=now, secret_keys=signing_keys(), by=by):
            stranger = Author("", *_from_where())
            add_event(unit, now, Event.LOGIN_FAILED, by=stranger, subject=known.name, step="code")
            return False
        # Both steps were counted.
        throttling.release(unit, attempt, attempts=2)
        start.begin(unit, known)
        return True

    return throttling.run_counted(inventory, attempt, work)


def _begin(known: authentication.VerifiedLogin, start: _SessionStart, target: str) -> BaseResponse:
    """Give the browser its session and redirect to the form that was typed before it, or to ``target``."""
    token, kept = start.token, start.kept
    # Start with an empty session: nothing from before the login is carried over.
    session.clear()
    if token is None:
        if known.second_factor:
            return access_control.login_page([_again()], 422)
        return access_control.login_page([gettext("El usuario o la contraseña no son correctos.")], 422)
    if start.sent and kept is None:
        flash(
            gettext("Lo que se envió antes de entrar era de otra persona o de hace más de un día: se ha descartado."),
            "warning",
        )
    session.permanent = True
    session[access_control.TOKEN] = token
    response = responses.see_other(url_for("accounts.resume") if kept else target)
    remember_device(response, code_key(known.name), context.current_settings())
    return response


def _stale(error: CSRFError) -> BaseResponse:
    """Show a login page that is older than its session again, with the input except the password."""
    if request.endpoint == "accounts.login" and access_control.authenticate_request() is None:
        access_control.audit_refused_request(Event.CSRF_FAILED)
        return access_control.login_page(
            [gettext("Esta página se había quedado antigua. Escriba otra vez su contraseña.")], 400
        )
    return access_control.refuse_form(error)


def _again() -> str:
    return gettext("Ha pasado demasiado tiempo: escriba otra vez su contraseña.")


def _second_page(faults: list[str], status: int) -> Response:
    kept = request.form.get(forms.FIELD, "")
    return make_response(render_template("accounts/second_step.html", faults=faults, kept=kept), status)


def _too_many(response: Response, error: TooManyLogins) -> Response:
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _from_where() -> tuple[str, str]:
    author = current_author()
    return author.address, author.request_id


def _safe_target() -> str:
    """Return the URL to open after the login: always in this application, whatever the link contained."""
    wanted = request.values.get("next", "")
    return wanted if is_local_url(wanted) else url_for("home")
