"""Alternating measurements of several methods, so that other load on the machine affects all of them equally."""

import gc
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter_ns, thread_time_ns
from typing import NamedTuple

WARM_UP = 20


class Times(NamedTuple):
    """Elapsed seconds and thread CPU seconds of each call."""

    passed: list[float]
    worked: list[float]

    @property
    def typical(self) -> float:
        """Return the median of the elapsed time, in microseconds."""
        return median(self.passed) * 1e6

    @property
    def work(self) -> float:
        """Return the median of the CPU time, in microseconds."""
        return median(self.worked) * 1e6


def by_turns(ways: Mapping[str, Callable[[], object]], number: int) -> dict[str, Times]:
    """Call the methods in rounds, once per round, in rotating order."""
    taken = {name: Times([], []) for name in ways}
    for call in ways.values():
        for _ in range(WARM_UP):
            call()
    order = list(ways.items())
    gc.collect()
    gc.disable()
    try:
        for _ in range(number):
            order.append(order.pop(0))
            for name, call in order:
                worked, passed = thread_time_ns(), perf_counter_ns()
                call()
                taken[name].passed.append((perf_counter_ns() - passed) / 1e9)
                taken[name].worked.append((thread_time_ns() - worked) / 1e9)
    finally:
        gc.enable()
    return taken


def batches(call: Callable[[], object], number: int, size: int = 500) -> float:
    """Return the CPU microseconds of a call that is too short for a clock: median over batches."""
    means = []
    for _ in range(number + 1):
        began = thread_time_ns()
        for _ in range(size):
            call()
        means.append((thread_time_ns() - began) / size / 1e3)
    return median(means[1:])


def percentile(seconds: Sequence[float], percent: int) -> float:
    """Return a percentile (nearest rank)."""
    return sorted(seconds)[max(0, -(-len(seconds) * percent // 100) - 1)]
