"""The history of the sample catalogue: weeks of deliveries, sales, counts, transfers and edits by sample users."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

from inventory_core import Inventory, ProductDraft, ProductFilter, Status, edit_product, new_operation_id
from inventory_web.cli.files import run_import

PEOPLE = ("ana", "luis", "marta")
DAYS = 56
SEED = 11
LOW, OTHERS = 10, 22
FIRST = "-001"
"""The first product of each category always has a history, because users open it first."""
MANY_SALES, FEW_SALES = 7, 4
SUNDAY = 6

Act = Callable[[Inventory, str], object]


@dataclass(frozen=True, slots=True)
class _Step:
    at: datetime
    act: Act


def load_with_history(inventory: Inventory, files: list[Path], *, actor: str) -> None:
    """Import ``files`` into an empty ``inventory`` as of eight weeks ago, and simulate those weeks.

    Every step is a public operation in its own unit of work. In the end each product has the quantity, locations and texts of the
    files; on the same day the steps are always the same.
    """
    rng = random.Random(SEED)  # noqa: S311 - the same past each time
    days = _open_days(inventory.clock())
    for file in files:
        run_import(_at(inventory, days[0]), file, actor=actor)
    for step in sorted(_steps(inventory, days[1:], rng), key=lambda one: one.at):
        step.act(_at(inventory, step.at), rng.choice(PEOPLE))


def _at(inventory: Inventory, moment: datetime) -> Inventory:
    return replace(inventory, clock=lambda: moment)


def _open_days(now: datetime) -> list[datetime]:
    first = datetime.combine(now.date() - timedelta(days=DAYS), time(8), tzinfo=now.tzinfo)
    days = (first + timedelta(days=day) for day in range(DAYS))
    return [day for day in days if day.weekday() != SUNDAY]


def _steps(inventory: Inventory, days: list[datetime], rng: random.Random) -> Iterator[_Step]:
    low = inventory.products(ProductFilter(status=Status.LOW_STOCK), sort="code", size=200).rows
    rows = inventory.products(ProductFilter(status=Status.AVAILABLE), sort="code", size=200).rows
    scarce = [row.code for row in low if row.quantity][:LOW]
    others = [row.code for row in rows if row.code not in scarce]
    plenty = [code for code in others if code.endswith(FIRST)]
    plenty += rng.sample([code for code in others if code not in plenty], OTHERS)
    for code in scarce:
        yield from _trade(inventory, code, days, rng, sales=MANY_SALES)
    gone_for_a_day = plenty[-2:]
    for code in plenty:
        traded = days[:-2] if code in gone_for_a_day else days
        yield from _trade(inventory, code, traded, rng, sales=FEW_SALES)
    for code in plenty[:4]:
        yield from _other_minimum(code, days, rng)
    for code in gone_for_a_day:
        # After its last sale nothing else may happen to it while it is retired.
        yield _Step(days[-2] + timedelta(hours=10, minutes=40), _retire(code))
        yield _Step(days[-1] + timedelta(hours=10, minutes=40), _restore(code))


def _trade(inventory: Inventory, code: str, days: list[datetime], rng: random.Random, *, sales: int) -> Iterator[_Step]:
    """Yield a delivery, then sales, losses and transfers until the quantity of the files is left."""
    places = [place for place, quantity in inventory.product(code).balances if quantity]
    source, target = places[0], places[-1]
    sold = [rng.randint(1, 6) for _ in range(sales)]
    missing = rng.random() < 0.4
    begin, rest = days[: len(days) // 4], days[len(days) // 4 :]
    arrival, moved = begin[: len(begin) // 2], begin[len(begin) // 2 :]
    moments = sorted(_moment(rest, rng) for _ in sold)
    later = 0 if sales > FEW_SALES else sold[-1]
    early = sum(sold) + missing - later
    yield _Step(_moment(arrival, rng), _receive(code, early, source))
    if target != source:
        yield _Step(_moment(moved, rng), _transfer(code, early, source, target))
    if later:
        # Before the last sale, so that stock is always sufficient.
        yield _Step(moments[-2] - timedelta(minutes=7), _receive(code, later, target))
    for moment, quantity in zip(moments, sold, strict=True):
        yield _Step(moment, _issue(code, quantity, target))
    if missing:
        yield _Step(_moment(rest, rng), _miss_one(code, target))


def _moment(days: list[datetime], rng: random.Random) -> datetime:
    day, share = rng.choice(days), rng.random()
    hours = 6 if day.weekday() == SUNDAY - 1 else 10
    return day + timedelta(hours=hours * share)


def _other_minimum(code: str, days: list[datetime], rng: random.Random) -> Iterator[_Step]:
    half = len(days) // 2
    yield _Step(_moment(days[:half], rng), _edit(code, 2))
    yield _Step(_moment(days[half:], rng), _edit(code, -2))


def _receive(code: str, quantity: int, place: str) -> Act:
    return lambda then, who: then.receive(
        code=code, quantity=quantity, location=place, reason="Entrega", actor=who, operation=new_operation_id()
    )


def _issue(code: str, quantity: int, place: str) -> Act:
    return lambda then, who: then.issue(
        code=code, quantity=quantity, location=place, reason="Venta", actor=who, operation=new_operation_id()
    )


def _transfer(code: str, quantity: int, source: str, target: str) -> Act:
    return lambda then, who: then.transfer(
        code=code,
        quantity=quantity,
        source=source,
        target=target,
        reason="Reposición",
        actor=who,
        operation=new_operation_id(),
    )


def _miss_one(code: str, place: str) -> Act:
    def act(then: Inventory, who: str) -> None:
        there = dict(then.product(code).balances)[place]
        then.count(
            code=code,
            quantity=there - 1,
            expected=there,
            location=place,
            reason="Recuento",
            actor=who,
            operation=new_operation_id(),
        )

    return act


def _edit(code: str, more: int) -> Act:
    def act(then: Inventory, who: str) -> None:
        row = then.product(code).row
        draft = ProductDraft(row.code, row.name, row.description, row.category, row.minimum + more)
        edit_product(
            then, code=code, draft=draft, expected_version=row.version, actor=who, operation=new_operation_id()
        )

    return act


def _retire(code: str) -> Act:
    return lambda then, who: then.retire(code=code, actor=who, operation=new_operation_id())


def _restore(code: str) -> Act:
    return lambda then, who: then.restore(code=code, actor=who, operation=new_operation_id())
