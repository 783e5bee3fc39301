"""Metrics of the outbox: waiting events are read from the database, delivered ones are counted in each process."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from inventory_core import Delivery, Inventory, InventoryError, outbox_status


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
