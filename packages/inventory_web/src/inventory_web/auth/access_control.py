"""Access control: checks each request once, before its view, and answers those that are refused."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask, Response, g, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response as BaseResponse

from inventory_core import InventoryError
from inventory_web import context
from inventory_web.audit.log import Event, current_author, log_event_throttled
from inventory_web.auth import authentication, users
from inventory_web.db import units_of_work
from inventory_web.errors import RoleNeeded
from inventory_web.http import error_pages, forms, responses
from inventory_web.http.logs import get_logger
from inventory_web.http.request import MAX_ANONYMOUS_BODY_BYTES, MAX_BODY_BYTES
from inventory_web.http.urls import current_url, form_url
from inventory_web.roles import Role, role_of

log = get_logger(__name__)
LOGIN = frozenset({"accounts.login", "accounts.second_step"})
TOKEN = "token"  # noqa: S105 - the name of the entry
USER = "user"
"""Session key: the user whose pages this browser shows, also after the session. A kept form belongs to that user."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORM = "application/x-www-form-urlencoded"
WITH_PROVISIONAL_PASSWORD = frozenset({"accounts.own_password", "accounts.logout"})
WITHOUT_SECOND_FACTOR = WITH_PROVISIONAL_PASSWORD | {
    "accounts.second_factor",
    "accounts.begin_second_factor",
    "accounts.confirm_second_factor",
}


def init_app(app: Flask) -> None:
    """Check each request: session, password chosen by the user, second factor if required, and role."""

    def check() -> BaseResponse | None:
        g.account = None
        view = app.view_functions.get(request.endpoint or "")
        required = role_of(view) if view is not None else None
        if required is None:
            # An unknown URL shows the menu as well, so that a logged-in user can go on from there.
            if request.endpoint is None:
                g.account = authenticate_request()
            return None
        _share_reads(view)
        account = g.account = authenticate_request()
        if account is None:
            return _to_login()
        if session.get(USER) != account.id:
            session[USER] = account.id
        if (
            account.provisional
            and context.current_settings().production
            and request.endpoint not in WITH_PROVISIONAL_PASSWORD
        ):
            return responses.see_other(url_for("accounts.own_password"))
        if _needs_second_factor(account) and request.endpoint not in WITHOUT_SECOND_FACTOR:
            return responses.see_other(url_for("accounts.second_factor"))
        if not account.may(required):
            _log_refusal(account, required)
            raise RoleNeeded(required, account.role, users.admin_names(context.current_inventory()))
        request.max_content_length = MAX_BODY_BYTES
        return None

    def release(_: BaseException | None) -> None:
        units_of_work.release_reads()

    app.before_request(check)
    app.teardown_request(release)
    app.register_error_handler(CSRFError, refuse_form)
    app.register_error_handler(Forbidden, _refuse_access)


def _share_reads(view: Callable[..., Any] | None) -> None:
    """Share the readers of this request if its view is marked; a form is read before, since its client may be slow."""
    # A page that is made again begins anew.
    units_of_work.release_reads()
    if not units_of_work.is_read_once(view):
        return
    if request.method not in SAFE:
        if request.mimetype != FORM or not 0 < (request.content_length or 0) <= MAX_ANONYMOUS_BODY_BYTES:
            return
        request.get_data()
    units_of_work.share_reads()


def authenticate_request() -> context.CurrentUser | None:
    """Return the account of this browser's session, from the database."""
    token = session.get(TOKEN)
    if not isinstance(token, str):
        return None
    try:
        return authentication.find_account(
            context.current_inventory(),
            token,
            idle=idle_time(),
            longest=max_session_age(),
            address=client_address(),
            # A page may be as old as a replica, but a change needs the permissions of this moment.
            at_once=request.method not in SAFE,
        )
    except InventoryError:
        # The user is unknown at this moment, but the typed input must be kept.
        g.account_unreadable = True
        raise


def idle_time() -> timedelta:
    """Return how long a session may be idle."""
    return timedelta(hours=context.current_settings().session_hours)


def max_session_age() -> timedelta:
    """Return the maximum age of a session, however much it is used."""
    return timedelta(hours=context.current_settings().session_max_hours)


