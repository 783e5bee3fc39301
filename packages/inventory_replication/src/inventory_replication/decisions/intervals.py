"""Sorted, disjoint, closed intervals of transaction numbers, as tuples.

Every function expects and returns normal form: ascending, no two intervals that touch or overlap.
"""

from bisect import bisect_right
from collections.abc import Iterable

Interval = tuple[int, int]
"""First and last number, both included."""
Intervals = tuple[Interval, ...]

_LAST = 1 << 64


def normalise(intervals: Iterable[Interval]) -> Intervals:
    """Bring intervals in any order, touching or overlapping, into normal form."""
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return tuple(merged)


def contains(whole: Intervals, part: Intervals) -> bool:
    """Return whether every number of ``part`` is in ``whole``, by one binary search per interval of ``part``."""
    for first, last in part:
        at = bisect_right(whole, (first, _LAST)) - 1
        if at < 0 or whole[at][1] < last:
            return False
    return True


def union(left: Intervals, right: Intervals) -> Intervals:
    """Return the numbers of either. Constant time if ``right`` is one interval at the end of ``left``, as a new commit is."""
    if len(right) == 1 and left:
        (first, last), (tail_first, tail_last) = right[0], left[-1]
        if first > tail_last + 1:
            return (*left, right[0])
        if first >= tail_first:
            return left if last <= tail_last else (*left[:-1], (tail_first, last))
    return normalise(left + right)


def subtract(left: Intervals, right: Intervals) -> Intervals:
    """Return the numbers of ``left`` that are not in ``right``."""
    result: list[Interval] = []
    at = 0
    for first, last in left:
        while at < len(right) and right[at][1] < first:
            at += 1
        begin, look = first, at
        while look < len(right) and right[look][0] <= last:
            if right[look][0] > begin:
                result.append((begin, right[look][0] - 1))
            begin = max(begin, right[look][1] + 1)
            look += 1
        if begin <= last:
            result.append((begin, last))
    return tuple(result)


def intersect(left: Intervals, right: Intervals) -> Intervals:
    """Return the numbers that are in both."""
    result: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        first, last = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if first <= last:
            result.append((first, last))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(result)


def count(intervals: Intervals) -> int:
    """Return how many numbers there are."""
    return sum(last - first + 1 for first, last in intervals)
