"""A TCP proxy of the tests' own that misbehaves byte by byte."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from types import TracebackType
from typing import Self

Address = tuple[str, int]
CHUNK = 64 * 1024


class Ending(Enum):
    """How a connection ends once its byte budget is used up."""

    CLOSE = "close"
    RESET = "reset"
    HALF_OPEN = "half-open"
    """Nothing is closed: the peer simply hears no more."""


@dataclass(frozen=True)
class Fault:
    """What is done to the bytes of one direction of one connection; the default does nothing.

    ``delay`` is added to each chunk in seconds; ``bytes_per_second`` drips; ``after_bytes`` lets so many bytes through and then
    ends the connection by ``ending``; ``blackhole`` reads and drops.
    """

    delay: float = 0.0
    bytes_per_second: float | None = None
    after_bytes: int | None = None
    ending: Ending = Ending.CLOSE
    blackhole: bool = False


HEALTHY = Fault()


class FaultProxy:
    """Listens on a loopback port that the system picks and passes each connection on to ``upstream``.

    Faults may be changed while connections are open: they hold from the next chunk on, and byte budgets count from the change.
    ``upstream`` may be changed too, for new connections. With ``accepting`` off, new connections are accepted and never answered.
    Use it as a context manager; leaving it closes everything.
    """

    def __init__(self, upstream: Address) -> None:
        self.upstream = upstream
        self.to_server = HEALTHY
        self.to_client = HEALTHY
        self.accepting = True
        self.bytes_to_server = 0
        self.bytes_to_client = 0
        self.chunks_to_server: list[bytes] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: Address = self._listener.getsockname()
        self._start(self._accept)

    @property
    def port(self) -> int:
        return self.address[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a thread of the proxy did not end"

    def cut(self, ending: Ending = Ending.CLOSE) -> None:
        """End every open connection now."""
        with self._lock:
            sockets = tuple(self._sockets)
        for each in sockets:
            self._end(each, ending)

    @contextlib.contextmanager
    def faulty(self, *, to_server: Fault = HEALTHY, to_client: Fault = HEALTHY) -> Iterator[None]:
        """Hold the given faults for the time of a block."""
        before = self.to_server, self.to_client
        self.to_server, self.to_client = to_server, to_client
        try:
            yield
        finally:
            self.to_server, self.to_client = before

    @contextlib.contextmanager
    def counting(self) -> Iterator[Callable[[], int]]:
        """Give the number of chunks that clients sent since the block began; an unhurried client sends one per round trip."""
        with self._lock:
            before = len(self.chunks_to_server)
        yield lambda: len(self.chunks_to_server) - before

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name=f"fault-proxy-{self.port}", daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._keep(client)
            self.connections += 1
            if self.accepting:
                self._start(self._connect, client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self.upstream, timeout=5)
        except OSError:
            self._end(client, Ending.RESET)
            return
        server.settimeout(None)
        self._keep(server)
        for each in (client, server):
            with contextlib.suppress(OSError):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._start(self._pump, client, server, True)
        self._pump(server, client, False)

    def _pump(self, reader: socket.socket, writer: socket.socket, upward: bool) -> None:
        fault, passed = None, 0
        try:
            while data := reader.recv(CHUNK):
                current = self.to_server if upward else self.to_client
                if current is not fault:
                    fault, passed = current, 0
                self._count(data, upward)
                kept, ended = _apply_budget(fault, data, passed)
                passed += len(kept)
                if kept and not fault.blackhole:
                    _send(writer, kept, fault)
                if ended and fault.ending is Ending.HALF_OPEN:
                    fault = replace(fault, blackhole=True)
                elif ended:
                    self._end(writer, fault.ending)
                    self._end(reader, fault.ending)
                    return
        except OSError:
            pass
        self._end(writer, Ending.CLOSE)
        self._end(reader, Ending.CLOSE)

    def _count(self, data: bytes, upward: bool) -> None:
        with self._lock:
            if upward:
                self.bytes_to_server += len(data)
                self.chunks_to_server.append(data)
            else:
                self.bytes_to_client += len(data)

    def _keep(self, each: socket.socket) -> None:
        with self._lock:
            self._sockets.add(each)

    def _end(self, each: socket.socket, ending: Ending) -> None:
        with self._lock:
            if each not in self._sockets:
                return
            self._sockets.discard(each)
        if ending is Ending.RESET:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Wakes the thread that reads it: the kernel resets when the last user lets go.
                each.shutdown(socket.SHUT_RD)
        else:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        each.close()


def _apply_budget(fault: Fault, data: bytes, passed: int) -> tuple[bytes, bool]:
    if fault.after_bytes is None or passed + len(data) < fault.after_bytes:
        return data, False
    return data[: max(0, fault.after_bytes - passed)], True


def _send(writer: socket.socket, data: bytes, fault: Fault) -> None:
    if fault.delay:
        time.sleep(fault.delay)
    if fault.bytes_per_second is None:
        writer.sendall(data)
        return
    for position in range(len(data)):
        writer.sendall(data[position : position + 1])
        time.sleep(1 / fault.bytes_per_second)
