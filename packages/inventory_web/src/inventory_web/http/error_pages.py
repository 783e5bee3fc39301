"""Error responses: a page, a fragment for htmx, or JSON, in the language of the user and without a traceback."""

import errno
from dataclasses import dataclass, replace

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import HTTPException, InternalServerError

from inventory_core import CommitUnknown, InventoryError
from inventory_web import context
from inventory_web.db.stored_changes import is_stored
from inventory_web.errors import ClusterRefused, ConfirmedChangeLost, TooManyLogins, WebError, code_of, status_of
from inventory_web.http import forms, responses
from inventory_web.http.logs import get_logger
from inventory_web.i18n.error_messages import public_message, status_message, status_title

RETRY_SECONDS = 5
CHANGED_HEADER = "X-Changed"
"""Header that tells programs whether a failed request changed anything; ``inventory_replication`` sends the same one."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """How an error is reported.

    ``retry_after`` is in seconds. ``changed`` says whether the request has changed anything: ``no``, ``yes`` or ``unknown``.
    ``link`` is an address and its text, for a tab of its own.
    """

    status: int
    code: str
    message: str
    retry_after: int | None = None
    changed: str | None = None
    link: tuple[str, str] | None = None


def answer_for(error: InventoryError | WebError) -> Answer:
    """Return the status and the message of an error; 500 for one that no user can fix."""
    status = status_of(error)
    retry_after = error.seconds if isinstance(error, TooManyLogins) else RETRY_SECONDS if status == 503 else None
    return Answer(status, code_of(error), public_message(error), retry_after, _changed(error, status))


def _changed(error: Exception, status: int) -> str | None:
    if isinstance(error, CommitUnknown):
        return "unknown"
    return "no" if status == 503 or isinstance(error, ConfirmedChangeLost) else None


def init_app(app: Flask) -> None:
    """Register a handler for every error."""
    app.register_error_handler(InventoryError, refuse)
    app.register_error_handler(WebError, refuse)
    app.register_error_handler(ClusterRefused, _retry_read)
    app.register_error_handler(OSError, _no_space)
    app.register_error_handler(InternalServerError, _crash)
    app.register_error_handler(HTTPException, http_error)


def respond(answer: Answer) -> Response:
    """Return ``answer`` in the form that the client accepts: page, fragment or JSON."""
    values = {"answer": answer, "title": status_title(answer.status), "request_id": g.get("request_id", "")}
    if _wants_json():
        response = jsonify(code=answer.code, message=answer.message, request_id=values["request_id"])
    elif responses.wants_fragment():
        response = make_response(render_template("errors/notice.html", **values))
        # The target of the request keeps its content; the notice has its own element.
        response.headers["HX-Retarget"] = "#notices"
        response.headers["HX-Reswap"] = "innerHTML"
    else:
        response = make_response(render_template("errors/page.html", **values))
    response.status_code = answer.status
    if answer.changed is not None:
        response.headers[CHANGED_HEADER] = answer.changed
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(answer.retry_after)
    response.vary.update((*responses.VARY, "Accept"))
    return response


def refuse(error: InventoryError | WebError) -> Response:
    """Respond to a refusal; keep the typed input if the database could not store it now."""
    answer = answer_for(error)
    if answer.status >= 500:
        log.error("refused", code=error.code, error=str(error))
    if answer.changed is None:
        return respond(answer)
    if is_stored() and answer.changed == "no":
        return respond(_stored_but(answer))
    if request.method not in SAFE and answer.changed == "no":
        answer = replace(answer, message=_nothing_changed(error, answer.message))
    form = typed_form()
    if form is None:
        return respond(answer)
    response = forms.page(form, answer.status, f"{answer.message} ({answer.code})")
    response.headers[CHANGED_HEADER] = answer.changed or ""
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(answer.retry_after)
    return response


def _nothing_changed(error: Exception, message: str) -> str:
    """Return the message for a form that was not processed, so that users do not think it was saved."""
    if isinstance(error, ConfirmedChangeLost):
        return gettext("%(reason)s Lo que acaba de enviar no se ha guardado.", reason=message)
    if isinstance(error, ClusterRefused) and error.cause.code == "REP-004":
        return gettext(
            "No se ha cambiado nada: un cambio anterior suyo todavía no ha llegado a ningún servidor que se pueda consultar. "
            "Espere unos segundos y envíelo otra vez."
        )
    promise = gettext("No se ha cambiado nada.")
    return message if promise in message else f"{promise} {message}"


def _stored_but(answer: Answer) -> Answer:
    """Return the response if the change is stored but a later step failed: sending the form again would be wrong."""
    text = gettext(
        "El cambio está guardado, pero no se pudo mostrar el resultado. No lo repita: vuelva a cargar la página."
    )
    return Answer(500, answer.code, text, changed="yes")


def typed_form() -> forms.KeptForm | None:
    """Return the typed input if the response is a full page, which would replace the form."""
    unknown = context.current_user() is None and not g.get("account_unreadable")
    if unknown or responses.wants_fragment() or _wants_json():
        return None
    return forms.typed_form()


def _no_space(error: OSError) -> Response:
    if error.errno not in NO_SPACE:
        raise error
    log.error("no_space", path=request.path, error=str(error))
    if is_stored():
        return respond(_stored_but(Answer(507, "WEB-507", "")))
    return respond(Answer(507, "WEB-507", status_message(507)))


def _crash(error: InternalServerError) -> Response:
    log.error("crash", path=request.path, exc_info=error.original_exception or error)
    if is_stored():
        return respond(_stored_but(Answer(500, "WEB-500", "")))
    return respond(Answer(500, "WEB-500", status_message(500)))


def http_error(error: HTTPException) -> Response:
    """Answer an error of Werkzeug, such as 404."""
    status = error.code or 500
    text = status_message(status)
    if status == 413 and context.current_user() is None:
        text = gettext("Lo enviado es demasiado grande para quien no ha iniciado sesión. Entre y repítalo.")
    response = respond(Answer(status, f"WEB-{status}", text))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    if error.response is not None:
        response = make_response(error.response)
    return response


def _wants_json() -> bool:
    accepts = request.accept_mimetypes
    return accepts.best == "application/json" and not accepts.accept_html


def _retry_read(error: ClusterRefused) -> HTTPException | ResponseReturnValue:
    """Repeat a GET once if its server was lost; it changes nothing, so it may run twice."""
    if not error.may_read_again or request.method != "GET" or g.get("read_again"):
        return refuse(error)
    log.warning("read_again", error=str(error))
    g.read_again = True
    try:
        # The lost query may have been the one for the account.
        page = current_app.preprocess_request()
        return current_app.dispatch_request() if page is None else page
    except Exception as again:  # noqa: BLE001 - whatever it is, it gets its own answer
        return current_app.handle_user_exception(again)
