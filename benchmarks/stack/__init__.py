"""The shipped containers as a whole: pages through the balancer, drills under load, and how far they carry."""

from collections.abc import Iterator

from benchmarks.measuring import Comparison, Table
from benchmarks.stack import carrying, drills, serving
from benchmarks.stack.stand import containers


def measure() -> Iterator[Table | Comparison]:
    """Start the containers, give every table, and remove them; it takes about eight minutes on two quiet cores."""
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
    """What the figures depend on, beside the machine and Python."""
    return {"Images": "mysql:9.7, nginx:1.30, and that of `deploy/Dockerfile`"}
