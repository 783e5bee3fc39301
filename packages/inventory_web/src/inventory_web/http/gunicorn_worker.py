"""The gunicorn worker for instances behind a balancer."""

import socket
import time
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

MAX_PAGE_BYTES = 128 * 1024
DRAIN_SECONDS = 6.0
"""Seconds that a stopping worker keeps serving: the balancer notices within 5 s that it is not ready."""
READY_PATH = "/health/ready"


class DrainingWorker(ThreadWorker):
    """Thread worker for TCP on Linux that loses no change when it stops.

    gunicorn's own worker stops accepting at once but keeps the listening socket open until its last request is
    answered. The kernel goes on taking connections meanwhile, and resets them when the socket is closed. A balancer
    cannot send such a request to another instance, because it may have been carried out. This worker first reports
    that it is not ready, goes on serving until the balancer sends no more changes, and then closes the socket.
    """

    def init_process(self) -> None:
        """Make each connection send head and body of a page together, then serve.

        A balancer that has seen the head of a response does not ask another instance for the body. Accepted
        connections inherit both options, and closing a connection sends what is left.
        """
        for listener in self.sockets:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_PAGE_BYTES)
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and report this worker as not ready while it stops."""
        super().load_wsgi()
        application = self.wsgi

        def serve(environ: MutableMapping[str, Any], start_response: Callable[..., None]) -> Iterable[bytes]:
            if self.alive or not environ["PATH_INFO"].endswith(READY_PATH):
                return application(environ, start_response)
            start_response("503 Service Unavailable", [("Content-Type", "text/plain"), ("Content-Length", "9")])
            return [b"stopping\n"]

        self.wsgi = serve

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Start or stop accepting; a worker that stops first serves a while longer, then takes what is queued."""
        stopping = not enabled and not self.alive
        if stopping:
            self._serve_for(DRAIN_SECONDS)
        super().set_accept_enabled(enabled)
        if stopping:
            self._close_listeners()

    def _serve_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.notify()
            self.wait_for_and_dispatch_events(timeout=min(left, 1.0))

    def _close_listeners(self) -> None:
        for listener in self.sockets:
            accepted = -1
            while accepted < self.nr_conns:
                accepted = self.nr_conns
                self.accept(listener)
            listener.close()
