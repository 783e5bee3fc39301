"""What a check finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerificationFault:
    """One broken promise: the name of the ``check``, ``where`` it is broken, and the two values that should be equal."""

    check: str
    where: str
    expected: str
    found: str
