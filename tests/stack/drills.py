"""Faults to inject into the running containers, and the health that the instances report."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stack.system import System, eventually
from tests.stack.visitor import Visitor

INSTANCES = ("web1", "web2", "web3")
DELAY = "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY={}; START REPLICA SQL_THREAD"


def mode(visitor: Visitor) -> str:
    """How the instance that answers now sees the databases."""
    return str(visitor.health()["database"]["mode"])


def everywhere(visitor: Visitor, wanted: str) -> bool:
    """Whether each instance, by three turns of six, sees the databases like that."""
    return {mode(visitor) for _ in range(18)} == {wanted}


def databases(system: System) -> dict[str, dict[str, Any]]:
    """Return how each instance sees the databases; read inside its container, because others do not get server names."""
    program = (
        "from urllib.request import Request, urlopen;"
        "asked = Request('http://127.0.0.1:8000/health', headers={'Accept': 'application/json'});"
        "print(urlopen(asked, timeout=10).read().decode())"
    )
    reported = (system.compose("exec", "-T", instance, "python", "-c", program).stdout for instance in INSTANCES)
    return {str(health["instance"]): health["database"] for health in map(json.loads, reported)}


def serving(system: System) -> set[str]:
    """Which instances answer, of two turns of each."""
    visitor = system.visitor()
    return {visitor.instance() for _ in range(12)}


def all_is_well(system: System) -> bool:
    """Whether every instance answers and has a source and a replica."""
    return serving(system) == set(INSTANCES) and everywhere(system.visitor(), "normal")


@contextmanager
def behind(system: System, seconds: int) -> Iterator[None]:
    """Let the replica carry everything out so much later."""
    system.query("db-replica", DELAY.format(seconds))
    try:
        yield
    finally:
        system.query("db-replica", DELAY.format(0))


@contextmanager
def gone(system: System, *services: str) -> Iterator[None]:
    """Kill services, and start them again."""
    system.compose("kill", *services)
    try:
        yield
    finally:
        system.compose("start", *services)


@contextmanager
def well_before_and_after(system: System) -> Iterator[None]:
    """A drill begins and ends with everything in its place."""
    eventually("all is well", lambda: all_is_well(system))
    try:
        yield
    finally:
        eventually("all is well again", lambda: all_is_well(system))
