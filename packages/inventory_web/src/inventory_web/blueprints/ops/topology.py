"""What is known about the system at this moment, from the settings, the request and the status of the servers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from inventory_web.db.replicated import ClusterStatus

MOST_INSTANCES = 9
SILENT_SECONDS = 20
"""So long after its last answer an instance counts as silent; the page asks every few seconds."""
_SEEN = re.compile(r"([\w.-]{1,60})~(\d{1,6})", re.ASCII)


class Balancer(StrEnum):
    """What lies between the browser and this instance."""

    DECLARED = "declared"
    """The settings tell of a proxy."""
    UNDECLARED = "undeclared"
    """The request came through one, of which the settings know nothing."""
    NONE = "none"


class Health(StrEnum):
    """How well a part does what it is for."""

    WELL = "well"
    LIMITED = "limited"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Instance:
    """A process that makes pages. ``seconds``: how long ago it answered this browser; ``here``: it made this page."""

    name: str
    seconds: int
    here: bool = False

    @property
    def health(self) -> Health:
        """Whether it has answered lately."""
        return Health.WELL if self.seconds < SILENT_SECONDS else Health.NOT


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A server as this instance sees it. ``staleness_seconds`` None: nothing is known; ``here``: it served this page."""

    name: str
    state: str
    staleness_seconds: float | None
    here: bool

    @property
    def health(self) -> Health:
        """Whether it serves as it should, with limits, or not at all."""
        if self.state in ("source", "replica", "single"):
            return Health.WELL
        return Health.LIMITED if self.state in ("stalled", "draining") else Health.NOT


@dataclass(frozen=True, slots=True)
class System:
    """The whole. ``mode``: that of the cluster, or ``single`` where there is one database."""

    balancer: Balancer
    instances: tuple[Instance, ...]
    servers: tuple[DatabaseServer, ...]
    mode: str


def balancer(proxies: int, *, forwarded: bool) -> Balancer:
    """Judge by the number of proxies in the settings, and by whether the request names one."""
    if proxies:
        return Balancer.DECLARED
    return Balancer.UNDECLARED if forwarded else Balancer.NONE


def instances(here: str, seen: str) -> tuple[Instance, ...]:
    """This instance and those that the browser has ``seen``: ``name~seconds`` with commas between; what is not so is left out."""
    ages: dict[str, int] = {}
    for text in seen[:2_000].split(","):
        if (found := _SEEN.fullmatch(text)) and found[1] != here:
            ages[found[1]] = min(int(found[2]), ages.get(found[1], 10**6))
    others = [Instance(name, seconds) for name, seconds in ages.items()][: MOST_INSTANCES - 1]
    return tuple(sorted([Instance(here, 0, here=True), *others], key=lambda instance: instance.name))


def servers(status: ClusterStatus, served: Iterable[str]) -> tuple[DatabaseServer, ...]:
    """The source first, then the others in the order of the settings; those in ``served`` have served this page."""
    here = frozenset(served)
    found = [
        DatabaseServer(each.name, each.state, each.staleness_seconds, each.name in here) for each in status.servers
    ]
    return tuple(sorted(found, key=lambda server: server.name != status.source))
