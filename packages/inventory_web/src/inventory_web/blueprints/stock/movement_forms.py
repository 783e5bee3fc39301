"""The form of a movement."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory_core import Fault, parse_quantity
from inventory_web.i18n.error_messages import messages_by_field

KINDS = ("receive", "issue", "transfer")
FIELDS = ("kind", "quantity", "location", "target", "reason")


@dataclass(slots=True)
class MovementForm:
    """A form as it was typed; ``quantity`` is valid if there are no ``faults``."""

    values: dict[str, str]
    quantity: int = 0
    faults: list[Fault] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "MovementForm":
        """Return an empty form."""
        return cls(dict.fromkeys(FIELDS, "") | {"kind": "receive"})

    @classmethod
    def read(cls, typed: Mapping[str, str]) -> "MovementForm":
        """Read a request, with every fault that can be found without the database."""
        values = {name: typed.get(name, "").strip() for name in FIELDS}
        quantity, faults = parse_quantity("quantity", values["quantity"])
        if quantity == 0:
            faults.append(Fault("quantity", "zero", "0"))
        if values["kind"] not in KINDS:
            faults.append(Fault("kind", "unknown", values["kind"][:80]))
        if values["kind"] == "transfer" and not values["target"]:
            faults.append(Fault("target", "required"))
        return cls(values, quantity or 0, faults)

    @property
    def errors(self) -> dict[str, list[str]]:
        """Return the messages by field."""
        errors = messages_by_field(self.faults)
        for name, text in self.refusals.items():
            errors.setdefault(name, []).append(text)
        return errors
