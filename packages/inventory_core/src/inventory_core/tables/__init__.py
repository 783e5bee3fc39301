"""What is stored: one module per table; columns, keys and CHECK constraints, no query and no rule."""

from inventory_core.tables.balance import Balance
from inventory_core.tables.category import Category
from inventory_core.tables.import_change import ImportChange
from inventory_core.tables.location import Location
from inventory_core.tables.metadata import CoreTable, metadata
from inventory_core.tables.movement import Movement
from inventory_core.tables.operation import Operation, OperationResult
from inventory_core.tables.outbox import OutboxDeadLetter, OutboxEvent
from inventory_core.tables.product import Product

__all__ = [
    "Balance",
    "Category",
    "CoreTable",
    "ImportChange",
    "Location",
    "Movement",
    "Operation",
    "OperationResult",
    "OutboxDeadLetter",
    "OutboxEvent",
    "Product",
    "metadata",
]
