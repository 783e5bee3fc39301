"""Policies of a replicated cluster, as frozen values that are checked when they are built. Times are seconds."""

import math
import re
from dataclasses import dataclass, field
from typing import Literal

from inventory_replication.errors import ConfigurationError

MIN_SECRET_BYTES = 16
MAX_TOKEN_BYTES = 4000
"""A browser drops cookies above 4096 bytes, name and attributes included."""


def require_number(field_name: str, value: object, lowest: float, *, above: bool = False) -> None:
    """Refuse what is no finite number, or lies below ``lowest`` (or on it, with ``above``)."""
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and (value > lowest or (value == lowest and not above))
    ):
        return
    limit = f"above {lowest}" if above else f"of at least {lowest}"
    raise ConfigurationError(f"{field_name} is {value!r}; it must be a number {limit}.")


def require_count(field_name: str, value: object, lowest: int) -> None:
    """Refuse what is no whole number, or lies below ``lowest``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise ConfigurationError(f"{field_name} is {value!r}; it must be a whole number of at least {lowest}.")


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """Which server may serve a read.

    Args:
        staleness_bound: A replica that may be further behind serves only as one of the last (``min_serving_replicas``).
        causal_wait_timeout: How long a reader waits for its own change to arrive on a replica; above 0, because the
            server takes 0 for "without end".
        on_causal_timeout: After that time read from the ``"source"``, or raise an ``"error"``.
        min_serving_replicas: So many replicas stay in service beyond ``staleness_bound``, freshest first, so that the
            source is not flooded when all of them fall behind at once. Never at the price of a causal token, nor of a
            bound that a reader gave itself. 0 switches it off.
        last_resort_bound: Staleness at which even those leave. ``None``: never.
        max_waiters_per_replica: So many readers may wait on one replica at a time; further ones read from the source.
    """

    staleness_bound: float = 2.0
    causal_wait_timeout: float = 0.5
    on_causal_timeout: Literal["source", "error"] = "source"
    min_serving_replicas: int = 1
    last_resort_bound: float | None = 60.0
    max_waiters_per_replica: int = 16

    def __post_init__(self) -> None:
        require_number("RoutingPolicy.staleness_bound", self.staleness_bound, 0, above=True)
        require_number("RoutingPolicy.causal_wait_timeout", self.causal_wait_timeout, 0, above=True)
        if self.on_causal_timeout not in {"source", "error"}:
            raise ConfigurationError(
                f"RoutingPolicy.on_causal_timeout is {self.on_causal_timeout!r}; it must be 'source' or 'error'."
            )
        require_count("RoutingPolicy.min_serving_replicas", self.min_serving_replicas, 0)
        if self.last_resort_bound is not None:
            require_number("RoutingPolicy.last_resort_bound", self.last_resort_bound, self.staleness_bound)
        require_count("RoutingPolicy.max_waiters_per_replica", self.max_waiters_per_replica, 0)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a server is left alone and when it may return.

    Args:
        failures_to_open: So many connection failures in a row.
        first_delay: Pause before the first probe; doubles with each failed one.
        longest_delay: Where the doubling ends. A server that is up again may go unnoticed for so long, the source too.
        good_samples_to_close: So many good answers in a row, each asked for after the pause, before traffic returns.
        calm_after: After so long without trouble the next pause is the first again.
    """

    failures_to_open: int = 3
    first_delay: float = 0.5
    longest_delay: float = 2.0
    good_samples_to_close: int = 2
    calm_after: float = 60.0

    def __post_init__(self) -> None:
        require_count("BreakerPolicy.failures_to_open", self.failures_to_open, 1)
        require_number("BreakerPolicy.first_delay", self.first_delay, 0, above=True)
        require_number("BreakerPolicy.longest_delay", self.longest_delay, self.first_delay)
        require_count("BreakerPolicy.good_samples_to_close", self.good_samples_to_close, 1)
        require_number("BreakerPolicy.calm_after", self.calm_after, 0)


