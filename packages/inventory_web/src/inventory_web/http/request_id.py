"""Request ids: taken from a trusted proxy or generated; part of every log line, response and SQL statement."""

import re
import time
import uuid
from contextvars import ContextVar

import structlog
from flask import Flask, Response, g, request

from inventory_web.logs import get_logger
from inventory_web.settings import Settings

log = get_logger(__name__)
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the current request, also in threads that copy its context and while the response streams."""
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = frozenset({"assets.serve", "status.live", "status.ready", "status.metrics"})


def init_app(app: Flask, settings: Settings) -> None:
    """Assign an id to each request and log one line about it."""

    def begin() -> None:
        if "request_id" in g:
            # A retried read keeps its id and its start time.
            return
        given = request.headers.get("X-Request-ID", "") if settings.proxies else ""
        g.request_id = given if SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        REQUEST_ID.set(g.request_id)
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        if request.endpoint not in QUIET:
            milliseconds = round((time.perf_counter() - g.began) * 1000, 1)
            method = request.environ["REQUEST_METHOD"]
            log.info("request", method=method, path=request.path, status=response.status_code, ms=milliseconds)
        return response

    app.before_request(begin)
    app.after_request(end)
