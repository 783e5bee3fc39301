"""The staleness bound is never smaller than the true staleness, whatever happens; and small where it can be."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.staleness import NEVER, UNPROVED, Freshness, StalenessTracker

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"


def upto(number: int) -> GtidSet:
    return GtidSet.of(A, 1, number) if number else EMPTY


@dataclass
class World:
    """A source and a replica in simulated time, and a monitor behind a slow line."""

    tracker: StalenessTracker
    now: float = 0.0
    commits: tuple[float, ...] = ()
    sampled: int = 0
    applied: int = 0

    def commit_during(self, seconds: float) -> None:
        """Let time pass, with a commit at half of it."""
        self.now += seconds / 2
        self.commits = (*self.commits, self.now)
        self.now += seconds / 2

    def source_answers(self, there: float, back: float) -> None:
        probed_at = self.now
        self.commit_during(there)
        self.sampled = len(self.commits)
        answer = upto(self.sampled)
        self.commit_during(back)
        self.tracker.observe_source(probed_at, answer)

    def replica_answers(self, there: float, back: float) -> Freshness:
        self.commit_during(there)
        answer = upto(self.applied)
        self.commit_during(back)
        return self.tracker.observe_replica("db2", answer)

    def true_staleness(self) -> float:
        """Since when the replica misses something."""
        return self.now - self.commits[self.applied] if self.applied < len(self.commits) else 0.0


steps = st.lists(
    st.tuples(
        st.sampled_from(["commit", "apply", "catch up", "sample", "look", "wait"]), st.integers(0, 7), st.integers(0, 7)
    ),
    max_size=120,
)


@given(steps, st.integers(2, 12))
def test_the_bound_is_never_below_the_true_staleness(script: list[tuple[str, int, int]], capacity: int) -> None:
    world = World(StalenessTracker(capacity))
    freshness = UNPROVED
    for action, one, two in script:
        match action:
            case "commit":
                world.commits = (*world.commits, *([world.now] * one))
            case "apply":
                world.applied = min(world.applied + one, len(world.commits))
            case "catch up":
                world.applied = max(world.applied, world.sampled)
            case "sample":
                world.source_answers(one / 8, two / 8)
            case "look":
                freshness = world.replica_answers(one / 8, two / 8)
            case _:
                world.now += one

        assert freshness.bound(world.now) >= world.true_staleness()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(8, 12))
def test_a_replica_that_has_everything_is_as_fresh_as_the_last_sample(new_commits: list[int], capacity: int) -> None:
    world = World(StalenessTracker(capacity))
    for count in new_commits:
        world.commits = (*world.commits, *([world.now] * count))
        world.now += 1
        world.tracker.observe_source(world.now, upto(len(world.commits)))
        freshness = world.tracker.observe_replica("db2", upto(len(world.commits)))

        assert freshness == Freshness(world.now, 0.0)


def test_the_bound_counts_from_before_the_question_was_sent() -> None:
    tracker = StalenessTracker(8)
    tracker.observe_source(10.0, upto(5))

    assert tracker.observe_replica("db2", upto(5)).bound(13.5) == pytest.approx(3.5)


def test_the_bound_of_a_replica_that_trails_is_the_age_of_the_newest_sample_it_contains() -> None:
    tracker = StalenessTracker(8)
    for second in range(5):
        tracker.observe_source(float(second), upto(10 * (second + 1)))
    freshness = tracker.observe_replica("db2", upto(35))

    assert freshness == Freshness(complete_until=2.0, lag=2.0)
    assert freshness.bound(5.0) == pytest.approx(3.0)


def test_no_bound_is_negative() -> None:
    assert Freshness(5.0).bound(4.0) == 0.0


def test_an_idle_source_makes_nothing_stale() -> None:
    tracker = StalenessTracker(8)
    for second in range(100):
        tracker.observe_source(float(second), upto(5))

    assert tracker.observe_replica("db2", upto(5)) == Freshness(99.0, 0.0)


def test_the_bound_grows_while_the_source_is_gone() -> None:
    tracker = StalenessTracker(8)
    tracker.observe_source(1.0, upto(5))
    bounds = [tracker.observe_replica("db2", upto(5)).bound(now) for now in (2.0, 60.0, 3_600.0)]

    assert bounds == pytest.approx([1.0, 59.0, 3_599.0])


def test_the_bound_grows_while_the_replica_is_silent() -> None:
    tracker = StalenessTracker(8)
    tracker.observe_source(1.0, upto(5))
    tracker.observe_replica("db2", upto(5))
    for second in range(2, 50):
        tracker.observe_source(float(second), upto(5))

    assert tracker.freshness("db2").bound(50.0) == pytest.approx(49.0)


def test_nothing_is_proved_of_a_replica_before_it_contains_a_sample() -> None:
    tracker = StalenessTracker(8)

    assert tracker.freshness("db2").bound(5.0) == math.inf
    assert tracker.observe_replica("db2", upto(5)).complete_until == NEVER
    tracker.observe_source(1.0, upto(9))
    assert tracker.observe_replica("db2", upto(8)) == UNPROVED


def test_a_replica_far_behind_keeps_the_proof_it_had_when_its_sample_is_gone() -> None:
    tracker = StalenessTracker(8)
    for second in range(500):
        tracker.observe_source(float(second), upto(second + 1))
        tracker.observe_replica("db2", upto(min(second + 1, 4)))

    assert tracker.freshness("db2").bound(500.0) == pytest.approx(497.0)
    assert tracker.observe_replica("db3", upto(4)).bound(500.0) == pytest.approx(500.0)


def test_an_idle_time_takes_no_memory() -> None:
    tracker = StalenessTracker(8)
    for second in range(6):
        tracker.observe_source(float(second), upto(second + 1))
    for second in range(6, 500):
        tracker.observe_source(float(second), upto(6))

    assert tracker.observe_replica("db2", upto(5)).complete_until == pytest.approx(4.0)


def test_memory_is_limited_and_still_reaches_far_back() -> None:
    tracker = StalenessTracker(16)
    for second in range(2_000):
        tracker.observe_source(float(second), upto(second + 1))
    exact = 2_000.0 - 399
    trailing = tracker.observe_replica("db2", upto(400)).bound(2_000.0)

    assert exact < trailing < math.inf


def test_a_replica_rebuilt_from_an_older_copy_loses_its_proof() -> None:
    tracker = StalenessTracker(8)
    tracker.observe_source(1.0, upto(5))
    tracker.observe_source(2.0, upto(9))
    tracker.observe_replica("db2", upto(9))

    assert tracker.observe_replica("db2", upto(6)).complete_until == pytest.approx(1.0)
    assert tracker.observe_replica("db2", upto(3)) == UNPROVED


def test_a_source_with_a_rewritten_history_proves_nothing_of_before() -> None:
    tracker = StalenessTracker(8)
    tracker.observe_source(1.0, upto(9))
    tracker.observe_replica("db2", upto(9))
    tracker.observe_source(2.0, upto(5))

    assert tracker.freshness("db2") == UNPROVED
    assert tracker.observe_replica("db2", upto(9)).complete_until == pytest.approx(2.0)


def test_a_sample_that_arrives_too_late_is_ignored() -> None:
    tracker = StalenessTracker(8)
    tracker.observe_source(5.0, upto(9))
    tracker.observe_source(4.0, upto(3))

    assert tracker.observe_replica("db2", upto(5)) == UNPROVED
    assert tracker.observe_replica("db3", upto(9)).complete_until == pytest.approx(5.0)
