"""The checker finds each way in which a ledger can contradict a response."""

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journeys.checker import Fault, violations
from tests.journeys.ledger import Ledger, Moved, Stored
from tests.journeys.logbook import Logbook, Outcome, Step

ACKNOWLEDGED, REFUSED, UNKNOWN = Outcome.ACKNOWLEDGED, Outcome.REFUSED, Outcome.UNKNOWN
PLACE = "Principal"
Change = Callable[[Ledger], Ledger]


def kept(logbooks: list[Logbook], unknown_done: set[str] | None = None) -> Ledger:
    """The ledger of a system that keeps its word; of the unknown changes it has carried out these."""
    done = [
        write
        for logbook in logbooks
        for write in logbook.writes
        if write.outcome is ACKNOWLEDGED or write.operation in (unknown_done or set())
    ]
    movements = [
        Moved(write.operation, step.code, PLACE, step.kind, step.quantity) for write in done for step in write.steps
    ]
    names = [(code, name) for write in done for code, name in write.names.items()]
    balances: dict[tuple[str, str], int] = {}
    for row in movements:
        balances[row.code, PLACE] = balances.get((row.code, PLACE), 0) + row.quantity
    products = {
        code: Stored(name, balances.get((code, PLACE), 0), [each for each, _ in names].count(code))
        for code, name in names
    }
    return Ledger(frozenset(write.operation for write in done), tuple(movements), products, balances)


def logbook(*attempts: Outcome) -> Logbook:
    """The logbook of a client that registered and renamed a product, and then requested five more of it once."""
    reported = Logbook("ana")
    reported.about_to("register", Step("A", "receive", 3), names={"A": "Mesa"}).attempts.append(ACKNOWLEDGED)
    reported.about_to("edit", names={"A": "Mesa de roble"}).attempts.append(ACKNOWLEDGED)
    reported.about_to("receive", Step("A", "receive", 5)).attempts.extend(attempts or [ACKNOWLEDGED])
    return reported


def without_operation(name: str) -> Change:
    return lambda ledger: dataclasses.replace(
        ledger,
        operations=ledger.operations - {name},
        movements=tuple(row for row in ledger.movements if row.operation != name),
    )


def moved_again(name: str, operation: str) -> Change:
    """The movement is there a second time, and so is its quantity."""

    def change(ledger: Ledger) -> Ledger:
        row = next(row for row in ledger.movements if row.operation == name)
        stored = ledger.products[row.code]
        return dataclasses.replace(
            ledger,
            operations=ledger.operations | {operation},
            movements=(*ledger.movements, dataclasses.replace(row, operation=operation)),
            balances={**ledger.balances, (row.code, PLACE): stored.quantity + row.quantity},
            products={row.code: dataclasses.replace(stored, quantity=stored.quantity + row.quantity)},
        )

    return change


def stored_as(name: str, quantity: int, version: int) -> Change:
    return lambda ledger: dataclasses.replace(ledger, products={"A": Stored(name, quantity, version)})


def only_movements_without(name: str) -> Change:
    return lambda ledger: dataclasses.replace(
        ledger, movements=tuple(row for row in ledger.movements if row.operation != name)
    )


def faults(reported: Logbook, ledger: Ledger) -> set[Fault]:
    return {violation.fault for violation in violations([reported], ledger)}


TAMPERED: dict[str, tuple[Change, Fault]] = {
    "an acknowledged change is missing": (without_operation("receive"), Fault.LOST),
    "an acknowledged edit is missing": (without_operation("edit"), Fault.LOST),
    "a change is there twice under its id": (moved_again("receive", "receive"), Fault.TWICE),
    "a change is there again under another id": (moved_again("receive", "another"), Fault.NOT_ASKED_FOR),
    "an edit was carried out twice": (stored_as("Mesa de roble", 8, 3), Fault.TWICE),
    "an edit left the name": (stored_as("Mesa", 8, 2), Fault.HALF),
    "an edit left the version": (stored_as("Mesa de roble", 8, 1), Fault.HALF),
    "an operation is there without its movements": (only_movements_without("receive"), Fault.HALF),
    "movements are there without their operation": (
        lambda ledger: dataclasses.replace(ledger, operations=ledger.operations - {"receive"}),
        Fault.HALF,
    ),
    "a product is missing": (lambda ledger: dataclasses.replace(ledger, products={}), Fault.HALF),
    "a balance is missing": (lambda ledger: dataclasses.replace(ledger, balances={}), Fault.HALF),
    "a balance lags behind its movements": (
        lambda ledger: dataclasses.replace(ledger, balances={("A", PLACE): 3}),
        Fault.HALF,
    ),
    "a total lags behind its balances": (stored_as("Mesa de roble", 3, 2), Fault.HALF),
}


