"""Retry of read requests whose database server was lost."""

from flask import Flask, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from inventory_web.errors import ClusterRefused
from inventory_web.http.error_pages import refuse
from inventory_web.http.logs import get_logger

log = get_logger(__name__)


def init_app(app: Flask) -> None:
    """Repeat a GET once if its server was lost; it changes nothing, so it may run twice."""

    def answer(error: ClusterRefused) -> HTTPException | ResponseReturnValue:
        if not error.may_read_again or request.method != "GET" or g.get("read_again"):
            return refuse(error)
        log.warning("read_again", error=str(error))
        g.read_again = True
        try:
            # The lost query may have been the one for the account.
            page = app.preprocess_request()
            return app.dispatch_request() if page is None else page
        except Exception as again:  # noqa: BLE001 - whatever it is, it gets its own answer
            return app.handle_user_exception(again)

    app.register_error_handler(ClusterRefused, answer)
