"""The worker with which gunicorn serves behind a balancer."""

import contextlib
import ctypes
import socket
import struct
import time
from collections.abc import Iterable

from gunicorn.workers.gthread import ThreadWorker

MAX_PAGE_BYTES = 128 * 1024
HANDSHAKE_SECONDS = 0.1
"""How long a client that has begun to connect may take to finish; it is on the same network."""

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
# Classic BPF on the TCP header: load the flags, drop the packet if SYN is among them, accept any other.
_DROP_SYN = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
)


class DrainingWorker(ThreadWorker):
    """Thread worker for TCP on Linux that loses no request when it stops.

    gunicorn's own worker stops accepting at once but keeps the listening socket open until its last request is
    answered. The kernel goes on taking connections meanwhile, and resets them when the socket is closed. A balancer
    cannot send such a request to another instance, because it may have been carried out.
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

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Start or stop accepting; while the worker stops, take what is queued and close the listeners."""
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self._close_listeners()

    def _close_listeners(self) -> None:
        for listener in self.sockets:
            _ignore_new_connections(listener)
        time.sleep(HANDSHAKE_SECONDS)
        for listener in self.sockets:
            accepted = -1
            while accepted < self.nr_conns:
                accepted = self.nr_conns
                self.accept(listener)
            listener.close()


def accept_new_connections(listeners: Iterable[socket.socket]) -> None:
    """Let a worker that replaces one that has stopped get connections; for the hook ``child_exit`` of gunicorn.

    Args:
        listeners: Those of the arbiter; it has none left when all of gunicorn stops.
    """
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


def _ignore_new_connections(listener: socket.socket) -> None:
    """Make the kernel drop attempts to connect to a listening socket, for every process that shares it.

    Clients that have begun to connect can finish; those that begin now try again until their time is over.
    """
    program = ctypes.create_string_buffer(_DROP_SYN, len(_DROP_SYN))
    count = len(_DROP_SYN) // 8
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", count, ctypes.addressof(program)))
