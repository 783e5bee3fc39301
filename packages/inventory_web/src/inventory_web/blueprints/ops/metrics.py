"""Metrics for Prometheus: one registry per application, shared by the worker processes of an instance."""

import ipaddress
import time

from flask import Blueprint, Response, abort, g, request
from flask.blueprints import BlueprintSetupState
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from werkzeug.exceptions import Forbidden

from inventory_web import context
from inventory_web.audit.log import Event
from inventory_web.auth.access_control import audit_refusal
from inventory_web.blueprints.ops.outbox_metrics import OutboxCollector, OutboxCounters
from inventory_web.blueprints.ops.process_metrics import scrape_registry
from inventory_web.db.replicated import replicated_metrics
from inventory_web.http.error_pages import http_error
from inventory_web.jobs import outbox_relay
from inventory_web.roles import public
from inventory_web.settings import LOCAL_NETWORKS, Settings

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
        audit_refusal(Event.METRICS_DENIED)
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
