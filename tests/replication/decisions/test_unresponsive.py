"""Which readers are interrupted: only those that wait in vain while another server could answer."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.config import RoutingPolicy
from inventory_replication.decisions.breaker import Breaker
from inventory_replication.decisions.routing_table import RoutingTable
from inventory_replication.decisions.snapshot import Answer
from inventory_replication.decisions.topology import decide_topology
from inventory_replication.decisions.unresponsive import MIN_MISSED_PROBES, NONE_MISSED, MissedProbes, find_unresponsive
from tests.replication.decisions.routing_cases import FRESH, GONE, NOW, OPEN, POLICY, TWO, read, replica, table, upto

CLOSED = Breaker()
LONG = MissedProbes(3, NOW - 2.0, NOW - 1.0)


def seen(
    silent: tuple[str, ...], breakers: Mapping[str, Breaker], policy: RoutingPolicy = POLICY, **changes: Answer
) -> RoutingTable:
    """The table after all servers have answered once, and these no more."""
    before = decide_topology({**TWO, **changes}, None, NOW - 5)
    answers = {**TWO, **changes, **dict.fromkeys(silent, GONE)}
    return table(answers, FRESH, policy, previous=before, breakers=breakers)


def cut_off(*silent: str, missed: Mapping[str, MissedProbes] | None = None, **breakers: Breaker) -> dict[str, float]:
    breakers = {**dict.fromkeys(TWO, CLOSED), **dict.fromkeys(silent, OPEN), **breakers}
    return find_unresponsive(
        dict.fromkeys(silent, LONG) if missed is None else missed, breakers, seen(silent, breakers)
    )


def test_a_silence_grows_with_every_question_and_ends_with_the_first_answer() -> None:
    once = NONE_MISSED.after(1.0, answered=False)
    twice = once.after(2.0, answered=False)
    thrice = twice.after(3.0, answered=False)

    assert [each.count for each in (NONE_MISSED, once, twice, thrice)] == [0, 1, 2, 3]
    assert thrice.after(4.0, answered=True) == NONE_MISSED


def test_it_reaches_back_to_the_last_question_but_one_so_that_an_answer_that_broke_off_late_is_noticed_too() -> None:
    once = NONE_MISSED.after(1.0, answered=False)
    twice = once.after(2.0, answered=False)

    assert [each.since for each in (NONE_MISSED, once, twice, twice.after(3.0, answered=False))] == [inf, 1.0, 1.0, 2.0]


def test_readers_of_a_silent_replica_that_is_left_alone_are_cut_off() -> None:
    assert cut_off("db2") == {"db2": LONG.since}
    assert cut_off("db2", "db3") == {"db2": LONG.since, "db3": LONG.since}, "the source can be read"


def test_one_missed_probe_interrupts_no_reader_even_if_it_opens_the_breaker() -> None:
    once = NONE_MISSED.after(NOW - 1, answered=False)

    assert cut_off("db2", missed={"db2": once}) == {}
    assert cut_off("db2", missed={"db2": once.after(NOW, answered=False)}) == {"db2": NOW - 1}


def test_no_reader_is_interrupted_before_the_breaker_opens() -> None:
    assert cut_off("db2", db2=CLOSED) == {}


def test_a_replica_that_answers_is_left_in_peace_though_its_breaker_is_open() -> None:
    """It takes no new connection, perhaps; the old ones are as good as ever."""
    assert cut_off(missed={"db2": NONE_MISSED}, db2=OPEN) == {}
    assert cut_off(missed={}, db2=OPEN) == {}


def test_the_source_is_never_cut_off() -> None:
    assert cut_off("db1") == {}


def test_a_former_source_is_not_cut_off_before_it_was_seen_as_a_replica() -> None:
    promoted = replace(replica("db2", upto(100)), read_only=False, super_read_only=False, channels=())
    before = decide_topology(TWO, None, NOW - 5)
    after = table({**TWO, "db1": GONE, "db2": promoted}, FRESH, previous=before, breakers={"db1": OPEN})
    assert after.source == "db2"

    assert find_unresponsive({"db1": LONG}, {"db1": OPEN, "db2": CLOSED, "db3": CLOSED}, after) == {}


def test_a_wait_goes_on_if_no_other_server_can_be_read() -> None:
    assert cut_off("db1", "db2") == {"db2": LONG.since}, "db3 can be read"
    assert cut_off("db1", "db2", db3=OPEN) == {}


def test_readers_are_cut_off_everywhere_if_every_one_of_several_servers_is_silent() -> None:
    assert set(cut_off("db1", "db2", "db3")) == {"db1", "db2", "db3"}


def test_readers_of_the_only_server_wait_for_it() -> None:
    only = {"db1": TWO["db1"]}
    known = table({"db1": GONE}, FRESH, previous=decide_topology(only, None, NOW - 5), breakers={"db1": OPEN})

    assert find_unresponsive({"db1": LONG}, {"db1": OPEN}, known) == {}


def test_a_server_that_never_answered_is_not_a_replica() -> None:
    breakers = {"db1": CLOSED, "db2": OPEN, "db3": CLOSED}
    never = table({**TWO, "db2": GONE}, FRESH, breakers=breakers)

    assert find_unresponsive({"db2": LONG}, breakers, never) == {}


QUESTIONS = st.lists(st.booleans(), max_size=8)


@given(
    answered=st.fixed_dictionaries(dict.fromkeys(TWO, QUESTIONS)),
    opened=st.sets(st.sampled_from(sorted(TWO))),
)
def test_cut_off_is_a_silent_replica_if_another_server_serves_or_all_if_all_are_silent(
    answered: Mapping[str, list[bool]], opened: set[str]
) -> None:
    missed = dict.fromkeys(TWO, NONE_MISSED)
    for name, answers in answered.items():
        for number, each in enumerate(answers):
            missed[name] = missed[name].after(float(number), answered=each)
    silent = tuple(name for name in TWO if missed[name].count)
    breakers = {name: OPEN if name in opened else CLOSED for name in TWO}
    known = seen(silent, breakers)

    chosen = find_unresponsive(missed, breakers, known)

    serving = known.source is not None or bool(known.replicas)
    candidates = opened - {"db1"} if serving else opened
    wanted = {
        name
        for name in candidates
        if len(answered[name]) >= MIN_MISSED_PROBES and not any(answered[name][-MIN_MISSED_PROBES:])
    }
    assert set(chosen) == (wanted if serving or wanted == set(TWO) else set())
    for name, since in chosen.items():
        assert since == len(answered[name]) - MIN_MISSED_PROBES
        assert not serving or read(known).server not in {None, name}
