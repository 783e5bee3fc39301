"""Figures: how they are taken, and what they are held against."""

import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Unit = Literal["ms", "µs", "s", "rows/s", "MB", "KB", "statements", "messages", "%", "answers/s"]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure has to reach: ``most`` or ``least`` of its unit, or at most ``times`` its floor."""

    kind: Literal["most", "least", "times"]
    value: float

    def is_met(self, measured: float, floor: float | None) -> bool:
        """Whether the figure reaches it."""
        match self.kind:
            case "most":
                return measured <= self.value
            case "least":
                return measured >= self.value
            case "times":
                return floor is not None and measured <= floor * self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table. ``floor`` is the same work by the barest means, taken in the same run."""

    what: str
    measured: float
    unit: Unit
    floor: float | None = None
    bar: Bar | None = None

    @property
    def misses(self) -> bool:
        """Whether there is a bar and the figure does not reach it."""
        return self.bar is not None and not self.bar.is_met(self.measured, self.floor)


@dataclass(frozen=True, slots=True)
class Table:
    """A room's figures, with a sentence or two on what was measured and what the floor is."""

    title: str
    explanation: str
    figures: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table of its own form, without bars; cells are text."""

    title: str
    explanation: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a room measures: Copy ``database`` before changing products; fill ``scratch``."""

    database: Path
    scratch: Path
    repetitions: int


def times_of(call: Callable[[], object], repetitions: int) -> list[float]:
    """Seconds of each of so many calls, after two that are not counted and without the garbage collector."""
    for _ in range(2):
        call()
    seconds = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(repetitions):
            began = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - began)
    finally:
        gc.enable()
    return seconds


def p95(seconds: Sequence[float]) -> float:
    """The value that 95 of 100 stay below (nearest rank)."""
    return sorted(seconds)[max(0, -(-len(seconds) * 95 // 100) - 1)]


def say(line: str) -> None:
    """Tell the person who waits what is going on."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
