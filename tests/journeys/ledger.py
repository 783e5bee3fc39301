"""What a database holds, read past everything that is under test."""

from collections.abc import Callable
from dataclasses import dataclass, field

Ask = Callable[[str], list[list[str]]]
"""Runs a statement; returns rows of texts."""


@dataclass(frozen=True)
class Moved:
    """A row of the ledger."""

    operation: str
    code: str
    location: str
    kind: str
    quantity: int


@dataclass(frozen=True)
class Stored:
    """A product as it is stored."""

    name: str
    quantity: int
    version: int


@dataclass(frozen=True)
class Ledger:
    """Everything that the changes of clients leave behind."""

    operations: frozenset[str] = frozenset()
    movements: tuple[Moved, ...] = ()
    products: dict[str, Stored] = field(default_factory=dict)
    balances: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def read(cls, ask: Ask) -> "Ledger":
        """Read all of it; no client may be writing."""
        movements = ask(
            "SELECT m.operation_id, p.code, l.name, m.kind, m.quantity FROM inventory_movement m "
            "JOIN inventory_product p ON p.id = m.product_id JOIN inventory_location l ON l.id = m.location_id ORDER BY m.id"
        )
        products = ask("SELECT code, name, quantity, version FROM inventory_product")
        balances = ask(
            "SELECT p.code, l.name, b.quantity FROM inventory_balance b "
            "JOIN inventory_product p ON p.id = b.product_id JOIN inventory_location l ON l.id = b.location_id"
        )
        return cls(
            frozenset(operation for (operation,) in ask("SELECT id FROM inventory_operation")),
            tuple(
                Moved(operation, code, location, kind, int(quantity))
                for operation, code, location, kind, quantity in movements
            ),
            {code: Stored(name, int(quantity), int(version)) for code, name, quantity, version in products},
            {(code, location): int(quantity) for code, location, quantity in balances},
        )
