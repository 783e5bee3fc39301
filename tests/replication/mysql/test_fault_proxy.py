"""The proxy does to bytes what its faults say."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.replication.mysql.fault_proxy import Address, Ending, Fault, FaultProxy
from tests.replication.mysql.servers import eventually


@pytest.fixture
def echo() -> Iterator[Address]:
    """A server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in [accepting, *threads]:
        thread.join(10)


def connect(proxy: FaultProxy, timeout: float = 5) -> socket.socket:
    return socket.create_connection(proxy.address, timeout)


def received(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def test_a_healthy_proxy_passes_every_byte_and_counts_it(echo: Address) -> None:
    sent = bytes(range(256)) * 1000
    with FaultProxy(echo) as proxy, connect(proxy) as client:
        client.sendall(sent)
        answer = b""
        while len(answer) < len(sent):
            answer += client.recv(65536)

        assert answer == sent
        assert (proxy.bytes_to_server, proxy.bytes_to_client) == (len(sent), len(sent))


@pytest.mark.parametrize("budget", [0, 1, 7, 9])
def test_the_response_is_cut_at_exactly_the_requested_byte(echo: Address, budget: int) -> None:
    with FaultProxy(echo) as proxy, connect(proxy) as client:
        proxy.to_client = Fault(after_bytes=budget)
        client.sendall(b"0123456789")

        assert received(client) == b"0123456789"[:budget]


@pytest.mark.parametrize("budget", [0, 1, 9])
def test_the_request_is_cut_at_exactly_the_requested_byte(echo: Address, budget: int) -> None:
    with FaultProxy(echo) as proxy, connect(proxy) as client:
        proxy.to_server = Fault(after_bytes=budget)
        client.sendall(b"0123456789")

        assert len(received(client)) <= budget


def test_a_budget_counts_from_the_moment_it_is_set(echo: Address) -> None:
    with FaultProxy(echo) as proxy, connect(proxy) as client:
        client.sendall(b"before")
        assert client.recv(100) == b"before"

        proxy.to_client = Fault(after_bytes=2)
        client.sendall(b"after")

        assert received(client) == b"af"


def test_a_reset_is_an_error_and_not_an_end(echo: Address) -> None:
    with FaultProxy(echo) as proxy, connect(proxy) as client:
        proxy.to_client = Fault(after_bytes=0, ending=Ending.RESET)
        client.sendall(b"x")

        with pytest.raises(ConnectionResetError):
            client.recv(1)


@pytest.mark.parametrize("fault", [Fault(blackhole=True), Fault(after_bytes=0, ending=Ending.HALF_OPEN)])
def test_a_black_hole_takes_everything_and_answers_nothing(echo: Address, fault: Fault) -> None:
    with FaultProxy(echo) as proxy, connect(proxy, timeout=0.2) as client:
        proxy.to_client = fault
        client.sendall(b"x")

        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_proxy_that_does_not_serve_accepts_all_the_same(echo: Address) -> None:
    with FaultProxy(echo) as proxy:
        proxy.accepting = False
        with connect(proxy, timeout=0.2) as client, pytest.raises(TimeoutError):
            client.recv(1)

        assert proxy.bytes_to_server == 0


def test_slow_bytes_come_one_by_one(echo: Address) -> None:
    with FaultProxy(echo) as proxy, connect(proxy) as client:
        proxy.to_client = Fault(bytes_per_second=50)
        client.sendall(b"0123456789")

        assert len(client.recv(10)) < 10


def test_faults_end_with_their_block(echo: Address) -> None:
    with FaultProxy(echo) as proxy, connect(proxy) as client:
        with proxy.faulty(to_client=Fault(blackhole=True)):
            client.sendall(b"lost")
            eventually("the echo is swallowed", lambda: proxy.bytes_to_client == len(b"lost"))
        client.sendall(b"kept")

        assert client.recv(100) == b"kept"


def test_cutting_ends_the_connections_that_are_open(echo: Address) -> None:
    with FaultProxy(echo) as proxy, connect(proxy) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"

        proxy.cut()

        assert client.recv(1) == b""


def test_an_upstream_that_refuses_resets_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = unused.getsockname()
    # The reset may be there before the client has finished to connect.
    with FaultProxy(address) as proxy, pytest.raises(ConnectionResetError), connect(proxy) as client:
        client.recv(1)
