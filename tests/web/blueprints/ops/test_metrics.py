"""Metrics: bounded labels, and one answer for all worker processes of an instance."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from inventory_core import (
    Inventory,
    SingleDatabase,
    StockChanged,
    build_plugin_manager,
    hookimpl,
    outbox_status,
)
from inventory_core.testing import create_product
from inventory_web.blueprints.ops.metrics import ReplicationCollector, merge_metrics, write_snapshot
from tests.web.browser import Browser
from tests.web.jobs.serving import eventually
from tests.web.noting_plugin import install_noting_plugin

DELIVERED = re.compile(r"^inventory_outbox_delivered_total ([\d.]+)$", re.MULTILINE)
ROOT = Path(__file__).resolve().parents[4]
CONFIGURATION = ROOT / "deploy" / "gunicorn.conf.py"
REQUESTS = re.compile(r'inventory_requests_total\{endpoint="status.live",method="GET",status="200"\} ([\d.]+)')

TEXT = """\
# HELP inventory_replication_units_total Decisions
# TYPE inventory_replication_units_total counter
inventory_replication_units_total{{role="reader",server="db",reason="token"}} {units}
# HELP inventory_replication_mode 1 for the current mode
# TYPE inventory_replication_mode gauge
inventory_replication_mode{{mode="normal"}} {normal}
# HELP inventory_replication_in_flight Units of work that are running
# TYPE inventory_replication_in_flight gauge
inventory_replication_in_flight{{server="db"}} {running}
# HELP inventory_replication_causal_wait_seconds How long readers waited
# TYPE inventory_replication_causal_wait_seconds histogram
inventory_replication_causal_wait_seconds_bucket{{server="db",le="+Inf"}} {units}
inventory_replication_causal_wait_seconds_sum{{server="db"}} 0.5
inventory_replication_causal_wait_seconds_count{{server="db"}} {units}
"""


def test_metrics_count_methods_of_a_fixed_set_alone(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    browser = Browser(app, address="127.0.0.1")
    for number in range(50):
        browser.client.open("/health", method=f"WORD{number}")
    reported = browser.get("/metrics").text

    methods = set(re.findall(r'inventory_requests_total\{[^}]*method="([^"]+)"', reported))
    assert methods == {"other"}


def test_metrics_of_replication_are_summed_over_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    write_snapshot(tmp_path, TEXT.format(units=99, normal=1, running=9))  # this process, older than what it renders now
    (tmp_path / "replication_1.prom").write_text(TEXT.format(units=5, normal=0, running=2), "utf-8")

    merged = ReplicationCollector(lambda: TEXT.format(units=3, normal=1, running=1)).collect()
    values = {sample.name: sample.value for metric in merged for sample in metric.samples}

    assert values == {
        "inventory_replication_units_total": 8,
        "inventory_replication_mode": 1,
        "inventory_replication_in_flight": 3,
        "inventory_replication_causal_wait_seconds_bucket": 8,
        "inventory_replication_causal_wait_seconds_sum": 1.0,
        "inventory_replication_causal_wait_seconds_count": 8,
    }


def test_metrics_of_a_server_that_only_another_process_has_used_are_kept() -> None:
    other = TEXT.format(units=5, normal=0, running=2).replace('"db"', '"db-replica"')
    merged = merge_metrics(TEXT.format(units=3, normal=1, running=1), [other])
    units = next(metric for metric in merged if metric.name == "inventory_replication_units")

    assert {sample.labels["server"]: sample.value for sample in units.samples} == {"db": 3, "db-replica": 5}


@pytest.mark.slow
def test_metrics_of_two_workers_are_one_answer_whichever_is_scraped(tmp_path: Path) -> None:
    with two_workers(tmp_path) as get:
        for _ in range(30):
            assert get("/health/live")[0] == 200
        scraped = [REQUESTS.findall(get("/metrics")[1]) for _ in range(12)]

    assert scraped == [["30.0"]] * 12


@pytest.mark.slow
def test_outbox_events_are_shared_by_two_workers_and_counted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = install_noting_plugin(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    with two_workers(tmp_path) as get:
        assert get("/health/live")[0] == 200
        sessions = SingleDatabase.from_file(tmp_path / "inventory.db")
        reported = Inventory(sessions, build_plugin_manager([Listens()]))
        codes = sorted(create_product(reported, f"P-{number:02}", quantity=1).code for number in range(40))
        eventually("the workers deliver", lambda: outbox_status(reported).waiting == 0)
        sessions.close()
        eventually("every delivery is counted", lambda: DELIVERED.findall(get("/metrics")[1]) == ["40.0"])

    assert sorted(noted.read_text("utf-8").split()) == codes


class Listens:
    """Makes the library store events."""

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        raise AssertionError(event)


@contextmanager
def two_workers(folder: Path) -> Iterator[Callable[[str], tuple[int, str]]]:
    """Serve with the shipped configuration and two processes on a port that the system chooses."""
    environment = os.environ | {
        "INVENTORY_DATABASE_URL": f"sqlite:///{folder / 'inventory.db'}",
        "INVENTORY_SECRET_KEY": "k" * 40,
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "WEB_CONCURRENCY": "2",
    }
    subprocess.run(
        [sys.executable, "-m", "inventory_web", "migrate"], env=environment, check=True, capture_output=True, timeout=60
    )
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log").open("wb") as log:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config", str(CONFIGURATION)),
                *(f"--bind=fd://{listener.fileno()}", "inventory_web.wsgi:application()"),
            ],
            env=environment,
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )

        def get(path: str) -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            finally:
                connection.close()

        try:
            # The listener is open from the start: the first request waits until a worker takes it.
            yield get
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
