"""Pages through the balancer with one, two and three instances; the servers of the reads; and the cost of a request."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import cycle

from benchmarks.measuring import Bar, Comparison, Figure, Table, p95
from benchmarks.replication.turns import percentile
from benchmarks.stack.capacity import Station
from benchmarks.stack.customers import Act, Customer, Seen, crowd, new_operation
from benchmarks.stack.stand import INSTANCES, PRODUCTS, Stand
from tests.stack.system import RUNNING

SECONDS = 8.0
"""Seconds of each measurement."""
CUSTOMERS = 8
CHANGES_OF_TEN = 1
LEAST_ON_REPLICA = 80
IDLE_SECONDS = 20.0
MOST_MEGABYTES, MOST_SECONDS_TO_START = 150, 60
SEARCHES = ("madera", "azul garantia", "foucault", "zapato", "04217", "xylofon")


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost of a request, measured with all instances.

    Args:
        reading: CPU seconds of a list page or a search, by container; ``customer`` is this program.
        changing: CPU seconds of a change of a quantity, by container.
        measured: Pages per second, by number of customers.
    """

    reading: Mapping[str, float]
    changing: Mapping[str, float]
    measured: Mapping[int, float]


def idle(stand: Stand) -> Table:
    """Measure the memory of each container, and the duration of a start."""
    time.sleep(IDLE_SECONDS)
    memory = stand.memory()
    bars = dict.fromkeys(INSTANCES, Bar("most", MOST_MEGABYTES))
    start = Bar("most", MOST_SECONDS_TO_START)
    return Table(
        "The containers at rest",
        f"Memory as shown by `docker stats`, {IDLE_SECONDS:.0f} s after the start, with {PRODUCTS:,} products. The start is the "
        "time from `docker compose up -d`, with existing images, until the balancer and everything before it is healthy.",
        [
            *(Figure(f"memory of {name}", memory[name], "MB", None, bars.get(name)) for name in sorted(RUNNING)),
            Figure("start with new volumes", stand.first_start, "s", None, start),
            Figure("start with data", stand.second_start, "s", None, start),
        ],
    )


def pages(stand: Stand) -> Comparison:
    """Measure throughput and response times, by number of instances."""
    rows: list[tuple[str, ...]] = []
    for instances in range(1, len(INSTANCES) + 1):
        with stand.only(instances):
            customers = stand.customers(CUSTOMERS)
            asset = _asset(customers[0])
            crowd(customers, _list, SECONDS / 4)
            floor = crowd(customers, partial(_page, asset), SECONDS / 2)
            for what, act in (("list page", _list), ("search", _search())):
                rows.append(_row(what, instances, crowd(customers, act, SECONDS), floor))
    return Comparison(
        "Pages through the balancer",
        f"{CUSTOMERS} clients without pauses for {SECONDS:.0f} s, each on a persistent connection, with gzip; {PRODUCTS:,} "
        f"products. The list page is the first page of 50 rows; the searches alternate between {_quoted(SEARCHES)}. Floor: a "
        "static file from NGINX's cache, in the same run. Clients, balancer, instances and both databases share the machine's "
        "cores, so more instances add no cores here; they allow one to fail.",
        ("page", "instances", "answers a second", "of the floor", "median", "95th percentile"),
        tuple(rows),
    )


def shares(stand: Stand) -> Table:
    """Measure the share of reads that the replica serves while some requests change something."""
    before = stand.readers()
    search = _search()
    codes = cycle(stand.codes)

    def mix(customer: Customer, number: int) -> int:
        if number % 10 < CHANGES_OF_TEN:
            return customer.add_one(next(codes), new_operation())
        return _list(customer, number) if number % 2 else search(customer, number)

    seen = crowd(stand.customers(CUSTOMERS), mix, SECONDS)
    after = stand.readers()
    served = {name: after[name] - before[name] for name in after}
    share = 100 * served["db-replica"] / sum(served.values())
    return Table(
        "Who reads",
        f"{CUSTOMERS} clients for {SECONDS:.0f} s; one in ten requests adds one to a product. Counted by the `/metrics` of the "
        "three instances. A client that has just changed something may have to read from the source.",
        [
            Figure("reads served by the replica", share, "%", None, Bar("least", LEAST_ON_REPLICA)),
            Figure("requests of the mix", seen.throughput, "answers/s"),
        ],
    )


