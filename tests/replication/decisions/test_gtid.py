"""GTID sets against a naive model: a Python set of (uuid, tag, number)."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.decisions import intervals as iv
from inventory_replication.decisions.gtid import EMPTY, MAX_NUMBER, GtidSet
from inventory_replication.errors import InvalidGtidSet

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "585eb717-0000-11f0-8000-0242ac110002"

Gtid = tuple[str, str, int]
Model = frozenset[Gtid]

gtids = st.tuples(st.sampled_from([A, B]), st.sampled_from(["", "app", "_b"]), st.integers(1, 12))
models: st.SearchStrategy[Model] = st.frozensets(gtids, max_size=30)


def build(model: Iterable[Gtid]) -> GtidSet:
    result = EMPTY
    for uuid, tag, number in model:
        result |= GtidSet.of(uuid, number, tag=tag)
    return result


def members(gtid_set: GtidSet) -> Model:
    return frozenset(
        (uuid, tag, number)
        for (uuid, tag), intervals in gtid_set.by_origin.items()
        for first, last in intervals
        for number in range(first, last + 1)
    )


def is_normal(gtid_set: GtidSet) -> bool:
    """Ascending, and between two intervals at least one number is missing; no origin without a number."""
    return all(
        intervals
        and all(first <= last for first, last in intervals)
        and all(left[1] + 1 < right[0] for left, right in pairwise(intervals))
        for intervals in gtid_set.by_origin.values()
    )


@given(models, models)
def test_algebra_is_that_of_sets(left: Model, right: Model) -> None:
    a, b = build(left), build(right)

    for result, expected in ((a | b, left | right), (a - b, left - right), (a & b, left & right)):
        assert members(result) == expected
        assert is_normal(result)


@given(models, models)
def test_containment_is_that_of_sets(left: Model, right: Model) -> None:
    a, b = build(left), build(right)

    assert a.contains(b) == (right <= left)
    assert (a <= b) == (left <= right)
    assert (a | b).contains(a)
    assert a.contains(EMPTY)
    assert a.count_missing(b) == len(right - left)


@given(models, models)
def test_equal_sets_are_equal_and_have_one_hash_whatever_way_they_were_built(left: Model, right: Model) -> None:
    there, back = build(left) | build(right), build(right) | build(left)

    assert there == back
    assert hash(there) == hash(back)
    assert (build(left) == build(right)) == (left == right)
    assert there != str(there)


@given(models)
def test_count_and_emptiness_are_those_of_sets(model: Model) -> None:
    gtid_set = build(model)

    assert gtid_set.count() == len(model)
    assert gtid_set.is_empty() == (not model)
    assert bool(gtid_set) == bool(model)
    assert gtid_set.uuids() == {uuid for uuid, _, _ in model}
    assert members(gtid_set.of_uuids([A])) == {gtid for gtid in model if gtid[0] == A}


@given(models)
def test_text_reads_back_to_the_same_set(model: Model) -> None:
    gtid_set = build(model)

    assert GtidSet.parse(str(gtid_set)) == gtid_set
    assert GtidSet.parse(gtid_set.compact()) == gtid_set
    assert str(gtid_set).replace("\n", "") == gtid_set.compact()


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)), max_size=12))
def test_intervals_in_any_order_come_into_normal_form(spans: list[tuple[int, int]]) -> None:
    text = ":".join(f"{first}-{first + length}" for first, length in spans)
    gtid_set = GtidSet.parse(f"{A}:{text}") if spans else EMPTY

    assert members(gtid_set) == {(A, "", n) for first, length in spans for n in range(first, first + length + 1)}
    assert is_normal(gtid_set)


@given(st.text(alphabet=f"{A}:-,abxyz_ \n'\"0129", max_size=120))
def test_any_text_returns_a_set_in_normal_form_or_is_refused(text: str) -> None:
    try:
        gtid_set = GtidSet.parse(text)
    except InvalidGtidSet:
        return
    assert is_normal(gtid_set)
    assert GtidSet.parse(str(gtid_set)) == gtid_set


def test_text_is_the_one_that_the_server_writes() -> None:
    read = GtidSet.parse(f" {B.upper()}:7 ,\n{A}:TAG_b:3:1-2:app:9:8, {A}:5:1-3:4:9 ")

    assert str(read) == f"{A}:1-5:9:app:8-9:tag_b:1-3,\n{B}:7"
    assert read.compact() == f"{A}:1-5:9:app:8-9:tag_b:1-3,{B}:7"


def test_tags_are_kept_apart_from_each_other_and_from_no_tag() -> None:
    tagged, untagged = GtidSet.of(A, 1, 5, tag="app"), GtidSet.of(A, 1, 5)

    assert not untagged.contains(tagged)
    assert not tagged.contains(untagged)
    assert (tagged - untagged) == tagged


def test_a_hole_is_not_contained() -> None:
    executed = GtidSet.parse(f"{A}:1-4:6-9")

    assert not executed.contains(GtidSet.of(A, 5))
    assert not executed.contains(GtidSet.of(A, 4, 6))
    assert executed.contains(GtidSet.parse(f"{A}:2-3:6-9"))


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_blank_text_is_the_empty_set(text: str) -> None:
    assert GtidSet.parse(text) is EMPTY
    assert str(EMPTY) == ""


@pytest.mark.parametrize(
    "text",
    [
        A,
        f"{A}:",
        f"{A}:0",
        f"{A}:1-0",
        f"{A}:5-3",
        f"{A}:-3",
        f"{A}:1-",
        f"{A}:1:",
        f"{A}::1",
        f"{A}:1,",
        f",{A}:1",
        f"{A}:1,,{B}:1",
        f"{A}:app",
        f"{A}:app:b:1",
        f"{A}:1:app",
        f"{A}:9app:1",
        f"{A}:app-x:1",
        f"{A}:{'t' * 33}:1",
        f"{A}:1 2",
        f"{A}:1;DROP TABLE product",
        f"{A}:1') OR SLEEP(9)-- ",
        f"{A[:-1]}:1",
        f"{A}0:1",
        f"{A.replace('-', '')}:1",
        f"{A[:-1]}g:1",
        f"{A}:{MAX_NUMBER + 1}",
        f"{A}:1-99999999999999999999",
        f"{A}:٣",
        f"{A}:1\x00",
        f"{A}:1\xa0",
    ],
)
def test_what_is_not_a_gtid_set_is_refused(text: str) -> None:
    with pytest.raises(InvalidGtidSet):
        GtidSet.parse(text)


def test_the_highest_number_of_a_server_is_read() -> None:
    assert GtidSet.parse(f"{A}:{MAX_NUMBER}") == GtidSet.of(A, MAX_NUMBER)


def test_longer_text_than_allowed_is_refused_and_not_shown() -> None:
    text = f"{A}:1" + ":3" * 50

    assert GtidSet.parse(text, max_length=len(text)).count() == 2
    with pytest.raises(InvalidGtidSet) as refused:
        GtidSet.parse(text, max_length=len(text) - 1)
    assert A not in str(refused.value)


def test_a_refusal_shows_only_a_little_of_the_text() -> None:
    with pytest.raises(InvalidGtidSet) as refused:
        GtidSet.parse("x" * 900)

    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("uuid", "first", "last", "tag"),
    [("no", 1, None, ""), (A, 0, None, ""), (A, 3, 2, ""), (A, 1, MAX_NUMBER + 1, ""), (A, 1, None, "9x")],
)
def test_what_is_not_a_range_is_refused(uuid: str, first: int, last: int | None, tag: str) -> None:
    with pytest.raises(InvalidGtidSet):
        GtidSet.of(uuid, first, last, tag)


def test_a_set_cannot_be_changed() -> None:
    gtid_set = GtidSet.of(A, 1)

    with pytest.raises(AttributeError):
        gtid_set.by_origin = {}  # type: ignore[misc]


def test_union_with_what_is_there_already_is_the_same_object() -> None:
    gtid_set = GtidSet.parse(f"{A}:1-9:20-30,{B}:1")

    assert gtid_set | GtidSet.of(A, 25) is gtid_set
    assert gtid_set | EMPTY is gtid_set


def test_a_new_commit_at_the_end_does_not_sort_the_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    gtid_set = GtidSet.parse(f"{A}:" + ":".join(str(2 * n) for n in range(1, 500)))

    def refuse(_intervals: Iterable[iv.Interval]) -> iv.Intervals:
        raise AssertionError

    monkeypatch.setattr(iv, "normalise", refuse)
    assert (gtid_set | GtidSet.of(A, 999)).count() == 500
    assert (gtid_set | GtidSet.of(A, 1002)).count() == 500
