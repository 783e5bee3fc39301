"""The shipped containers, started for one run with a catalogue, and functions to observe them from outside."""

import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import dataset
from benchmarks.measuring import say
from benchmarks.stack.customers import Customer
from inventory_core import Inventory, ProductFilter, SingleDatabase, export_products
from tests.stack.system import SAMPLE_SECRETS, System, eventually, new_project, removed_at_the_end
from tests.stack.visitor import Visitor

PRODUCTS = 20_000
INSTANCES = ("web1", "web2", "web3")
CONTAINERS = ("nginx", *INSTANCES, "db", "db-replica")
CPU_USED = "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || cat /sys/fs/cgroup/cpu.stat"
SCRAPE = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
SECONDS_UNTIL_COUNTED = 3
READER = re.compile(
    r'^inventory_replication_units_total\{role="reader",server="([^"]*)",reason="[^"]*"\} (\S+)$', re.MULTILINE
)
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True, slots=True)
class Stand:
    """The system with a logged-in user.

    Args:
        system: The containers.
        cookies: Cookies of one login for all customers, because logins are limited.
        codes: Codes of products that may be changed.
        first_start: Seconds from ``up`` to healthy, with new volumes.
        second_start: The same with existing volumes.
    """

    system: System
    cookies: dict[str, str]
    codes: tuple[str, ...]
    first_start: float
    second_start: float

    def customers(self, number: int) -> list[Customer]:
        """Return this number of customers, each with a new connection."""
        return [Customer(self._visitor()) for _ in range(number)]

    def _visitor(self) -> Visitor:
        visitor = Visitor("127.0.0.1", self.system.port("nginx", 80), dict(self.cookies))
        visitor.get("/products/new")
        return visitor

    @contextmanager
    def only(self, instances: int) -> Iterator[None]:
        """Keep only this number of instances running."""
        rest = INSTANCES[instances:]
        if rest:
            self.system.compose("stop", *rest)
        time.sleep(1)
        try:
            yield
        finally:
            if rest:
                self.system.compose("start", *rest)
            self.wait_until_all_is_well()

    def wait_until_all_is_well(self) -> None:
        """Wait until every instance responds and sees a source and its replica."""
        visitor = self._visitor()

        def well() -> bool:
            found = [visitor.health() for _ in range(12)]
            modes = {each.get("database", {}).get("mode") for each in found}
            return {each.get("instance") for each in found} == set(INSTANCES) and modes == {"normal"}

        eventually("every instance is well", well, seconds=120)

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time of each container so far."""
        used = {}
        for name in CONTAINERS:
            found = self.system.compose("exec", "-T", name, "sh", "-c", CPU_USED).stdout.split()
            used[name] = float(found[0]) / 1e9 if len(found) == 1 else float(found[1]) / 1e6
        return used

    def readers(self) -> dict[str, float]:
        """Return the reads that each server has served, from the metrics of all instances."""
        # Each process shares its metrics every 2 s.
        time.sleep(SECONDS_UNTIL_COUNTED)
        total: dict[str, float] = {"db": 0.0, "db-replica": 0.0}
        for instance in INSTANCES:
            text = self.system.compose("exec", "-T", instance, "python", "-c", SCRAPE).stdout
            for server, number in READER.findall(text):
                total[server] += float(number)
        return total

    def memory(self) -> dict[str, float]:
        """Return the memory of each container in megabytes, as ``docker stats`` reports it."""
        names = {found["Id"]: name for name, found in self.system.containers().items()}
        found = self.system.run("docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", *names)
        used = {}
        for line in found.stdout.splitlines():
            each = json.loads(line)
            number, unit = re.findall(r"^([\d.]+)(\w+)", each["MemUsage"])[0]
            used[names[each["ID"]]] = float(number) * UNITS[unit] / 1e6
        return used


@contextmanager
def containers() -> Iterator[Stand]:
    """Build, start, fill, and remove everything at the end."""
    system = System(new_project(), SAMPLE_SECRETS, f"inventory:{new_project()}")
    with removed_at_the_end(system):
        try:
            system.compose("build", "provision")
            say("the containers are started from existing images")
            first = _seconds_to_start(system)
            codes = _fill(system)
            system.compose("down")
            second = _seconds_to_start(system)
            visitor = system.administrator()
            stand = Stand(system, visitor.cookies, codes, first, second)
            stand.wait_until_all_is_well()
            yield stand
        finally:
            system.compose("down", "--volumes", "--timeout", "1")
            system.run("docker", "image", "rm", "--force", system.image)


def _seconds_to_start(system: System) -> float:
    began = time.monotonic()
    system.compose("up", "--detach")
    eventually("the balancer is healthy", lambda: system.health("nginx") == "healthy", seconds=300)
    return time.monotonic() - began


def _fill(system: System) -> tuple[str, ...]:
    """Import a catalogue with ``inventory import``, and return some codes."""
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as folder:
        file = Path(folder, "catalogue.db")
        dataset.build(file, PRODUCTS, 10 * PRODUCTS)
        sessions = SingleDatabase.from_file(file)
        with Path(folder, "catalogue.csv").open("wb") as target:
            export_products(Inventory(sessions), ProductFilter(), target, "csv")
        sessions.close()
        table = Path(folder, "catalogue.csv").read_text("utf-8-sig")
    program = "cat > /tmp/catalogue.csv && inventory import /tmp/catalogue.csv && rm /tmp/catalogue.csv"
    system.compose("exec", "-T", "web1", "sh", "-c", program, stdin=table)
    return tuple(line.partition(",")[0] for line in table.splitlines()[1:2001])
