"""What the README of the package shows, and what it has to agree with."""

import re
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from inventory_replication import (
    BreakerPolicy,
    ClusterConfig,
    ConnectionLimits,
    Credentials,
    MonitorPolicy,
    RetryPolicy,
    RoutingPolicy,
    Server,
    ServerStatus,
    TlsPolicy,
    TokenKey,
    TokenPolicy,
)
from inventory_replication.stats import Counters, render_metrics
from inventory_replication.status import ClusterStatus

README = Path(__file__).parents[3] / "packages" / "inventory_replication" / "README.md"
TEXT = README.read_text("utf-8")
SETTINGS_OF: tuple[type[Any], ...] = (
    ClusterConfig,
    Server,
    Credentials,
    RoutingPolicy,
    RetryPolicy,
    MonitorPolicy,
    BreakerPolicy,
    ConnectionLimits,
    TlsPolicy,
    TokenPolicy,
    TokenKey,
)


def section(heading: str) -> str:
    """Return the text below a heading."""
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def blocks(heading: str, language: str) -> list[str]:
    """The blocks of code below a heading."""
    return re.findall(rf"^```{language}\n(.*?)^```$", section(heading), flags=re.DOTALL | re.MULTILINE)


def rows(heading: str) -> list[tuple[str, ...]]:
    """The cells of the table below a heading."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")][2:]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]


def settings_of(kind: type[Any]) -> str:
    """Fields with their defaults, as the table of settings has them."""
    return ", ".join(f"`{field.name}{_default(field)}`" for field in fields(kind))


def metrics_told() -> list[tuple[str, str, str]]:
    """Name, type and meaning of every number that there is."""
    counters = Counters()
    counters.count_unit("reader", "db1", "replica_fresh")
    counters.count_fault("db1", "lost")
    counters.count_repeat("conflict")
    counters.count_token("valid")
    counters.count_wait("db1", 0.1, met=False)
    counters.count_interrupted("db1", 1)
    server = ServerStatus(
        "db1", "db1:3306", "source", "source", 0.0, 1, "closed", "It writes.", semisync=True, clock_ahead_seconds=0.0
    )
    text = render_metrics(counters, ClusterStatus("normal", 1, "db1", "", (server,)), 0.0)
    meanings = dict(re.findall(r"^# HELP inventory_replication_(\S+) (.+)$", text, flags=re.MULTILINE))
    kinds = re.findall(r"^# TYPE inventory_replication_(\S+) (\S+)$", text, flags=re.MULTILINE)
    return [(name, kind, meanings[name]) for name, kind in kinds]


def _default(field: "Field[Any]") -> str:
    if field.default is not MISSING:
        return f"={field.default!r}"
    return "" if field.default_factory is MISSING else f"={type(field.default_factory()).__name__}()"
