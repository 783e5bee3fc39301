"""Metrics of all worker processes of an instance, whichever of them answers the scrape.

``prometheus_client`` shares its own counters through files (its multiprocess mode, chosen by ``PROMETHEUS_MULTIPROC_DIR``).
The replication library counts in each process and renders text, so each process writes that text to a file in the same folder.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, multiprocess
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

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
