"""What causal tokens ask for."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.tokens import CausalToken
from inventory_replication.errors import ConfigurationError

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "585eb717-0000-11f0-8000-0242ac110002"

sets = st.lists(
    st.builds(
        lambda uuid, first, length: GtidSet.of(uuid, first, first + length),
        st.sampled_from([A, B]),
        st.integers(1, 30),
        st.integers(0, 5),
    ),
    max_size=5,
).map(lambda parts: reduce(GtidSet.union, parts, EMPTY))
tokens = st.builds(CausalToken, st.just("shop"), sets, unknown=st.booleans(), issued_at=st.integers(0, 2_000_000_000))


@given(tokens, sets, st.floats(0, 2e9))
def test_a_commit_only_adds(token: CausalToken, gtids: GtidSet, now: float) -> None:
    later = token.with_commit(gtids, now)

    assert later.gtids == token.gtids | gtids
    assert later.unknown == token.unknown
    assert later.issued_at >= token.issued_at
    if gtids:
        assert later.issued_at >= int(now)


def test_a_clock_that_was_set_back_makes_no_token_older() -> None:
    token = CausalToken("shop", GtidSet.of(A, 1), issued_at=100)

    assert token.with_commit(GtidSet.of(A, 2), 50.0).issued_at == 100
    assert token.with_unknown_commit(50.0).issued_at == 100


def test_a_token_is_empty_only_without_commits() -> None:
    assert CausalToken("shop").requires_nothing
    assert not CausalToken("shop", GtidSet.of(A, 1)).requires_nothing
    assert not CausalToken("shop", unknown=True).requires_nothing


@given(tokens, tokens)
def test_a_merged_token_requires_what_both_require(left: CausalToken, right: CausalToken) -> None:
    joined = left.merged(right)

    assert joined.gtids == left.gtids | right.gtids
    assert joined.unknown == (left.unknown or right.unknown)
    assert joined.issued_at == max(left.issued_at, right.issued_at)


@given(tokens, st.lists(sets, min_size=1, max_size=4))
def test_pruning_never_changes_which_replica_satisfies_the_token(token: CausalToken, replicas: list[GtidSet]) -> None:
    pruned = token.pruned(replicas)

    assert pruned.unknown == token.unknown
    assert pruned.gtids <= token.gtids
    for executed in replicas:
        assert executed.contains(pruned.gtids) == executed.contains(token.gtids)


def test_pruning_takes_away_what_all_replicas_have() -> None:
    token = CausalToken("shop", GtidSet.parse(f"{A}:4-9"))

    assert token.pruned([GtidSet.of(A, 1, 8), GtidSet.of(A, 1, 6)]).gtids == GtidSet.of(A, 7, 9)
    assert token.pruned([GtidSet.of(A, 1, 9), GtidSet.of(A, 1, 20)]).requires_nothing
    assert token.pruned([]).requires_nothing


def test_a_replica_of_which_nothing_is_known_keeps_the_token_whole() -> None:
    token = CausalToken("shop", GtidSet.of(A, 4))

    assert token.pruned([GtidSet.of(A, 1, 9), None]) == token


def test_an_unknown_commit_requires_the_source_until_it_was_read() -> None:
    token = CausalToken("shop").with_unknown_commit(1_800_000_000.9)

    assert not token.requires_nothing
    assert not token.pruned([]).requires_nothing
    assert token.issued_at == 1_800_000_000
    resolved = token.resolved(GtidSet.of(A, 1, 9))
    assert (resolved.unknown, resolved.gtids) == (False, GtidSet.of(A, 1, 9))


def test_a_known_token_does_not_grow_when_it_is_resolved() -> None:
    token = CausalToken("shop", GtidSet.of(A, 4))

    assert token.resolved(GtidSet.of(A, 1, 9)) == token


def test_only_lost_transactions_are_abandoned() -> None:
    token = CausalToken("shop", GtidSet.parse(f"{A}:4-9,{B}:1"))

    assert token.without(GtidSet.of(A, 8, 12)).gtids == GtidSet.parse(f"{A}:4-7,{B}:1")


def test_tokens_of_two_clusters_are_not_joined() -> None:
    with pytest.raises(ConfigurationError, match="shop"):
        CausalToken("shop").merged(CausalToken("other"))


def test_a_commit_that_changed_nothing_does_not_renew_the_token() -> None:
    token = CausalToken("shop", GtidSet.of(A, 4), issued_at=5)

    assert token.with_commit(EMPTY, 99.0) is token


def test_holes_of_a_token_are_filled_with_what_the_source_has_and_nothing_else() -> None:
    token = CausalToken("c", GtidSet.parse(f"{A}:1:3:5:9,{B}:7"))
    filled = token.without_holes(GtidSet.parse(f"{A}:1-6:20"))

    assert filled.gtids == GtidSet.parse(f"{A}:1-6:9,{B}:7")
