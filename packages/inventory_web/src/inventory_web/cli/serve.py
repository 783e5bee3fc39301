"""``serve``: gunicorn with threads, in this process and one worker."""

import logging
import os
import socket
import time
from contextlib import suppress
from typing import Any

import click
from flask_babel import gettext
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger
from pydantic import SecretStr

from inventory_web.app import create_app
from inventory_web.cli.session import open_database
from inventory_web.db.bootstrap import secret_key
from inventory_web.db.schema import require_current
from inventory_web.errors import PortTaken
from inventory_web.http.logs import configure_logging
from inventory_web.jobs import outbox_relay, runner
from inventory_web.settings import Settings

THREADS = 8
GRACEFUL_SECONDS = 15
LINGER_SECONDS = 0.5


def serve(*, host: str, port: int) -> None:
    """Serve; raises ``SchemaNotCurrent`` or ``PortTaken`` before anything listens."""
    settings = Settings.from_environment()
    with open_database(settings) as sessions:
        require_current(sessions.engine)
    run_server(settings, host, port)


def run_server(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal ends it; raises ``PortTaken``."""
    configure_logging(settings.log_level)
    # The worker creates its own application after the fork; create one here to report configuration errors in one line.
    settings = settings.model_copy(update={"secret_key": SecretStr(secret_key(settings))})
    create_app(settings)
    with _listen(host, port) as listener:
        address = listener.getsockname()[:2]
        # Gunicorn takes over the descriptor, and closes it.
        _Server(settings, listener.detach(), address).run()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTaken(host, port, error.strerror or str(error)) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise PortTaken(host, port, os.strerror(error.errno) if error.errno else str(error)) from error
    return listener


class _Server(BaseApplication):
    def __init__(self, settings: Settings, descriptor: int, address: tuple[str, int]) -> None:
        self._settings = settings
        self._descriptor = descriptor
        self._address = address
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"fd://{self._descriptor}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "graceful_timeout": GRACEFUL_SECONDS,
            # Otherwise a thread would wait for the rest of a refused upload before it reuses the connection.
            "keepalive": 0,
            "control_socket_disable": True,
            "logger_class": GunicornLog,
            "loglevel": "warning",
            "proc_name": "inventory",
            "post_request": end_connection,
            "when_ready": self._announce,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app(self._settings)
        runner.start(app)
        outbox_relay.get_relay(app).start()
        return app

    def _announce(self, _server: object) -> None:
        host, port = self._address
        shown = f"[{host}]" if ":" in host else host
        click.echo(gettext("Inventario en http://%(address)s (Ctrl-C para terminar)", address=f"{shown}:{port}"))


def end_connection(_worker: object, request: Any, _environment: object, response: Any) -> None:
    """Wait, in the thread of the request, until the client closes its side; gunicorn would wait in its accepting thread.

    A client that still sends a refused upload gets the response, and then half a second.
    """
    if response is None or not response.should_close():
        return
    connection = request.unreader.sock
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        until = time.monotonic() + LINGER_SECONDS
        while (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(65536):
                break
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class GunicornLog(Logger):
    """Sends gunicorn's log lines through our logging; for its setting ``logger_class``."""

    def setup(self, cfg: Config) -> None:
        """Configure as gunicorn does, without its own handlers."""
        super().setup(cfg)
        logging.getLogger("gunicorn.error").handlers.clear()
        logging.getLogger("gunicorn.error").propagate = True
