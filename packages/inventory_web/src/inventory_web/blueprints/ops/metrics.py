"""Metrics for Prometheus: one registry per application, shared by the worker processes of an instance."""

import ipaddress
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from flask import Blueprint, Response, abort, g, request
from flask.blueprints import BlueprintSetupState
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    generate_latest,
    multiprocess,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from werkzeug.exceptions import Forbidden

from inventory_core import Delivery, Inventory, InventoryError, outbox_status
from inventory_web import context
from inventory_web.audit.log import Event
from inventory_web.auth.access_control import audit_refused_request
from inventory_web.db.replicas import replicated_metrics
from inventory_web.http.error_pages import http_error
from inventory_web.jobs import outbox_relay
from inventory_web.roles import public
from inventory_web.settings import LOCAL_NETWORKS, Settings

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
WRITE_INTERVAL_SECONDS = 2.0
SUMMED_TYPES = frozenset({"counter", "histogram"})
SUMMED_GAUGES = frozenset({"inventory_replication_in_flight"})

RenderText = Callable[[], str]


def metrics_folder() -> Path | None:
    """Return the folder that the processes of this instance share, or None if there is one process."""
    name = os.environ.get(FOLDER_VARIABLE)
    return Path(name) if name else None


def scrape_registry(own: CollectorRegistry, render: RenderText) -> CollectorRegistry:
    """Return a registry that collects what every process of the instance has counted.

    Args:
        own: The registry of this process.
        render: Returns the metrics of the replicated servers as text, empty if there is one database.
    """
    registry = CollectorRegistry()
    if metrics_folder() is None:
        registry.register(own)
    else:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(ReplicationCollector(render))
    return registry


class ReplicationCollector(Collector):
    """The replication metrics of this process, with the counters of the others added."""

    def __init__(self, render: RenderText) -> None:
        self._render = render

    def collect(self) -> Iterator[Metric]:
        """Yield each metric once.

        Counters and histograms are sums over all processes, ended ones included, so that they never go down. Gauges
        describe the servers as this process sees them.
        """
        others: list[str] = []
        folder = metrics_folder()
        if folder is not None:
            own = snapshot_file(folder, os.getpid())
            for file in sorted(folder.glob("replication_*.prom")):
                if file != own:
                    with suppress(OSError):
                        others.append(file.read_text("utf-8"))
        yield from merge_metrics(self._render(), others)

    def describe(self) -> Sequence[Metric]:
        """Return nothing: the names are known only once the servers have been probed."""
        return ()


def merge_metrics(own: str, others: Iterable[str]) -> list[Metric]:
    """Add the counters, histograms and running units of other processes to the metrics of this one."""
    merged = {metric.name: metric for metric in text_string_to_metric_families(own)}
    for text in others:
        for metric in text_string_to_metric_families(text):
            if metric.type in SUMMED_TYPES or metric.name in SUMMED_GAUGES:
                known = merged.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                _add_samples(known, metric)
    return list(merged.values())


def _add_samples(total: Metric, addend: Metric) -> None:
    positions = {(sample.name, *sorted(sample.labels.items())): index for index, sample in enumerate(total.samples)}
    for sample in addend.samples:
        index = positions.get((sample.name, *sorted(sample.labels.items())))
        if index is None:
            total.samples.append(sample)
        else:
            before = total.samples[index]
            total.samples[index] = before._replace(value=before.value + sample.value)


def snapshot_file(folder: Path, process: int) -> Path:
    """Return where a process writes its replication metrics."""
    return folder / f"replication_{process}.prom"


def write_snapshot(folder: Path, text: str) -> None:
    """Replace the replication metrics of this process in the shared folder."""
    file = snapshot_file(folder, os.getpid())
    draft = file.with_suffix(".draft")
    draft.write_text(text, "utf-8")
    draft.replace(file)


def start_writing(render: RenderText) -> None:
    """Write the replication metrics of this process every 2 seconds until it ends.

    Does nothing if there is one process or one database. A full disk only makes the numbers of this process older.
    """
    folder = metrics_folder()
    if folder is None or not render():
        return

    def write_periodically(folder: Path) -> None:
        pause = threading.Event()
        while not pause.wait(WRITE_INTERVAL_SECONDS):
            with suppress(OSError):
                write_snapshot(folder, render())

    threading.Thread(target=write_periodically, args=(folder,), name="metrics-writer", daemon=True).start()


