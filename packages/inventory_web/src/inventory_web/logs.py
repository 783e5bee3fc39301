"""Logs: one JSON object per line on standard error, for our own lines and those of the libraries."""

import logging
import sys
from typing import Any, cast

import structlog

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
