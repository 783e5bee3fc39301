"""What a location's name must be."""

from inventory_core.errors import Fault
from inventory_core.rules.texts import normalize_line, sort_key, text_faults

LONGEST_LOCATION = 80


def clean_location(name: str) -> str:
    """The name as it is shown: normal form C, trimmed, white space as one blank."""
    return normalize_line(name)


def location_faults(name: str, *, stored: bool = False) -> list[Fault]:
    """What is wrong with a cleaned name; case and accents alone do not make another location.

    A ``stored`` name may hold invisible characters, which earlier versions accepted.
    """
    faults = text_faults("location", name, longest=LONGEST_LOCATION, required=True, invisible_allowed=stored)
    if not faults and not sort_key(name):
        faults.append(Fault("location", "characters", name))
    return faults
