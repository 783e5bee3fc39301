"""What many products can be given alike."""

from dataclasses import dataclass
from typing import Any

from inventory_core.errors import Fault
from inventory_core.rules.arguments import require_types
from inventory_core.rules.products import category_faults
from inventory_core.rules.stock import quantity_faults
from inventory_core.rules.texts import normalize_line


@dataclass(frozen=True, slots=True)
class SetCategory:
    """The category by its name, which is created if no product has named it yet; None or "" is without category."""

    category: str | None

    def __post_init__(self) -> None:
        require_types(self)
        object.__setattr__(self, "category", normalize_line(self.category or "") or None)

    def faults(self) -> list[Fault]:
        """What is wrong with the name."""
        return category_faults(self.category)

    def asked(self) -> dict[str, Any]:
        """The change in JSON values."""
        return {"category": self.category}


@dataclass(frozen=True, slots=True)
class SetMinimum:
    """The minimum, in units."""

    minimum: int

    def faults(self) -> list[Fault]:
        """What is wrong with the number."""
        return quantity_faults("minimum", self.minimum)

    def asked(self) -> dict[str, Any]:
        """The change in JSON values."""
        return {"minimum": self.minimum}


@dataclass(frozen=True, slots=True)
class SetRetired:
    """Whether the products are retired."""

    retired: bool

    def __post_init__(self) -> None:
        require_types(self)

    def faults(self) -> list[Fault]:
        """Nothing can be wrong with it."""
        return []

    def asked(self) -> dict[str, Any]:
        """The change in JSON values."""
        return {"retired": self.retired}


SharedChange = SetCategory | SetMinimum | SetRetired
