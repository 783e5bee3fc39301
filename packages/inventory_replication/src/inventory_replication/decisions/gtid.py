"""GTID sets: sets of transactions by origin.

A GTID is the UUID of the server that first committed the transaction, since MySQL 8.3 an optional tag, and a number. Sets are
compared by containment alone: numbers of different origins have no order, and a hole in a set is a missing transaction.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from inventory_replication.decisions import intervals as iv
from inventory_replication.errors import InvalidGtidSet

Origin = tuple[str, str]
"""UUID in lower case, and tag (empty: none)."""

MAX_TEXT: Final = 1_000_000
"""Maximum length, in characters, of the text that `GtidSet.parse` accepts by default: enough for any answer of a server."""
MAX_NUMBER: Final = 2**63 - 2
"""Highest transaction number that a server assigns."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}")
_INTERVAL = re.compile(r"([0-9]{1,19})(?:-([0-9]{1,19}))?")
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GtidSet:
    """An immutable, hashable set of GTIDs.

    Create it with `parse`, `of` or `EMPTY`, not from its fields. ``str()`` is exactly the text that the server returns for the
    set. ``|``, ``-``, ``&`` and ``<=`` mean `union`, `subtract`, `intersect` and "is contained in".
    """

    by_origin: Mapping[Origin, iv.Intervals]
    """Numbers of each origin in normal form. Do not change it."""

    @classmethod
    def parse(cls, text: str, *, max_length: int = MAX_TEXT) -> "GtidSet":
        """Parse a set as a server writes it: ``uuid:1-3:5``, with tags ``uuid:1-3:tag:7``, several separated by commas.

        Like the server it accepts capital letters, spaces around parts, and intervals in any order, even overlapping ones. What
        the server tolerates but never writes (empty intervals, a UUID without numbers or hyphens) is refused.

        Args:
            text: From a server or an untrusted client.
            max_length: Refuse longer text without parsing it.

        Raises:
            InvalidGtidSet: The text is too long or not a GTID set. The message shows at most 80 characters of it.
        """
        if len(text) > max_length:
            raise InvalidGtidSet(f"A GTID set of {len(text)} characters is longer than the {max_length} allowed here.")
        if not text.strip(_SPACE):
            return EMPTY
        collected: dict[Origin, list[iv.Interval]] = {}
        for element in text.lower().split(","):
            _read_element(element, collected)
        return cls({origin: iv.normalise(found) for origin, found in collected.items()})

    @classmethod
    def of(cls, uuid: str, first: int, last: int | None = None, tag: str = "") -> "GtidSet":
        """Return the transactions ``first`` to ``last`` (or ``first`` alone) of one origin.

        Raises:
            InvalidGtidSet: UUID, tag or numbers are invalid.
        """
        origin = (uuid.lower(), tag.lower())
        last = first if last is None else last
        if (
            not _UUID.fullmatch(origin[0])
            or (tag and not _TAG.fullmatch(origin[1]))
            or not 1 <= first <= last <= MAX_NUMBER
        ):
            raise InvalidGtidSet(f"{uuid[:40]!r}, tag {tag[:40]!r}, {first}-{last} is not a GTID or a range of GTIDs.")
        return cls({origin: ((first, last),)})

    def union(self, other: "GtidSet") -> "GtidSet":
        """Return the GTIDs of either set; this very object if ``other`` adds nothing."""
        changed: dict[Origin, iv.Intervals] = {}
        for origin, theirs in other.by_origin.items():
            mine = self.by_origin.get(origin)
            joined = theirs if mine is None else iv.union(mine, theirs)
            if joined != mine:
                changed[origin] = joined
        return GtidSet({**self.by_origin, **changed}) if changed else self

    def subtract(self, other: "GtidSet") -> "GtidSet":
        """Return the GTIDs of this set that are not in ``other``."""
        kept = {origin: iv.subtract(mine, other.by_origin.get(origin, ())) for origin, mine in self.by_origin.items()}
        return _without_empty(kept)

    def intersect(self, other: "GtidSet") -> "GtidSet":
        """Return the GTIDs that are in both."""
        theirs = other.by_origin
        return _without_empty(
            {origin: iv.intersect(mine, theirs[origin]) for origin, mine in self.by_origin.items() if origin in theirs}
        )

    def contains(self, other: "GtidSet") -> bool:
        """Return whether every GTID of ``other`` is in this set; the empty set is in every set."""
        mine = self.by_origin
        for origin, theirs in other.by_origin.items():
            here = mine.get(origin)
            if here is None or not iv.contains(here, theirs):
                return False
        return True

    def without_holes(self, known: "GtidSet") -> "GtidSet":
        """Add the GTIDs of ``known`` that are between the first and the last of the same origin in this set."""
        filled: dict[Origin, iv.Intervals] = {}
        for origin, mine in self.by_origin.items():
            between = iv.intersect(((mine[0][0], mine[-1][1]),), known.by_origin.get(origin, ()))
            filled[origin] = iv.normalise(mine + between)
        return GtidSet(filled)

    def count_missing(self, other: "GtidSet") -> int:
        """Return how many GTIDs of ``other`` are not in this set."""
        mine = self.by_origin
        return sum(
            iv.count(iv.subtract(theirs, mine[origin]) if origin in mine else theirs)
            for origin, theirs in other.by_origin.items()
        )

    def is_empty(self) -> bool:
        """Return whether the set has no GTID."""
        return not self.by_origin

    def count(self) -> int:
        """Return the number of GTIDs."""
        return sum(iv.count(mine) for mine in self.by_origin.values())

    def uuids(self) -> frozenset[str]:
        """Return the UUIDs, in lower case, with any tag."""
        return frozenset(uuid for uuid, _ in self.by_origin)

    def of_uuids(self, uuids: Iterable[str]) -> "GtidSet":
        """Return the GTIDs that have one of these UUIDs (lower case), with any tag."""
        selected = frozenset(uuids)
        return GtidSet({origin: mine for origin, mine in self.by_origin.items() if origin[0] in selected})

    def compact(self) -> str:
        """Return the server's text on one line, with single commas between UUIDs. The server accepts it like its own."""
        return ",".join(self._elements())

    def digest(self) -> str:
        """Return 16 hexadecimal digits that equal sets share and different ones do not."""
        return hashlib.sha256(self.compact().encode()).hexdigest()[:16]

    def _elements(self) -> list[str]:
        texts: list[str] = []
        previous = ""
        for uuid, tag in sorted(self.by_origin):
            numbers = ":".join(
                str(first) if first == last else f"{first}-{last}" for first, last in self.by_origin[uuid, tag]
            )
            labelled = f"{tag}:{numbers}" if tag else numbers
            if uuid == previous:
                texts[-1] += f":{labelled}"
            else:
                texts.append(f"{uuid}:{labelled}")
            previous = uuid
        return texts

    def __or__(self, other: "GtidSet") -> "GtidSet":
        return self.union(other)

    def __sub__(self, other: "GtidSet") -> "GtidSet":
        return self.subtract(other)

    def __and__(self, other: "GtidSet") -> "GtidSet":
        return self.intersect(other)

    def __le__(self, other: "GtidSet") -> bool:
        return other.contains(self)

    def __bool__(self) -> bool:
        return bool(self.by_origin)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GtidSet) and self.by_origin == other.by_origin

    def __hash__(self) -> int:
        return hash(frozenset(self.by_origin.items()))

    def __str__(self) -> str:
        return ",\n".join(self._elements())

    def __repr__(self) -> str:
        return f"GtidSet({self.compact()!r})"