def clear_folder() -> None:
    """Remove the files of an earlier run from the shared folder; call it before the first worker starts."""
    folder = metrics_folder()
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for file in (*folder.glob("*.db"), *folder.glob("replication_*")):
        file.unlink(missing_ok=True)


def forget_process(process: int) -> None:
    """Drop the gauges of an ended worker; its counters stay."""
    if metrics_folder() is not None:
        multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]


class OutboxCounters:
    """Counters of one process, in the application's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._delivered = Counter("inventory_outbox_delivered", "Events that every plugin has taken", registry=registry)
        self._failed = Counter("inventory_outbox_failed", "Attempts to deliver an event that failed", registry=registry)

    def count(self, delivery: Delivery) -> None:
        """Add one batch."""
        self._delivered.inc(delivery.delivered)
        self._failed.inc(delivery.failed + delivery.dead)


class OutboxCollector(Collector):
    """Gauges that are the same in every process and instance; omitted while the database cannot be read."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def collect(self) -> Iterator[Metric]:
        """Yield the number of waiting events, the age of the oldest one and the number of dead letters."""
        try:
            status = outbox_status(self._inventory)
        except InventoryError:
            return
        yield GaugeMetricFamily("inventory_outbox_waiting", "Events that are not delivered yet", status.waiting)
        yield GaugeMetricFamily(
            "inventory_outbox_oldest_age_seconds",
            "Age of the oldest event that is not delivered yet, 0 if there is none",
            status.oldest_age_seconds,
        )
        yield GaugeMetricFamily(
            "inventory_outbox_dead_letters", "Events that were given up; see inventory outbox list", status.dead_letters
        )

    def describe(self) -> Sequence[Metric]:
        """Return nothing, so that registering reads no database."""
        return ()


METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
"""Methods with their own label: a client may send any word, and each label is a series in memory."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


def add_routes(blueprint: Blueprint, settings: Settings) -> None:
    """Count every request of the application, and serve ``/metrics`` to allowed clients."""
    registry = CollectorRegistry()
    requests = Counter(
        "inventory_requests", "Answers by endpoint and status", ("endpoint", "method", "status"), registry=registry
    )
    seconds = Histogram(
        "inventory_request_seconds", "Time to answer, by endpoint", ("endpoint",), registry=registry, buckets=BUCKETS
    )

    outbox = OutboxCounters(registry)

    def count(response: Response) -> Response:
        endpoint = request.endpoint or "unknown"
        method = request.method if request.method in METHODS else "other"
        requests.labels(endpoint, method, response.status_code).inc()
        seconds.labels(endpoint).observe(time.perf_counter() - g.began)
        return response

    @public
    def metrics() -> Response:
        if not may_read(settings):
            abort(403)
        inventory = context.current_inventory()
        collected = scrape_registry(registry, lambda: replicated_metrics(inventory.sessions))
        collected.register(OutboxCollector(inventory))
        return Response(generate_latest(collected), content_type=CONTENT_TYPE_LATEST)

    def watch(state: BlueprintSetupState) -> None:
        state.app.after_request(count)
        outbox_relay.get_relay(state.app).observe(outbox.count)

    def refuse(error: Forbidden) -> Response:
        audit_refused_request(Event.METRICS_DENIED)
        return http_error(error)

    blueprint.record_once(watch)
    blueprint.register_error_handler(Forbidden, refuse)
    blueprint.add_url_rule("/metrics", view_func=metrics)


def may_read(settings: Settings) -> bool:
    """Return whether the client of this request is in ``INVENTORY_METRICS_ALLOW``.

    A forwarded request has the address that a trusted proxy reported, and never counts as local.
    """
    forwarded = "X-Forwarded-For" in request.headers
    if forwarded and not settings.proxies:
        return False
    try:
        client = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped:
        client = client.ipv4_mapped
    for word in settings.metrics_allow:
        if word == LOCAL_NETWORKS:
            if not forwarded and (client.is_loopback or client.is_private):
                return True
        elif client in ipaddress.ip_network(word):
            return True
    return False
