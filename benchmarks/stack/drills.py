"""The effect of drills on users: the longest time without a page, and without a change, while a part is killed or paused."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from benchmarks.measuring import Comparison, say
from benchmarks.stack.customers import Act, Customer, Seen, acting, new_operation
from benchmarks.stack.stand import Stand

READERS = 2
DOWN_SECONDS = 6.0
CALM_SECONDS = 3.0
SWITCHOVER = ("run", "--rm", "--no-deps", "provision", "inventory-replication", "switchover")

Deed = Callable[[Stand], object]


@dataclass(slots=True)
class Confirmed:
    """Confirmed writes by operation id; each must be in the ledger once."""

    operations: list[str]

    def add_one(self, codes: tuple[str, ...]) -> Act:
        """Change products one after the other; repeat each form until it is confirmed."""
        numbers = count()
        left: dict[Customer, tuple[str, str]] = {}

        def act(customer: Customer, _: int) -> int:
            code, operation = left.get(customer) or (codes[next(numbers) % len(codes)], new_operation())
            status = customer.add_one(code, operation)
            if status == 200:
                self.operations.append(operation)
                left.pop(customer, None)
            else:
                left[customer] = code, operation
            return status

        return act


def drills(stand: Stand) -> Comparison:
    """Run every drill, and yield the longest gaps."""
    confirmed = Confirmed([])
    rows = [_row(stand, what, deed, confirmed) for what, deed in DEEDS.items()]
    lost = len(confirmed.operations) - _stored(stand, confirmed.operations)
    if lost:
        raise RuntimeError(f"{lost} of {len(confirmed.operations)} confirmed changes are not in the ledger")
    if "0 fallos" not in stand.system.compose("exec", "-T", "web1", "inventory", "verify").stdout:
        raise RuntimeError("the ledger does not agree with itself")
    return Comparison(
        "Drills",
        f"During each drill, {READERS} clients read the list and one adds to products, each with pauses of 20 ms. A service stays "
        f"killed or paused for at least {DOWN_SECONDS:.0f} s. A gap is the time between two successful responses. All "
        f"{len(confirmed.operations):,} confirmed changes are in the ledger exactly once, found by their operation id.",
        ("drill", "longest without a page", "longest without a change", "pages refused", "changes refused"),
        tuple(rows),
    )


def _row(stand: Stand, what: str, deed: Deed, confirmed: Confirmed) -> tuple[str, ...]:
    say(f"drill: {what}")
    readers, writers = stand.customers(READERS), stand.customers(1)
    with (
        acting(readers, lambda customer, _: customer.get("/inventory")) as read,
        acting(writers, confirmed.add_one(stand.codes)) as written,
    ):
        time.sleep(CALM_SECONDS)
        deed(stand)
        stand.wait_until_all_is_well()
        time.sleep(CALM_SECONDS)
    return what, _gap(read), _gap(written), _refused(read), _refused(written)


def _gap(seen: Seen) -> str:
    return f"{seen.longest_gap:.2f} s"


def _refused(seen: Seen) -> str:
    bad = sum(number for status, number in seen.statuses.items() if status not in {200, 303})
    return f"{bad} of {seen.statuses.total()}"


def _stored(stand: Stand, operations: list[str]) -> int:
    number = 0
    for begin in range(0, len(operations), 500):
        listed = ",".join(f"'{each}'" for each in operations[begin : begin + 500])
        question = f"SELECT COUNT(*) FROM inventory.inventory_operation WHERE id IN ({listed})"  # noqa: S608
        number += int(stand.system.query("db", question))
    return number


def _killed(service: str) -> Deed:
    def deed(stand: Stand) -> None:
        stand.system.compose("kill", service)
        time.sleep(DOWN_SECONDS)
        stand.system.compose("start", service)

    return deed


def _paused(service: str) -> Deed:
    def deed(stand: Stand) -> None:
        stand.system.compose("pause", service)
        time.sleep(DOWN_SECONDS)
        stand.system.compose("unpause", service)

    return deed


DEEDS: dict[str, Deed] = {
    "nothing happens": lambda _: time.sleep(DOWN_SECONDS),
    "an instance is killed": _killed("web1"),
    "the replica is killed": _killed("db-replica"),
    "the replica is paused": _paused("db-replica"),
    "the source is killed and started": _killed("db"),
    "planned switchover to the replica": lambda stand: stand.system.compose(*SWITCHOVER, "db-replica"),
    "planned switchover back": lambda stand: stand.system.compose(*SWITCHOVER, "db"),
}