EMPTY: Final = GtidSet({})
"""The empty set."""


def _without_empty(by_origin: Mapping[Origin, iv.Intervals]) -> GtidSet:
    kept = {origin: found for origin, found in by_origin.items() if found}
    return GtidSet(kept) if kept else EMPTY


def _read_element(element: str, collected: dict[Origin, list[iv.Interval]]) -> None:
    """Add the GTIDs of ``uuid:…`` to those of its origins."""
    uuid, *parts = (part.strip(_SPACE) for part in element.split(":"))
    if not _UUID.fullmatch(uuid) or not parts:
        raise _no_set(element)
    tag, pending = "", False
    for part in parts:
        match = _INTERVAL.fullmatch(part)
        if match:
            first, last = int(match[1]), int(match[2] or match[1])
            if not 1 <= first <= last <= MAX_NUMBER:
                raise _no_set(element)
            collected.setdefault((uuid, tag), []).append((first, last))
            pending = False
        elif _TAG.fullmatch(part) and not pending:
            tag, pending = part, True
        else:
            raise _no_set(element)
    if pending:
        raise _no_set(element)


def _no_set(element: str) -> InvalidGtidSet:
    return InvalidGtidSet(
        f"{element.strip(_SPACE)[:80]!r} is not part of a GTID set such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5."
    )
