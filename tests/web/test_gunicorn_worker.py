"""The worker answers every request that it was sent, also while it stops."""

import http.client
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

APPLICATION = """
import time

def application(environ, start_response):
    time.sleep(0.02)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
CONFIGURATION = """
from inventory_web.gunicorn_worker import accept_new_connections

def child_exit(server, worker):
    accept_new_connections(server.LISTENERS)
"""
OPTIONS = ("--worker-class", "inventory_web.gunicorn_worker.DrainingWorker", "--workers", "2", "--threads", "1")
START_SECONDS = 20.0


@contextmanager
def gunicorn(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the application on a port that the system picks."""
    (folder / "served.py").write_text(APPLICATION)
    (folder / "gunicorn.conf.py").write_text(CONFIGURATION)
    command = [sys.executable, "-m", "gunicorn", *options, "--bind", "127.0.0.1:0", "served:application"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            line = next(line for line in process.stderr if "Listening at" in line)
            threading.Thread(target=process.stderr.read, daemon=True).start()
            port = int(line.split("127.0.0.1:")[1].split()[0])
            wait_until_served(port)
            yield process, port
        finally:
            process.kill()


def wait_until_served(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while request(port) != "200":
        assert time.monotonic() < until


def request(port: int) -> str:
    """Return the status, or how the request failed: ``refused`` means that nothing was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.connect()
    except OSError:
        return "refused"
    try:
        connection.request("POST", "/", b"x")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return "lost"
    finally:
        connection.close()


def send_until_stopped(port: int, process: subprocess.Popen[str], count: Counter[str]) -> None:
    while process.poll() is None:
        count[request(port)] += 1


@pytest.mark.slow
def test_draining_worker_answers_every_request_that_it_was_sent_while_it_stops(tmp_path: Path) -> None:
    statuses: Counter[str] = Counter()
    for _ in range(3):
        with gunicorn(tmp_path, *OPTIONS) as (process, port):
            clients = [threading.Thread(target=send_until_stopped, args=(port, process, statuses)) for _ in range(12)]
            for client in clients:
                client.start()
            time.sleep(0.3)
            process.terminate()
            assert process.wait(20) == 0
            for client in clients:
                client.join()

    assert statuses["200"] > 20
    assert statuses["lost"] == 0


@pytest.mark.slow
def test_draining_worker_that_stops_alone_leaves_connections_to_the_one_that_replaces_it(tmp_path: Path) -> None:
    with gunicorn(tmp_path, *OPTIONS) as (process, port):
        process.send_signal(signal.SIGHUP)
        time.sleep(1)
        wait_until_served(port)

        assert [request(port) for _ in range(20)] == ["200"] * 20
