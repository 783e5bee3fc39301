"""The product form: reads a draft, or every fault by its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory_core import Fault, ProductDraft, ProductRow, parse_quantity
from inventory_web.i18n.error_messages import messages_by_field

OTHER = "Otra..."
"""The category option for a typed name: see ``other_category``."""

FIELDS = ("code", "name", "description", "category", "other_category", "quantity", "minimum", "location")
BLANK = dict.fromkeys(FIELDS, "") | {"quantity": "0", "minimum": "0"}


@dataclass(slots=True)
class ProductForm:
    """A form as it was typed (``values``), and the result.

    ``draft`` and ``quantity`` are valid if there are no ``faults``; ``errors`` has the messages by field.
    """

    values: dict[str, str]
    draft: ProductDraft
    quantity: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def location(self) -> str | None:
        """Return the location of the initial quantity; None is the default one."""
        return self.values["location"].strip() or None

    @property
    def errors(self) -> dict[str, list[str]]:
        """Return the messages by field."""
        return messages_by_field(self.faults)

    @classmethod
    def empty(cls, *, code: str = "") -> "ProductForm":
        """Return the form for a new product."""
        return cls(BLANK | {"code": code}, ProductDraft(code="", name=""))

    @classmethod
    def of(cls, row: ProductRow) -> "ProductForm":
        """Return the form for a stored product."""
        return cls(BLANK | stored_values(row), ProductDraft(code=row.code, name=row.name))

    @classmethod
    def read_new(cls, typed: Mapping[str, str]) -> "ProductForm":
        """Read a request for a new product; a missing field counts as empty, a missing number as 0."""
        return cls._read({name: typed.get(name, BLANK[name]) for name in FIELDS}, with_quantity=True)

    @classmethod
    def read_edit(cls, typed: Mapping[str, str], row: ProductRow) -> "ProductForm":
        """Read a request for a stored product; a missing field keeps its value."""
        stored = BLANK | stored_values(row)
        return cls._read({name: typed.get(name, stored[name]) for name in FIELDS}, with_quantity=False)

    @classmethod
    def _read(cls, values: dict[str, str], *, with_quantity: bool) -> "ProductForm":
        faults: list[Fault] = []
        quantity = _number("quantity", values, faults) if with_quantity else 0
        minimum = _number("minimum", values, faults)
        draft = ProductDraft(
            code=values["code"],
            name=values["name"],
            description=values["description"],
            category=_category(values, faults),
            minimum=minimum,
        )
        other = _is_other(values)
        found = draft.faults()
        faults += [_moved(fault, "other_category") if other and fault.field == "category" else fault for fault in found]
        return cls(values, draft, quantity, sorted(faults, key=lambda fault: FIELDS.index(fault.field)))


def stored_values(row: ProductRow) -> dict[str, str]:
    """Return the fields of a stored product for the form."""
    return {
        "code": row.code,
        "name": row.name,
        "description": row.description,
        "category": row.category or "",
        "minimum": str(row.minimum),
    }


def _number(name: str, values: dict[str, str], faults: list[Fault]) -> int:
    if name == "minimum" and not values[name].strip():
        return 0
    number, found = parse_quantity(name, values[name])
    faults.extend(found)
    return number or 0


def _is_other(values: dict[str, str]) -> bool:
    chosen = values["category"].strip()
    if chosen == OTHER:
        return True
    # Without a selected option, or with the option for a typed name, use the text of the second field.
    return bool(values["other_category"].strip()) and chosen.casefold().rstrip(".…") in ("", "otra", "other")


def _category(values: dict[str, str], faults: list[Fault]) -> str | None:
    if not _is_other(values):
        return values["category"].strip() or None
    typed = values["other_category"].strip()
    if not typed:
        faults.append(Fault("other_category", "required"))
    return typed or None


def _moved(fault: Fault, name: str) -> Fault:
    return Fault(name, fault.reason, fault.value, fault.limit)