def client_address() -> str:
    """Return the address of the browser, as reported by trusted proxies."""
    return request.remote_addr or ""


def login_page(faults: list[str], status: int, *, back: str = "") -> Response:
    """Return the login page with the form that was sent without a session, or that the last attempt carried along.

    ``back`` is the page to go to afterwards, if no form is carried.
    """
    kept = request.form.get(forms.FIELD, "") if request.endpoint in LOGIN else _packed_form()
    return make_response(render_template("accounts/login.html", faults=faults, kept=kept, back=back), status)


def _to_login() -> BaseResponse:
    if responses.wants_fragment():
        return _session_ended()
    if request.method == "GET":
        wanted = current_url()
        return redirect(url_for("accounts.login", next=None if wanted == url_for("home") else wanted))
    if _packed_form():
        return login_page([gettext("Su sesión ha terminado. Entre otra vez: lo que escribió no se pierde.")], 401)
    if forms.from_our_page() and request.endpoint != "accounts.logout":
        # An upload, or an empty form: there is no input to keep, but the page that contained it.
        message = gettext("Su sesión ha terminado y no se ha guardado nada. Entre otra vez y repítalo.")
        return login_page([message], 401, back=form_url(url_for("home")))
    return redirect(url_for("accounts.login"), 303)


def refuse_form(error: CSRFError) -> Response:
    """Report that the form belongs to another session; offer to send the input of our own pages again."""
    log.info("csrf", reason=error.description)
    audit_refused_request(Event.CSRF_FAILED)
    form = error_pages.typed_form()
    if form is not None:
        return forms.page(form, 400)
    text = gettext("La página se abrió hace demasiado o en otra sesión. Vuelva a cargarla y repita la operación.")
    if context.current_user() is None or not responses.wants_fragment():
        return error_pages.respond(error_pages.Answer(400, "WEB-400", text))
    # The page keeps its input and gets the token of the new session.
    response = error_pages.respond(
        error_pages.Answer(400, "WEB-400", gettext("La página era de otra sesión. Ya puede repetirlo aquí mismo."))
    )
    response.headers["HX-Trigger"] = json.dumps({"inventory:token": {"token": generate_csrf()}})
    return response


def audit_refused_request(event: Event) -> None:
    """Audit that this request is refused, at most once a minute for each user."""
    page = f"{request.method} {request.path}"
    log_event_throttled(context.current_inventory(), event, by=current_author(), page=page)


def _session_ended() -> Response:
    """Report to htmx that the session has ended, without replacing the page and its input."""
    text = gettext("Su sesión ha terminado. Entre en otra pestaña y repítalo aquí: lo que escribió no se pierde.")
    return error_pages.respond(
        error_pages.Answer(401, "WEB-401", text, link=(url_for("accounts.login"), gettext("Entrar en otra pestaña")))
    )


def _packed_form() -> str:
    """Return the form of this request for a hidden field of the login; empty if it is too large, malformed or an upload."""
    if request.mimetype != FORM:
        # A file is never kept, so do not read it: an anonymous client could block a thread by sending it slowly.
        return ""
    try:
        form = forms.typed_form()
    except HTTPException:
        return ""
    user_id = session.get(USER)
    packed = forms.pack(form, user_id=user_id) if form and isinstance(user_id, int) else ""
    return packed if len(packed) <= forms.MAX_PACKED_CHARACTERS else ""


def _needs_second_factor(account: context.CurrentUser) -> bool:
    demanded = context.current_settings().second_factor == "admin" and account.role is Role.ADMIN
    return demanded and not account.second_factor


def _log_refusal(account: context.CurrentUser, required: Role) -> None:
    """Audit it once per minute and user, so that repeated attempts cannot fill the table."""
    log_event_throttled(
        context.current_inventory(),
        Event.ROLE_REFUSED,
        by=current_author(),
        subject=account.name,
        page=f"{request.method} {request.path}",
        role=required.word,
    )


def _refuse_access(error: Forbidden) -> Response:
    audit_refused_request(Event.ACCESS_REFUSED)
    return error_pages.http_error(error)
