"""The shipped containers as a whole: pages through the balancer, drills under load, and capacity."""

from collections.abc import Iterator

from benchmarks.measuring import Comparison, Table
from benchmarks.stack import carrying, drills, serving
from benchmarks.stack.stand import containers


def measure() -> Iterator[Table | Comparison]:
    """Start the containers, yield every table, and remove them; takes about eight minutes on two idle cores."""
    with containers() as stand:
        yield serving.idle(stand)
        yield serving.pages(stand)
        yield serving.shares(stand)
        found = serving.costs(stand)
        yield serving.what_it_costs(found)
        yield drills.drills(stand)
    yield carrying.against_measurement(found)
    yield carrying.reach(found)


def versions() -> dict[str, str]:
    """Return the versions that affect the figures, apart from the machine and Python."""
    return {"Images": "mysql:9.7, nginx:1.30, and that of `deploy/Dockerfile`"}
