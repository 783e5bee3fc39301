"""Statistics of one process: counters, the load of each server, and both as Prometheus text."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from time import monotonic

from inventory_replication.decisions.routing_table import ServerLoad
from inventory_replication.decisions.snapshot import Cause
from inventory_replication.status import ClusterStatus

WAIT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds, in seconds, of the histogram buckets of waits; a last bucket takes the rest."""


@dataclass(slots=True)
class Waits:
    """How long readers waited for their own change."""

    classes: list[int] = field(default_factory=lambda: [0] * (len(WAIT_BUCKETS) + 1))
    seconds: float = 0.0


@dataclass(slots=True)
class Counters:
    """Events of one process. Thread-safe; read a `copy`."""

    units: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Decisions by role, server (empty: refused) and reason."""
    repeated: Counter[str] = field(default_factory=Counter)
    """Repeated runs of units of work, by kind of error."""
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Failures by server and kind of error."""
    tokens: Counter[str] = field(default_factory=Counter)
    """Received causal tokens, by verdict."""
    waits: dict[str, Waits] = field(default_factory=dict)
    """By server."""
    unmet_waits: Counter[str] = field(default_factory=Counter)
    """Waits that ended without the change, by server."""
    interrupted: Counter[str] = field(default_factory=Counter)
    """Interrupted readers of unresponsive servers, by server."""
    unknown_commits: int = 0
    lost_writes: int = 0
    largest_token: int = 0
    """Length in characters of the longest token issued."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count_unit(self, role: str, server: str, reason: str) -> None:
        """Count a unit of work that was assigned to a server or refused."""
        with self._lock:
            self.units[role, server, reason] += 1

    def count_fault(self, server: str, kind: str) -> None:
        """Count a failure on a server."""
        with self._lock:
            self.faults[server, kind] += 1

    def count_repeat(self, kind: str) -> None:
        """Count a repeated run."""
        with self._lock:
            self.repeated[kind] += 1

    def count_wait(self, server: str, seconds: float, *, met: bool) -> None:
        """Count a wait of a reader for its own change."""
        with self._lock:
            waits = self.waits.setdefault(server, Waits())
            waits.classes[bisect_left(WAIT_BUCKETS, seconds)] += 1
            waits.seconds += seconds
            if not met:
                self.unmet_waits[server] += 1

    def count_interrupted(self, server: str, number: int) -> None:
        """Count interrupted readers."""
        with self._lock:
            self.interrupted[server] += number

    def count_token(self, verdict: str) -> None:
        """Count a received token."""
        with self._lock:
            self.tokens[verdict] += 1

    def note_issued(self, length: int) -> None:
        """Note the length of an issued token."""
        with self._lock:
            self.largest_token = max(self.largest_token, length)

    def count_unknown_commit(self) -> None:
        """Count a commit whose result or GTID is unknown."""
        with self._lock:
            self.unknown_commits += 1

    def count_lost_write(self) -> None:
        """Count a confirmed change that is missing on the present source."""
        with self._lock:
            self.lost_writes += 1

    def copy(self) -> "Counters":
        """Return a consistent copy."""
        with self._lock:
            return Counters(
                units=self.units.copy(),
                repeated=self.repeated.copy(),
                faults=self.faults.copy(),
                tokens=self.tokens.copy(),
                waits={name: Waits(list(each.classes), each.seconds) for name, each in self.waits.items()},
                unmet_waits=self.unmet_waits.copy(),
                interrupted=self.interrupted.copy(),
                unknown_commits=self.unknown_commits,
                lost_writes=self.lost_writes,
                largest_token=self.largest_token,
            )


class LoadTracker:
    """Maintains the `ServerLoad` of every server, which the router reads without a lock."""

    def __init__(self, names: Iterable[str]) -> None:
        self.loads = {name: ServerLoad() for name in names}
        self._lock = threading.Lock()

    def begin(self, name: str) -> float:
        """Note the start of a unit of work on a server; return the time for `end`."""
        with self._lock:
            self.loads[name].in_flight += 1
        return monotonic()

    def end(self, name: str, begun: float) -> None:
        """Note the end of a unit of work."""
        load = self.loads[name]
        now = monotonic()
        with self._lock:
            load.in_flight -= 1
            load.observe(now - begun, now)

    def give_up(self, name: str) -> None:
        """Note that a unit of work never got its connection; its duration says nothing about the server."""
        with self._lock:
            self.loads[name].in_flight -= 1

    def begin_wait(self, name: str) -> None:
        """Note that a reader starts to wait for its own change."""
        with self._lock:
            self.loads[name].waiters += 1

    def end_wait(self, name: str) -> None:
        """Note that the wait ended."""
        with self._lock:
            self.loads[name].waiters -= 1


_PREFIX = "inventory_replication_"
_MODES = ("normal", "source_only", "read_only", "down")
_CAUSES = tuple(map(str, Cause))
_BREAKERS = ("closed", "half_open", "open")

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


def render_metrics(counters: Counters, status: ClusterStatus, looked_at: float) -> str:
    """Return all metrics in the Prometheus text format 0.0.4.

    Args:
        counters: A copy that nothing changes.
        status: The cluster now.
        looked_at: Monotonic time of the last round of the monitor.
    """
    lines = [*_counter_lines(counters), *_wait_lines(counters), *_status_lines(status)]
    age = monotonic() - looked_at
    if isfinite(age):
        lines += _family("monitor_age_seconds", "gauge", "Since the last round of the monitor", [({}, age)])
    return "\n".join(lines) + "\n"


def _counter_lines(counters: Counters) -> Iterator[str]:
    units = [
        ({"role": role, "server": server, "reason": reason}, count)
        for (role, server, reason), count in sorted(counters.units.items())
    ]
    yield from _family("units_total", "counter", "Units of work by role, server and reason; no server: refused", units)
    faults = [({"server": server, "fault": fault}, count) for (server, fault), count in sorted(counters.faults.items())]
    yield from _family("faults_total", "counter", "Failures of units of work", faults)
    repeats = [({"fault": fault}, count) for fault, count in sorted(counters.repeated.items())]
    yield from _family("repeats_total", "counter", "Repeated runs of units of work", repeats)
    tokens = [({"verdict": verdict}, count) for verdict, count in sorted(counters.tokens.items())]
    yield from _family("tokens_total", "counter", "Causal tokens received", tokens)
    interrupted = [({"server": server}, count) for server, count in sorted(counters.interrupted.items())]
    yield from _family("cut_off_total", "counter", "Reads ended because their server did not answer", interrupted)
    yield from _family(
        "unknown_commits_total", "counter", "Commits with unknown result or GTID", [({}, counters.unknown_commits)]
    )
    yield from _family("lost_writes_total", "counter", "Confirmed changes found missing", [({}, counters.lost_writes)])
    yield from _family("largest_token_bytes", "gauge", "Longest causal token issued", [({}, counters.largest_token)])


def _wait_lines(counters: Counters) -> Iterator[str]:
    name = "causal_wait_seconds"
    if counters.waits:
        yield f"# HELP {_PREFIX}{name} How long readers waited for their own change"
        yield f"# TYPE {_PREFIX}{name} histogram"
    for server, waits in sorted(counters.waits.items()):
        total = 0
        for bound, count in zip((*map(str, WAIT_BUCKETS), "+Inf"), waits.classes, strict=True):
            total += count
            yield _sample(f"{name}_bucket", {"server": server, "le": bound}, total)
        yield _sample(f"{name}_sum", {"server": server}, waits.seconds)
        yield _sample(f"{name}_count", {"server": server}, total)
    unmet = [({"server": server}, count) for server, count in sorted(counters.unmet_waits.items())]
    yield from _family("causal_waits_unmet_total", "counter", "Waits that ended without the change", unmet)


def _status_lines(status: ClusterStatus) -> Iterator[str]:
    modes = [({"mode": mode}, float(mode == status.mode)) for mode in _MODES]
    yield from _family("mode", "gauge", "1 for the current mode", modes)
    causes = [({"cause": cause}, float(cause == status.cause)) for cause in _CAUSES]
    yield from _family("cause", "gauge", "1 for why there is this source, or none", causes)
    yield from _family(
        "isolated", "gauge", "1 while this process reaches none of the servers", [({}, float(status.isolated))]
    )
    yield from _family("epoch", "gauge", "Changes of the source that this process has seen", [({}, status.epoch)])
    yield from _family("recorded_epoch", "gauge", "Newest recorded change of the source", [({}, status.recorded_epoch)])
    yield from _family(
        "lost_gtids", "gauge", "1 while confirmed changes are missing", [({}, float(bool(status.lost_gtids)))]
    )
    by_server = [({"server": server.name}, server) for server in status.servers]
    stale = [(labels, server.staleness_seconds) for labels, server in by_server if server.staleness_seconds is not None]
    yield from _family("staleness_seconds", "gauge", "Upper bound; no sample if nothing is proved", stale)
    flying = [(labels, float(server.in_flight)) for labels, server in by_server]
    yield from _family("in_flight", "gauge", "Units of work that are running", flying)
    states = [({**labels, "role": server.role, "state": server.state}, 1.0) for labels, server in by_server]
    yield from _family("server_state", "gauge", "1 for the role and state of each server", states)
    deposed = [(labels, float(server.state == "deposed")) for labels, server in by_server]
    yield from _family("deposed", "gauge", "1 for a former source that was replaced and has not rejoined", deposed)
    clocks = [
        (labels, server.clock_ahead_seconds) for labels, server in by_server if server.clock_ahead_seconds is not None
    ]
    yield from _family(
        "clock_ahead_seconds", "gauge", "By how much a server's clock is ahead of this process's", clocks
    )
    breakers = [
        ({**labels, "state": state}, float(state == server.breaker))
        for labels, server in by_server
        for state in _BREAKERS
    ]
    yield from _family("breaker", "gauge", "1 for the state of each breaker", breakers)
    semisync = [(labels, float(server.semisync)) for labels, server in by_server if server.semisync is not None]
    yield from _family("semisync", "gauge", "1 while semisynchronous replication holds on the server's side", semisync)


def _family(name: str, kind: str, text: str, samples: Sequence[Sample]) -> Iterator[str]:
    if samples:
        yield f"# HELP {_PREFIX}{name} {text}"
        yield f"# TYPE {_PREFIX}{name} {kind}"
    for labels, value in samples:
        yield _sample(name, labels, value)


def _sample(name: str, labels: Labels, value: float) -> str:
    inner = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
    return f"{_PREFIX}{name}{{{inner}}} {value:g}" if inner else f"{_PREFIX}{name} {value:g}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
