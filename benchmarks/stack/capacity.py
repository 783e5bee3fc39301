"""How far the containers carry, computed from measured service times: a closed network of queues, without any server.

Exact mean value analysis (M. Reiser and S. S. Lavenberg, "Mean-Value Analysis of Closed Multichain Queuing Networks", Journal of
the ACM 27(2), 1980) for one class of customers. A station with several servers is taken as a queue of its demand divided by them
and a delay of the rest (A. Seidmann, P. J. Schweitzer and S. Shalev-Oren, "Computerized Closed Queueing Network Models of Flexible
Manufacturing Systems", Large Scale Systems 12, 1987). Means say nothing of rare long waits, and bursts wait longer than here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Station:
    """A place where requests wait for their turn.

    Args:
        name: For people.
        demand: Seconds of work that one request costs there in the mean, over all its visits.
        servers: How many requests are worked on at once, such as the cores of a machine.
    """

    name: str
    demand: float
    servers: int = 1

    def __post_init__(self) -> None:
        if self.demand < 0 or self.servers < 1:
            raise ValueError(f"{self.name}: {self.demand} s on {self.servers} servers is no station")


@dataclass(frozen=True, slots=True)
class Load:
    """What so many users meet.

    Args:
        users: How many.
        throughput: Requests a second.
        response: Seconds from request to answer in the mean, without the time to think.
        utilisation: Share of time in which a station's servers work, by its name.
    """

    users: int
    throughput: float
    response: float
    utilisation: dict[str, float]

    @property
    def bottleneck(self) -> str:
        """Name of the station that gives out first."""
        return max(self.utilisation, key=lambda name: self.utilisation[name])


def loads(stations: Sequence[Station], think: float) -> Iterator[Load]:
    """One user, two, and so on without end.

    Args:
        stations: At least one with a demand.
        think: Seconds in which a user looks at an answer before the next request.
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
    """What that many users meet."""
    return next(load for load in loads(stations, think) if load.users == users)


def most_users(stations: Sequence[Station], think: float, response: float, busy: float = 1.0) -> Load | None:
    """The most users of whom each is answered within ``response`` seconds in the mean, with no station busier than ``busy``.

    None: not even one is.
    """
    last = None
    for load in loads(stations, think):
        if load.response > response or max(load.utilisation.values()) > busy:
            return last
        last = load
    raise AssertionError("unreachable: loads never end")


def mixed(reading: Sequence[Station], changing: Sequence[Station], share: float) -> list[Station]:
    """Stations of a load of which a share changes something; both name the same stations in the same order.

    Args:
        reading: Demands of a request that reads.
        changing: Demands of one that changes something.
        share: Of the latter, from 0 to 1.
    """
    return [
        replace(one, demand=(1 - share) * one.demand + share * other.demand)
        for one, other in zip(reading, changing, strict=True)
    ]
