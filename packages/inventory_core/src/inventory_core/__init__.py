"""Products, locations and an insert-only stock ledger on SQLite or MySQL."""

from inventory_core.engines import ReadWriteEngines, open_engines
from inventory_core.errors import (
    CannotUndo,
    ChangedProduct,
    ChangeRefused,
    CommitUnknown,
    CountConflict,
    DatabaseBusy,
    DuplicateCode,
    EditConflict,
    Fault,
    FileRefused,
    InsufficientStock,
    InvalidInput,
    InventoryError,
    LocationNotFound,
    MovementNotFound,
    OperationReused,
    ProductNotFound,
    ProductRetired,
    ProductsConflict,
    QuantityLimit,
    ReadOnlyUnit,
    RowsRefused,
    SchemaNotCurrent,
    SelectionChanged,
    StorageRefused,
    TransactionMisuse,
)
from inventory_core.events import ProposedChange, StockChanged
from inventory_core.exports.columns import ExportColumn
from inventory_core.exports.exporting import export_products, export_stock
from inventory_core.hookspecs import hookimpl
from inventory_core.imports.reading import read_table
from inventory_core.imports.results import ImportPreview, ImportResult, RowFault, RowSample
from inventory_core.imports.table import Table
from inventory_core.inventory import Inventory
from inventory_core.operations.carrying_out import new_operation_id
from inventory_core.operations.cataloguing import edit_product, register_product, restore_product, retire_product
from inventory_core.operations.changing_many import ProductsSaved, change_products, undo_products_change
from inventory_core.operations.counting import change_quantity, count
from inventory_core.operations.importing import import_table, preview_import
from inventory_core.operations.issuing import issue
from inventory_core.operations.locating import add_location
from inventory_core.operations.outbox import (
    DeadLetter,
    Delivery,
    OutboxStatus,
    deliver_batch,
    deliver_events,
    discard_dead_letters,
    list_dead_letters,
    outbox_status,
    retry_dead_letters,
)
from inventory_core.operations.receiving import receive
from inventory_core.operations.results import ProductSaved, StockChange
from inventory_core.operations.transferring import transfer
from inventory_core.operations.undoing import undo_movement
from inventory_core.operations.undoing_import import ImportUndone, undo_import
from inventory_core.operations.verifications.fault import VerificationFault
from inventory_core.operations.verifying import Verification, verify
from inventory_core.outbox_relay import OutboxRelay
from inventory_core.plugins import build_plugin_manager
from inventory_core.queries.choices import LocationRow, list_categories, list_locations
from inventory_core.queries.filters import ProductFilter
from inventory_core.queries.movement_history import MovementPage, MovementRow, movement_history
from inventory_core.queries.product_count import ProductCount, count_products
from inventory_core.queries.product_details import ProductDetails, get_product
from inventory_core.queries.product_list import ProductPage, product_page, stream_products
from inventory_core.queries.products_by_code import products_by_code
from inventory_core.queries.rows import ProductRow
from inventory_core.queries.selecting import MOST_SELECTED, SelectedProduct, SelectedRows, Selection, selected_rows
from inventory_core.queries.sorting import Position
from inventory_core.queries.stock_levels import StockRow, stock_levels
from inventory_core.rules.categories import PREDEFINED, WITHOUT_CATEGORY
from inventory_core.rules.products import ProductDraft
from inventory_core.rules.quantities import LARGEST_QUANTITY, parse_quantity
from inventory_core.rules.reorder import Status
from inventory_core.rules.shared_changes import SetCategory, SetMinimum, SetRetired, SharedChange
from inventory_core.schema import CORE_SCHEMA, SchemaChain
from inventory_core.sessions import SessionSource, SingleDatabase

__all__ = [
    "CORE_SCHEMA",
    "LARGEST_QUANTITY",
    "MOST_SELECTED",
    "PREDEFINED",
    "WITHOUT_CATEGORY",
    "CannotUndo",
    "ChangeRefused",
    "ChangedProduct",
    "CommitUnknown",
    "CountConflict",
    "DatabaseBusy",
    "DeadLetter",
    "Delivery",
    "DuplicateCode",
    "EditConflict",
    "ExportColumn",
    "Fault",
    "FileRefused",
    "ImportPreview",
    "ImportResult",
    "ImportUndone",
    "InsufficientStock",
    "InvalidInput",
    "Inventory",
    "InventoryError",
    "LocationNotFound",
    "LocationRow",
    "MovementNotFound",
    "MovementPage",
    "MovementRow",
    "OperationReused",
    "OutboxRelay",
    "OutboxStatus",
    "Position",
    "ProductCount",
    "ProductDetails",
    "ProductDraft",
    "ProductFilter",
    "ProductNotFound",
    "ProductPage",
    "ProductRetired",
    "ProductRow",
    "ProductSaved",
    "ProductsConflict",
    "ProductsSaved",
    "ProposedChange",
    "QuantityLimit",
    "ReadOnlyUnit",
    "ReadWriteEngines",
    "RowFault",
    "RowSample",
    "RowsRefused",
    "SchemaChain",
    "SchemaNotCurrent",
    "SelectedProduct",
    "SelectedRows",
    "Selection",
    "SelectionChanged",
    "SessionSource",
    "SetCategory",
    "SetMinimum",
    "SetRetired",
    "SharedChange",
    "SingleDatabase",
    "Status",
    "StockChange",
    "StockChanged",
    "StockRow",
    "StorageRefused",
    "Table",
    "TransactionMisuse",
    "Verification",
    "VerificationFault",
    "add_location",
    "build_plugin_manager",
    "change_products",
    "change_quantity",
    "count",
    "count_products",
    "deliver_batch",
    "deliver_events",
    "discard_dead_letters",
    "edit_product",
    "export_products",
    "export_stock",
    "get_product",
    "hookimpl",
    "import_table",
    "issue",
    "list_categories",
    "list_dead_letters",
    "list_locations",
    "movement_history",
    "new_operation_id",
    "open_engines",
    "outbox_status",
    "parse_quantity",
    "preview_import",
    "product_page",
    "products_by_code",
    "read_table",
    "receive",
    "register_product",
    "restore_product",
    "retire_product",
    "retry_dead_letters",
    "selected_rows",
    "stock_levels",
    "stream_products",
    "transfer",
    "undo_import",
    "undo_movement",
    "undo_products_change",
    "verify",
]
