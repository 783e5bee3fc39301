"""The capacity of the containers, computed from measured service times: a closed queueing network, without any server.

Exact mean value analysis (M. Reiser and S. S. Lavenberg, "Mean-Value Analysis of Closed Multichain Queuing Networks", Journal of
the ACM 27(2), 1980) for one class of customers. A station with several servers is taken as a queue of its demand divided by them
and a delay of the rest (A. Seidmann, P. J. Schweitzer and S. Shalev-Oren, "Computerized Closed Queueing Network Models of Flexible
Manufacturing Systems", Large Scale Systems 12, 1987). Means do not show rare long waits, and bursts wait longer than here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Station:
    """A station where requests queue.

    Args:
        name: The name in reports.
        demand: Mean seconds of work per request, over all its visits.
        servers: The number of requests that are processed in parallel, such as the cores of a machine.
    """

    name: str
    demand: float
    servers: int = 1

    def __post_init__(self) -> None:
        if self.demand < 0 or self.servers < 1:
            raise ValueError(f"{self.name}: {self.demand} s on {self.servers} servers is no station")


@dataclass(frozen=True, slots=True)
class Load:
    """The load at a number of users.

    Args:
        users: The number of users.
        throughput: Requests per second.
        response: Mean seconds from request to response, without think time.
        utilisation: Share of time in which a station's servers work, by name.
    """

    users: int
    throughput: float
    response: float
    utilisation: dict[str, float]

    @property
    def bottleneck(self) -> str:
        """Return the name of the bottleneck."""
        return max(self.utilisation, key=lambda name: self.utilisation[name])


def loads(stations: Sequence[Station], think: float) -> Iterator[Load]:
    """Yield the load of one user, of two, and so on without end.

    Args:
        stations: At least one with a demand.
        think: Seconds between a response and the next request.
    """
    if not any(station.demand for station in stations):
        raise ValueError("a network without any work carries any load")
    queueing = [station.demand / station.servers for station in stations]
    delay = sum(station.demand * (station.servers - 1) / station.servers for station in stations)
    waiting = [0.0] * len(stations)
    users = 0
    while True:
        users += 1
        residence = [demand * (1 + queue) for demand, queue in zip(queueing, waiting, strict=True)]
        response = sum(residence) + delay
        throughput = users / (think + response)
        waiting = [throughput * each for each in residence]
        utilisation = {station.name: throughput * demand for station, demand in zip(stations, queueing, strict=True)}
        yield Load(users, throughput, response, utilisation)


def load_of(stations: Sequence[Station], think: float, users: int) -> Load:
    """Return the load at this number of users."""
    return next(load for load in loads(stations, think) if load.users == users)


def most_users(stations: Sequence[Station], think: float, response: float, busy: float = 1.0) -> Load | None:
    """Return the maximum number of users with a mean response of at most ``response`` seconds and no station busier than ``busy``.

    None: not even one user.
    """
    last = None
    for load in loads(stations, think):
        if load.response > response or max(load.utilisation.values()) > busy:
            return last
        last = load
    raise AssertionError("unreachable: loads never end")


def mixed(reading: Sequence[Station], changing: Sequence[Station], share: float) -> list[Station]:
    """Return the stations of a mixed load; both name the same stations in the same order.

    Args:
        reading: Demands of a reading request.
        changing: Demands of a changing request.
        share: Of the latter, from 0 to 1.
    """
    return [
        replace(one, demand=(1 - share) * one.demand + share * other.demand)
        for one, other in zip(reading, changing, strict=True)
    ]
