"""Figures, their floors and their bars."""

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
    """The limit of a figure: ``most`` or ``least`` in its unit, or at most ``times`` its floor."""

    kind: Literal["most", "least", "times"]
    value: float

    def is_met(self, measured: float, floor: float | None) -> bool:
        """Return whether the figure meets it."""
        match self.kind:
            case "most":
                return measured <= self.value
            case "least":
                return measured >= self.value
            case "times":
                return floor is not None and measured <= floor * self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table. ``floor`` is the same work with minimal code, measured in the same run."""

    what: str
    measured: float
    unit: Unit
    floor: float | None = None
    bar: Bar | None = None

    @property
    def misses(self) -> bool:
        """Return whether there is a bar and the figure misses it."""
        return self.bar is not None and not self.bar.is_met(self.measured, self.floor)


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of a suite, with a sentence or two about the measurement and the floor."""

    title: str
    explanation: str
    figures: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table without bars; cells are text."""

    title: str
    explanation: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """The environment of a suite: copy ``database`` before changing it; use ``scratch`` for files."""

    database: Path
    scratch: Path
    repetitions: int


def times_of(call: Callable[[], object], repetitions: int) -> list[float]:
    """Return the seconds of each call, after two warm-up calls and without the garbage collector."""
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
    """Return the 95th percentile (nearest rank)."""
    return sorted(seconds)[max(0, -(-len(seconds) * 95 // 100) - 1)]


def say(line: str) -> None:
    """Print progress."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
