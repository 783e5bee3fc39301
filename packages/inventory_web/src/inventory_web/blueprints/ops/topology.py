"""The present state of the system, from the settings, the request and the status of the servers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from inventory_web.db.replicated import ClusterStatus

MOST_INSTANCES = 9
POLL_SECONDS = 2
"""The time between two polls of the page. The balancer sends each to some instance, so that all appear soon."""
SILENT_SECONDS = 20
"""Time without a response after which an instance counts as silent: about ten polls."""
_SEEN = re.compile(r"([\w.-]{1,60})~(\d{1,6})", re.ASCII)


class Balancer(StrEnum):
    """The balancer between the browser and this instance."""

    DECLARED = "declared"
    """The settings name a proxy."""
    UNDECLARED = "undeclared"
    """The request came through a proxy that the settings do not name."""
    NONE = "none"


class Health(StrEnum):
    """The health of a part."""

    WELL = "well"
    LIMITED = "limited"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Instance:
    """A process that serves pages. ``seconds``: time since its last response to this browser; ``here``: it served this page."""

    name: str
    seconds: int
    here: bool = False

    @property
    def health(self) -> Health:
        """Return whether it has responded recently."""
        return Health.WELL if self.seconds < SILENT_SECONDS else Health.NOT


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A server as this instance sees it. ``staleness_seconds`` None: unknown; ``here``: it served this page."""

    name: str
    state: str
    staleness_seconds: float | None
    here: bool

    @property
    def health(self) -> Health:
        """Return whether it serves fully, with limits, or not at all."""
        if self.state in ("source", "replica", "single"):
            return Health.WELL
        return Health.LIMITED if self.state in ("stalled", "draining") else Health.NOT


@dataclass(frozen=True, slots=True)
class System:
    """The whole topology. ``mode``: that of the cluster, or ``single`` with one database."""

    balancer: Balancer
    instances: tuple[Instance, ...]
    servers: tuple[DatabaseServer, ...]
    mode: str
    poll_seconds: int = POLL_SECONDS

    @property
    def seen_later(self) -> str:
        """Return the instances as the next poll reports them: see ``instances``."""
        return ",".join(f"{each.name}~{each.seconds + self.poll_seconds}" for each in self.instances)


def balancer(proxies: int, *, forwarded: bool) -> Balancer:
    """Detect a proxy from the settings, and from the headers of the request."""
    if proxies:
        return Balancer.DECLARED
    return Balancer.UNDECLARED if forwarded else Balancer.NONE


def instances(here: str, seen: str) -> tuple[Instance, ...]:
    """Return this instance and those that the browser has ``seen``: ``name~seconds``, separated by commas; skip invalid parts."""
    ages: dict[str, int] = {}
    for text in seen[:2_000].split(","):
        if (found := _SEEN.fullmatch(text)) and found[1] != here:
            ages[found[1]] = min(int(found[2]), ages.get(found[1], 10**6))
    others = [Instance(name, seconds) for name, seconds in ages.items()][: MOST_INSTANCES - 1]
    return tuple(sorted([Instance(here, 0, here=True), *others], key=lambda instance: instance.name))


def servers(status: ClusterStatus, served: Iterable[str]) -> tuple[DatabaseServer, ...]:
    """Return the source first, then the others in the order of the settings; those in ``served`` have served this page."""
    here = frozenset(served)
    found = [
        DatabaseServer(each.name, each.state, each.staleness_seconds, each.name in here) for each in status.servers
    ]
    return tuple(sorted(found, key=lambda server: server.name != status.source))
