"""Numbers of one process as Prometheus text (exposition format 0.0.4): names ``inventory_replication_*``."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from time import monotonic

from inventory_replication.counters import WAIT_BUCKETS, Counters
from inventory_replication.decisions.members import Cause
from inventory_replication.status import ClusterStatus

_PREFIX = "inventory_replication_"
_MODES = ("normal", "source_only", "read_only", "down")
_CAUSES = tuple(map(str, Cause))
_BREAKERS = ("closed", "half_open", "open")

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


def render(counters: Counters, status: ClusterStatus, looked_at: float) -> str:
    """All numbers.

    Args:
        counters: A copy that nobody changes.
        status: The cluster now.
        looked_at: Monotonic time of the last round of the monitor.
    """
    lines = [*_counted(counters), *_waits(counters), *_state(status)]
    age = monotonic() - looked_at
    if isfinite(age):
        lines += _family("monitor_age_seconds", "gauge", "Since the last round of the monitor", [({}, age)])
    return "\n".join(lines) + "\n"


def _counted(counters: Counters) -> Iterator[str]:
    units = [
        ({"role": role, "server": server, "reason": reason}, count)
        for (role, server, reason), count in sorted(counters.units.items())
    ]
    yield from _family(
        "units_total", "counter", "Decisions where a unit of work goes; no server: it was refused", units
    )
    faults = [({"server": server, "fault": fault}, count) for (server, fault), count in sorted(counters.faults.items())]
    yield from _family("faults_total", "counter", "Failures of units of work", faults)
    repeats = [({"fault": fault}, count) for fault, count in sorted(counters.repeated.items())]
    yield from _family("repeats_total", "counter", "Units of work that were run again", repeats)
    tokens = [({"verdict": verdict}, count) for verdict, count in sorted(counters.tokens.items())]
    yield from _family("tokens_total", "counter", "Causal tokens that were brought", tokens)
    cut_off = [({"server": server}, count) for server, count in sorted(counters.cut_off.items())]
    yield from _family("cut_off_total", "counter", "Reads ended because their server did not answer", cut_off)
    yield from _family(
        "unknown_commits_total", "counter", "Commits of unknown end or GTID", [({}, counters.unknown_commits)]
    )
    yield from _family("lost_writes_total", "counter", "Confirmed changes found missing", [({}, counters.lost_writes)])
    yield from _family("largest_token_bytes", "gauge", "Longest causal token given out", [({}, counters.largest_token)])


def _waits(counters: Counters) -> Iterator[str]:
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


def _state(status: ClusterStatus) -> Iterator[str]:
    modes = [({"mode": mode}, float(mode == status.mode)) for mode in _MODES]
    yield from _family("mode", "gauge", "1 for the mode that holds", modes)
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
    yield from _family("staleness_seconds", "gauge", "Upper bound; no sample where nothing is proved", stale)
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
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{_PREFIX}{name}{{{inner}}} {value:g}" if inner else f"{_PREFIX}{name} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
