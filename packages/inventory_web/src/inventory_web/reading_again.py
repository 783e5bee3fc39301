"""A page whose server was lost while it was read is made again, by a server that is left."""

import structlog
from flask import Flask, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from inventory_web.errors import ClusterRefused

log = structlog.get_logger(__name__)


def read_lost_pages_again(app: Flask) -> None:
    """Answer a GET that lost its server once more instead of refusing it; it changes nothing, so it may run twice."""
    tell = app.handle_user_exception

    def handle(e: Exception) -> HTTPException | ResponseReturnValue:
        if not _may_run_again(e):
            return tell(e)
        log.warning("read_again", error=str(e))
        g.read_again = True
        try:
            # The account may have been what was lost.
            answer = app.preprocess_request()
            return app.dispatch_request() if answer is None else answer
        except Exception as again:  # noqa: BLE001 - whatever it is, it is told as at the first time
            return tell(again)

    app.handle_user_exception = handle  # type: ignore[method-assign]


def _may_run_again(error: Exception) -> bool:
    lost = isinstance(error, ClusterRefused) and error.may_read_again
    return lost and request.method in {"GET", "HEAD"} and not g.get("read_again")
