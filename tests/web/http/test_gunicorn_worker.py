"""The worker answers every request that it was sent, also while it stops."""

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

APPLICATION = """
import time

def application(environ, start_response):
    time.sleep(1.0 if environ["PATH_INFO"] == "/slow" else 0.0)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
CONFIGURATION = """
from inventory_web.http import gunicorn_worker

gunicorn_worker.DRAIN_SECONDS = 1.0
worker_class = gunicorn_worker.DrainingWorker
"""
WAIT_SECONDS = 20.0


@contextmanager
def gunicorn(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the application on a port that the system picks."""
    (folder / "served.py").write_text(APPLICATION)
    (folder / "gunicorn.conf.py").write_text(CONFIGURATION)
    command = [sys.executable, "-m", "gunicorn", "--threads", "4", "--bind", "127.0.0.1:0", "served:application"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            line = next(line for line in process.stderr if "Listening at" in line)
            threading.Thread(target=process.stderr.read, daemon=True).start()
            port = int(line.split("127.0.0.1:")[1].split()[0])
            wait_for(port, "/", "200")
            yield process, port
        finally:
            process.kill()


def wait_for(port: int, path: str, wanted: str) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while (found := request(port, path)) != wanted:
        assert time.monotonic() < until, found


def request(port: int, path: str) -> str:
    """Return the status, or how the request failed: ``refused`` means that nothing was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.connect()
    except OSError:
        return "refused"
    try:
        connection.request("POST", path, b"x")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return "lost"
    finally:
        connection.close()


@pytest.mark.slow
def test_draining_worker_serves_while_it_stops_and_reports_that_it_is_not_ready(tmp_path: Path) -> None:
    with gunicorn(tmp_path) as (process, port), ThreadPoolExecutor(1) as pool:
        assert request(port, "/health/ready") == "200"
        under_way = pool.submit(request, port, "/slow")
        process.terminate()
        wait_for(port, "/health/ready", "503")
        statuses = [request(port, "/") for _ in range(10)]

        assert statuses == ["200"] * 10
        assert under_way.result() == "200"
        assert process.wait(WAIT_SECONDS) == 0
        assert request(port, "/") == "refused"
