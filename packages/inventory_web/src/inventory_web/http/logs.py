"""Structured log lines with the request id, which is also a header of the response; `db/sql_comments.py` adds it to SQL."""

import logging
import sys
import time
import uuid
from typing import Any, cast

import structlog
from flask import Flask, Response, g, request

from inventory_web.context import REQUEST_ID, SAFE_ID
from inventory_web.settings import Settings

_PLAIN: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.format_exc_info,
    structlog.processors.KeyValueRenderer(key_order=["event"]),
)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger that uses the structlog configuration of the process, or else the standard library's ``logging``.

    Unconfigured structlog writes to standard output and includes local variables in tracebacks. In a program that embeds the
    application, that would pollute its output and leak its secrets.
    """
    return cast("structlog.stdlib.BoundLogger", _Logger(name))


class _Logger:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if structlog.is_configured():
            return getattr(structlog.get_logger(self._name), method)
        plain = logging.getLogger(self._name)
        wrapped = structlog.wrap_logger(plain, processors=_PLAIN, wrapper_class=structlog.stdlib.BoundLogger)
        return getattr(wrapped, method)


def configure_logging(level: str) -> None:
    """Configure logging of the whole process; called by the entry points, never by the factory."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)


log = get_logger(__name__)
QUIET = frozenset({"assets.serve", "status.live", "status.ready", "status.metrics"})


def init_app(app: Flask, settings: Settings) -> None:
    """Assign an id to each request and log one line about it."""

    def begin() -> None:
        if "request_id" in g:
            # A retried read keeps its id and its start time.
            return
        received = request.headers.get("X-Request-ID", "") if settings.proxies else ""
        g.request_id = received if SAFE_ID.fullmatch(received) else uuid.uuid4().hex
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