def costs(stand: Stand) -> Costs:
    """Measure the CPU time of a request in each container; the input of the model."""
    search = _search()
    codes = cycle(stand.codes)

    def read(customer: Customer, number: int) -> int:
        return _list(customer, number) if number % 2 else search(customer, number)

    def change(customer: Customer, _: int) -> int:
        return customer.add_one(next(codes), new_operation())

    measured = {}
    for number in (1, CUSTOMERS // 2):
        measured[number] = crowd(stand.customers(number), read, SECONDS).throughput
    reading, seen = _cost(stand, read)
    measured[CUSTOMERS] = seen.throughput
    changing, _ = _cost(stand, change)
    return Costs(reading, changing, measured)


def what_it_costs(found: Costs) -> Comparison:
    """Return the costs as a table."""
    rows = tuple(
        (name, f"{1e3 * found.reading[name]:.2f} ms", f"{1e3 * found.changing[name]:.2f} ms") for name in found.reading
    )
    total = ("all of the containers", *(f"{1e3 * _total(each):.2f} ms" for each in (found.reading, found.changing)))
    return Comparison(
        "What a request costs",
        "Processor time of each container for one page (half list, half search) and for one change of a quantity, from its control "
        "group before and after; *customer* is the load generator.",
        ("where", "page", "change"),
        (*rows, total),
    )


def stations(each: Mapping[str, float], cores: int) -> list[Station]:
    """Return one machine for everything: a single station with this number of cores."""
    return [Station("the machine's cores", _total(each), cores)]


def _total(each: Mapping[str, float]) -> float:
    return sum(seconds for name, seconds in each.items() if name != "customer")


def _cost(stand: Stand, act: Act) -> tuple[dict[str, float], Seen]:
    customers = stand.customers(CUSTOMERS)
    before, own = stand.cpu_seconds(), time.process_time()
    seen = crowd(customers, act, SECONDS)
    own, after = time.process_time() - own, stand.cpu_seconds()
    number = len(seen.ends)
    used = {name: (after[name] - before[name]) / number for name in after}
    web = sum(used.pop(name) for name in INSTANCES)
    return {
        "balancer": used["nginx"],
        "instances": web,
        "source": used["db"],
        "replica": used["db-replica"],
        "customer": own / number,
    }, seen


def _row(what: str, instances: int, seen: Seen, floor: Seen) -> tuple[str, ...]:
    bad = sum(number for status, number in seen.statuses.items() if status != 200)
    if bad:
        raise RuntimeError(f"{bad} answers of {what} were not good: {seen.statuses}")
    return (
        what,
        str(instances),
        f"{seen.throughput:.0f}",
        f"{100 * seen.throughput / floor.throughput:.1f} %",
        f"{1e3 * percentile(seen.seconds, 50):.0f} ms",
        f"{1e3 * p95(seen.seconds):.0f} ms",
    )


def _page(path: str, customer: Customer, _: int) -> int:
    return customer.get(path)


def _list(customer: Customer, _: int) -> int:
    return customer.get("/inventory")


def _search() -> Act:
    words: Iterator[str] = cycle(SEARCHES)
    return lambda customer, _: customer.get(f"/inventory?search={next(words).replace(' ', '+')}")


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _asset(customer: Customer) -> str:
    page = customer.visitor.get("/inventory").text
    found = re.search(r'href="(/assets/[^"]+\.css[^"]*)"', page)
    if found is None:
        raise RuntimeError("the page names no style sheet")
    return found[1]
