"""The tables of the capacity page: the model with measured input, compared with measurements, and extrapolated."""

import os
from collections.abc import Mapping

from benchmarks.measuring import Comparison
from benchmarks.stack.capacity import Load, Station, load_of, mixed, most_users
from benchmarks.stack.serving import Costs, stations

THINK_SECONDS = 10.0
RESPONSE_SECONDS = 0.3
BUSY = 0.7
CHANGING_SHARE = 0.1
TURNS = {"web1": 3 / 6, "web2": 2 / 6, "web3": 1 / 6}
PROCESSES = 2
"""Per instance (`WEB_CONCURRENCY`); each uses one core at a time."""


def against_measurement(found: Costs) -> Comparison:
    """Compare the model with the measured pages; the customers run on the same machine."""
    cores = os.cpu_count() or 1
    network = [Station("the machine's cores", sum(found.reading.values()), cores)]
    rows = []
    for customers, measured in sorted(found.measured.items()):
        modelled = load_of(network, 0.0, customers).throughput
        rows.append((str(customers), f"{measured:.0f}", f"{modelled:.0f}", f"{100 * (modelled / measured - 1):+.0f} %"))
    return Comparison(
        "The model against the measurement",
        "Pages per second: measured, and predicted by the model of `benchmarks/stack/capacity.py` from the costs above, which "
        "were measured with the most clients. The model covers processors only. With few clients, disk and network waits make "
        "reality slower.",
        ("customers", "measured", "model", "difference"),
        tuple(rows),
    )


def reach(found: Costs) -> Comparison:
    """Compute how many users the same containers serve on other machines."""
    rows = [_row(what, reading, changing) for what, (reading, changing) in _shapes(found).items()]
    return Comparison(
        "How far it carries",
        f"According to the model: the maximum number of users if each sends a request every {THINK_SECONDS:.0f} s, one in ten of "
        f"them changes a quantity, the mean response time is at most {RESPONSE_SECONDS:g} s, and nothing is busy for more than "
        f"{100 * BUSY:.0f} % of the time. Cores are assumed to be like those of the measured machine.",
        ("machines", "people", "requests a second", "changes a second", "bottleneck"),
        tuple(rows),
    )


def _shapes(found: Costs) -> Mapping[str, tuple[list[Station], list[Station]]]:
    both = (found.reading, found.changing)
    one = {f"one of {cores} cores": [stations(each, cores) for each in both] for cores in (2, 4, 8)}
    several = {
        f"six of {cores} cores: balancer, three instances, source, replica": [_apart(each, cores) for each in both]
        for cores in (2, 4)
    }
    return {what: (reading, changing) for what, (reading, changing) in (one | several).items()}


def _apart(each: Mapping[str, float], cores: int) -> list[Station]:
    working = min(cores, PROCESSES)
    return [
        Station("balancer", each["balancer"], cores),
        *(Station(name, each["instances"] * turn, working) for name, turn in TURNS.items()),
        Station("source", each["source"], cores),
        Station("replica", each["replica"], cores),
    ]


def _row(what: str, reading: list[Station], changing: list[Station]) -> tuple[str, ...]:
    most = most_users(mixed(reading, changing, CHANGING_SHARE), THINK_SECONDS, RESPONSE_SECONDS, BUSY)
    return (what, *_cells(most))


def _cells(most: Load | None) -> tuple[str, ...]:
    if most is None:
        return "none", "", "", ""
    changes = most.throughput * CHANGING_SHARE
    return f"{most.users:,}", f"{most.throughput:.0f}", f"{changes:.1f}", most.bottleneck