@pytest.mark.parametrize("change", TAMPERED)
def test_the_checker_finds_a_ledger_that_contradicts_the_responses(change: str) -> None:
    reported = logbook()
    tamper, fault = TAMPERED[change]

    assert violations([reported], kept([reported])) == []
    assert fault in faults(reported, tamper(kept([reported])))


def test_a_refused_change_must_not_be_there() -> None:
    reported = logbook(REFUSED)

    assert violations([reported], kept([reported])) == []
    assert faults(reported, kept([logbook()])) == {Fault.REFUSED_YET_DONE}


def test_a_change_whose_outcome_is_unknown_is_there_whole_or_not_at_all() -> None:
    reported = logbook(UNKNOWN)

    assert violations([reported], kept([reported])) == []
    assert violations([reported], kept([logbook()])) == []
    assert Fault.HALF in faults(reported, only_movements_without("receive")(kept([logbook()])))
    assert Fault.TWICE in faults(reported, moved_again("receive", "receive")(kept([logbook()])))


def test_a_product_with_only_a_missing_registration_was_not_requested() -> None:
    reported = Logbook("ana")
    reported.about_to("register", names={"A": "Mesa"}).attempts.append(UNKNOWN)

    assert faults(reported, Ledger(products={"A": Stored("Mesa", 0, 1)})) == {Fault.NOT_ASKED_FOR}


@pytest.mark.parametrize(
    ("attempts", "outcome"),
    [
        ([UNKNOWN, REFUSED, ACKNOWLEDGED], ACKNOWLEDGED),
        ([ACKNOWLEDGED, UNKNOWN], ACKNOWLEDGED),
        ([UNKNOWN, REFUSED], UNKNOWN),
        ([REFUSED, REFUSED], REFUSED),
        ([], REFUSED),
    ],
)
def test_the_best_response_of_any_attempt_decides_what_is_known(attempts: list[Outcome], outcome: Outcome) -> None:
    reported = Logbook("ana")
    reported.about_to("x").attempts.extend(attempts)

    assert reported.writes[0].outcome is outcome


@st.composite
def crowds(draw: st.DrawFn) -> list[Logbook]:
    """Logbooks of several clients: each registers and changes products, and got any response."""
    logbooks = []
    for client in range(draw(st.integers(1, 3))):
        reported = Logbook(f"client-{client}")
        for number in range(draw(st.integers(1, 3))):
            code = f"{client}-{number}"
            reported.about_to(f"{code}-new", Step(code, "receive", 10), names={code: "name 0"}).attempts.append(
                ACKNOWLEDGED
            )
            for change, kind in enumerate(draw(st.lists(st.sampled_from(["edit", "receive", "count"]), max_size=4))):
                steps = () if kind == "edit" else (Step(code, kind, draw(st.integers(1, 9))),)
                names = {code: f"name {change + 1}"} if kind == "edit" else {}
                attempts = draw(st.lists(st.sampled_from(Outcome), min_size=1, max_size=3))
                reported.about_to(f"{code}-{change}", *steps, names=names).attempts.extend(attempts)
        logbooks.append(reported)
    return logbooks


@given(crowds(), st.data())
def test_no_fault_is_found_where_every_word_was_kept_and_one_where_any_was_not(
    logbooks: list[Logbook], data: st.DataObject
) -> None:
    writes = [write for logbook in logbooks for write in logbook.writes]
    open_ones = [write.operation for write in writes if write.outcome is UNKNOWN]
    done = set(data.draw(st.lists(st.sampled_from(open_ones)))) if open_ones else set()
    ledger = kept(logbooks, done)

    assert violations(logbooks, ledger) == []

    lost = data.draw(st.sampled_from([write.operation for write in writes if write.outcome is ACKNOWLEDGED]))
    found = violations(logbooks, without_operation(lost)(ledger))
    assert (Fault.LOST, lost) in [(violation.fault, violation.about) for violation in found]

    moved = data.draw(st.sampled_from(ledger.movements))
    twice = dataclasses.replace(ledger, movements=(*ledger.movements, moved))
    assert (Fault.TWICE, moved.operation) in [(each.fault, each.about) for each in violations(logbooks, twice)]
