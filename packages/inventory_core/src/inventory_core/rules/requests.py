"""What every request carries beside its subject: who asks, under which operation id, and why."""

import re

from inventory_core.errors import Fault
from inventory_core.rules.texts import normalize_line, text_faults

LONGEST_OPERATION = 64
LONGEST_ACTOR = 80
LONGEST_REASON = 200


def request_faults(operation: str, actor: str, reason: str = "") -> list[Fault]:
    """What is wrong with them: an id is 1 to 64 printable ASCII characters without blanks; actor and reason are cleaned texts."""
    faults = []
    if not operation:
        faults.append(Fault("operation", "required"))
    elif len(operation) > LONGEST_OPERATION:
        faults.append(Fault("operation", "too_long", operation[:80], LONGEST_OPERATION))
    elif not re.fullmatch(r"[!-~]+", operation):
        faults.append(Fault("operation", "characters", operation))
    faults += text_faults("actor", actor, longest=LONGEST_ACTOR, required=True, invisible_allowed=True)
    if reason:
        faults += text_faults("reason", reason, longest=LONGEST_REASON, invisible_allowed=True)
    return faults


def clean_reason(reason: str) -> str:
    """The reason on one line, trimmed."""
    return normalize_line(reason) if reason else ""