@dataclass(frozen=True, slots=True)
class MonitorPolicy:
    """How the monitor asks.

    Args:
        poll_interval: Pause between two rounds.
        connect_timeout: For one connection of the monitor.
        read_timeout: For one answer to the monitor.
        history: So many distinct positions of the source are kept to measure staleness against.
        breaker: See `BreakerPolicy`.
    """

    poll_interval: float = 0.2
    connect_timeout: float = 1.0
    read_timeout: float = 1.0
    history: int = 600
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def __post_init__(self) -> None:
        require_number("MonitorPolicy.poll_interval", self.poll_interval, 0, above=True)
        require_number("MonitorPolicy.connect_timeout", self.connect_timeout, 0, above=True)
        require_number("MonitorPolicy.read_timeout", self.read_timeout, 0, above=True)
        require_count("MonitorPolicy.history", self.history, 8)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that signs causal tokens; the same on every instance. The secret is not part of ``repr``.

    Args:
        key_id: Stands in the token in clear; change it with the secret.
        secret: At least 16 bytes, not guessable.
    """

    key_id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", self.key_id):
            raise ConfigurationError(f"TokenKey.key_id is {self.key_id!r}; use 1 to 16 letters, digits, '_' or '-'.")
        if len(self.secret) < MIN_SECRET_BYTES:
            raise ConfigurationError(
                f"TokenKey.secret of {self.key_id} is too short; give at least {MIN_SECRET_BYTES} random bytes."
            )


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """How causal tokens travel.

    Args:
        keys: The first signs, all are accepted. To rotate: add the new key at the end on every instance, then move it
            to the front, and after ``max_age`` take the old one away.
        max_bytes: Longest token in text, at most 4000 (a cookie). A longer one is not issued: its reader is sent to the
            source instead.
        max_age: A token that is older is not believed; its reader is sent to the source once.
    """

    keys: tuple[TokenKey, ...]
    max_bytes: int = 1024
    max_age: float = 86_400.0

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigurationError("TokenPolicy.keys is empty; give at least one key.")
        if len({key.key_id for key in self.keys}) != len(self.keys):
            raise ConfigurationError("TokenPolicy.keys holds two keys with one key_id; give each its own.")
        require_count("TokenPolicy.max_bytes", self.max_bytes, 256)
        if self.max_bytes > MAX_TOKEN_BYTES:
            raise ConfigurationError(
                f"TokenPolicy.max_bytes is {self.max_bytes}; a cookie holds at most {MAX_TOKEN_BYTES}."
            )
        require_number("TokenPolicy.max_age", self.max_age, 1)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a unit of work that was surely not committed is run again.

    Args:
        attempts: Runs in all, the first included; 1 means never again.
        first_delay: Pause before the second run; doubles with each.
        longest_delay: Where the doubling ends.
        switchover_patience: So long after the source became read-only a write waits for the next one, as in a planned
            switchover. A source that is gone is not waited for.
    """

    attempts: int = 4
    first_delay: float = 0.02
    longest_delay: float = 1.0
    switchover_patience: float = 2.0

    def __post_init__(self) -> None:
        require_count("RetryPolicy.attempts", self.attempts, 1)
        require_number("RetryPolicy.first_delay", self.first_delay, 0)
        require_number("RetryPolicy.longest_delay", self.longest_delay, self.first_delay)
        require_number("RetryPolicy.switchover_patience", self.switchover_patience, 0)

    def delay(self, failed_runs: int, dice: float) -> float:
        """Seconds to pause after so many failed runs (1 or more).

        The delay doubles with each run; of that, half to all is taken, as ``dice`` (0 to 1) falls.
        """
        doubled: float = self.first_delay * 2.0 ** min(failed_runs - 1, 32)
        return min(doubled, self.longest_delay) * (0.5 + dice / 2)
