"""The record of each change that a client requests: before it is sent, and when the response arrives."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """The response to one attempt."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    """And so nothing was changed."""
    UNKNOWN = "unknown"
    """No answer, or one that does not say what became of it."""


@dataclass(frozen=True, order=True)
class Step:
    """A requested movement; ``quantity`` is signed."""

    code: str
    kind: str
    quantity: int


@dataclass
class Write:
    """A change with its operation id, under which it may be sent several times.

    Args:
        operation: Its id, the same in each attempt.
        steps: The movements that it writes.
        names: What it calls products that it registers or edits, by their codes.
        attempts: One for each time that it was sent; unknown until there is an answer.
    """

    operation: str
    steps: tuple[Step, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    attempts: list[Outcome] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """Return what is known after all attempts: one acknowledgement counts, whatever the other responses were."""
        reported = set(self.attempts)
        if Outcome.ACKNOWLEDGED in reported:
            return Outcome.ACKNOWLEDGED
        return Outcome.UNKNOWN if Outcome.UNKNOWN in reported else Outcome.REFUSED

    @property
    def requested(self) -> Counter[Step]:
        """Return the movements, and how often each was requested."""
        return Counter(self.steps)


@dataclass
class Logbook:
    """The changes that one client requested, in order."""

    client: str
    writes: list[Write] = field(default_factory=list)

    def about_to(self, operation: str, *steps: Step, names: Mapping[str, str] | None = None) -> Write:
        """Note a change that is going to be sent."""
        write = Write(operation, steps, dict(names or {}))
        self.writes.append(write)
        return write

    def reported(self, outcome: Outcome) -> int:
        """How many attempts were answered like this."""
        return sum(write.attempts.count(outcome) for write in self.writes)
