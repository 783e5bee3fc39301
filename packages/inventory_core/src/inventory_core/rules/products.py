"""Check a product's own fields and the names of categories and locations; compare fields for revisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inventory_core.errors import Fault
from inventory_core.rules.arguments import type_faults
from inventory_core.rules.stock import quantity_faults
from inventory_core.rules.texts import (
    code_faults,
    normalize_code,
    normalize_line,
    normalize_text,
    sort_key,
    text_faults,
)

PREDEFINED_CATEGORIES = ("Electrónicos", "Ropa", "Alimentos", "Hogar", "Deportes", "Libros", "Otros")
MAX_CATEGORY_LENGTH = 80
WITHOUT_CATEGORY = "-"
"""Filters use it for products without a category, so no category can have this name."""


MAX_LOCATION_LENGTH = 80

MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2000
_CLEANERS: dict[str, Callable[[str], str | None]] = {
    "code": normalize_code,
    "name": normalize_line,
    "description": normalize_text,
    "category": lambda name: normalize_line(name) or None,
}
_TYPES: dict[str, Any] = {"code": str, "name": str, "description": str, "category": str | None}
REVISED_COLUMNS = ("code", "name", "description", "category_id", "minimum", "retired_at")
"""The columns that a revision records, in JSON values: a time is a text in ISO 8601."""

NO_CHANGES = "{}"
"""The stored changes of a created product."""

FieldChanges = Mapping[str, tuple[Any, Any]]
"""The former and the new value by column."""


class RevisionKind(StrEnum):
    """What an operation did to the fields of a product."""

    CREATED = "created"
    EDITED = "edited"
    RETIRED = "retired"
    RESTORED = "restored"


def normalize_location(name: str) -> str:
    """Return the name as it is shown: normal form C, trimmed, white space as one blank."""
    return normalize_line(name)


def location_faults(name: str, *, stored: bool = False) -> list[Fault]:
    """Return the faults of a normalized name; names that differ only in case and accents are the same location.

    A ``stored`` name may hold invisible characters, which earlier versions accepted.
    """
    faults = text_faults("location", name, longest=MAX_LOCATION_LENGTH, required=True, invisible_allowed=stored)
    if not faults and not sort_key(name):
        faults.append(Fault("location", "characters", name))
    return faults


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """The editable fields of a product; texts are normalized on creation.

    ``category`` is a name, predefined or new; None or an empty text means no category. ``minimum`` is in units. A draft may be
    invalid: every operation checks ``faults``.
    """

    code: str
    name: str
    description: str = ""
    category: str | None = None
    minimum: int = 0

    def __post_init__(self) -> None:
        # Keep other types; ``faults`` reports them.
        for field, clean in _CLEANERS.items():
            value = getattr(self, field)
            if isinstance(value, str):
                object.__setattr__(self, field, clean(value))

    def faults(self) -> list[Fault]:
        """Return all faults, in the order of the fields."""
        if wrong := [fault for field in _CLEANERS for fault in type_faults(field, getattr(self, field), _TYPES[field])]:
            return [*wrong, *quantity_faults("minimum", self.minimum)]
        return [
            *code_faults(self.code),
            *text_faults("name", self.name, longest=MAX_NAME_LENGTH, required=True),
            *text_faults("description", self.description, longest=MAX_DESCRIPTION_LENGTH, invisible_allowed=True),
            *category_faults(self.category),
            *quantity_faults("minimum", self.minimum),
        ]


def category_faults(name: str | None) -> list[Fault]:
    """Return the faults of a normalized category name; "-" means "without" in filters and cannot be a name."""
    if name is None:
        return []
    faults = text_faults("category", name, longest=MAX_CATEGORY_LENGTH)
    if not faults and (name == WITHOUT_CATEGORY or not sort_key(name)):
        faults.append(Fault("category", "characters", name))
    return faults


def diff_fields(former: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the former and new value of each column of ``new`` that is recorded and differs."""
    return {
        column: (former[column], new[column])
        for column in REVISED_COLUMNS
        if column in new and former[column] != new[column]
    }


def revision_kind(changes: FieldChanges) -> RevisionKind:
    """Return the kind of a revision with these changes of an existing product."""
    if "retired_at" not in changes:
        return RevisionKind.EDITED
    return RevisionKind.RESTORED if changes["retired_at"][1] is None else RevisionKind.RETIRED
