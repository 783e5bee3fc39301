"""Compares the responses to clients with the ledger. Pure: it sees logbooks and a ledger, and no database."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.journeys.ledger import Ledger
from tests.journeys.logbook import Logbook, Outcome, Step, Write


class Fault(StrEnum):
    """The ways in which a ledger can contradict a response."""

    LOST = "acknowledged, and not there"
    TWICE = "carried out more than once"
    REFUSED_YET_DONE = "refused, and yet there"
    HALF = "there in part"
    NOT_ASKED_FOR = "there, and nobody asked for it"


@dataclass(frozen=True)
class Violation:
    """One fault: whose, of which operation or product, and what exactly."""

    fault: Fault
    client: str
    about: str
    detail: str = ""


def violations(logbooks: Iterable[Logbook], ledger: Ledger) -> list[Violation]:
    """Yield every difference between the ledger and the responses.

    A change with an unknown outcome may be there or not, but whole. A product is named by one client only; its quantity
    may be changed by all.
    """
    logbooks = list(logbooks)
    done = _done(ledger)
    found: list[Violation] = []
    for logbook in logbooks:
        for write in logbook.writes:
            found += _of_write(logbook.client, write, ledger, done.get(write.operation, Counter()))
        found += _of_names(logbook, ledger)
    return [*found, *_of_strangers(logbooks, ledger), *_of_sums(logbooks, ledger)]


def _done(ledger: Ledger) -> dict[str, Counter[Step]]:
    done: dict[str, Counter[Step]] = {}
    for row in ledger.movements:
        done.setdefault(row.operation, Counter())[Step(row.code, row.kind, row.quantity)] += 1
    return done


def _of_write(client: str, write: Write, ledger: Ledger, done: Counter[Step]) -> Iterator[Violation]:
    """Return whether it is there as the response said: wholly, once, or not at all."""
    noted = write.operation in ledger.operations
    if not noted and not done:
        if write.outcome is Outcome.ACKNOWLEDGED:
            yield Violation(Fault.LOST, client, write.operation)
        return
    if write.outcome is Outcome.REFUSED:
        yield Violation(Fault.REFUSED_YET_DONE, client, write.operation)
    if not noted:
        yield Violation(Fault.HALF, client, write.operation, "movements without their operation")
    if more := done - write.requested:
        yield Violation(Fault.TWICE, client, write.operation, f"not asked for so often: {dict(more)}")
    if less := write.requested - done:
        yield Violation(Fault.HALF, client, write.operation, f"without {dict(less)}")


def _of_names(logbook: Logbook, ledger: Ledger) -> Iterator[Violation]:
    """Each product is there if its registration is, has the name of the last edit that is there, and was edited so often."""
    every = {code for write in logbook.writes for code in write.names}
    for code in sorted(every):
        given = [
            write.names[code]
            for write in logbook.writes
            if code in write.names and write.operation in ledger.operations
        ]
        stored = ledger.products.get(code)
        if stored is None:
            if given:
                yield Violation(Fault.HALF, logbook.client, code, "its operation is there, the product is not")
        elif not given:
            yield Violation(Fault.NOT_ASKED_FOR, logbook.client, code, "the product is there, its operation is not")
        elif stored.version > len(given):
            yield Violation(Fault.TWICE, logbook.client, code, f"version {stored.version} after {len(given)} changes")
        elif stored.name != given[-1] or stored.version < len(given):
            yield Violation(Fault.HALF, logbook.client, code, f"{stored} after {given}")


def _of_strangers(logbooks: list[Logbook], ledger: Ledger) -> Iterator[Violation]:
    """On products that clients registered, nothing moves except what they requested."""
    owners = {code: logbook.client for logbook in logbooks for write in logbook.writes for code in write.names}
    known = {write.operation for logbook in logbooks for write in logbook.writes}
    for row in ledger.movements:
        if row.code in owners and row.operation not in known:
            yield Violation(Fault.NOT_ASKED_FOR, owners[row.code], row.operation, str(row))


def _of_sums(logbooks: list[Logbook], ledger: Ledger) -> Iterator[Violation]:
    """The balance of a location is the sum of its movements, and the total of a product the sum of its balances."""
    owners = {code: logbook.client for logbook in logbooks for write in logbook.writes for code in write.names}
    moved: Counter[tuple[str, str]] = Counter()
    for row in ledger.movements:
        moved[row.code, row.location] += row.quantity
    for place in sorted(moved.keys() | ledger.balances.keys()):
        if place[0] in owners and moved[place] != ledger.balances.get(place, 0):
            detail = f"{place[1]}: {ledger.balances.get(place)} after movements of {moved[place]}"
            yield Violation(Fault.HALF, owners[place[0]], place[0], detail)
    for code in sorted(owners.keys() & ledger.products.keys()):
        total = sum(quantity for (of, _), quantity in ledger.balances.items() if of == code)
        if ledger.products[code].quantity != total:
            yield Violation(Fault.HALF, owners[code], code, f"{ledger.products[code].quantity}, in places {total}")
