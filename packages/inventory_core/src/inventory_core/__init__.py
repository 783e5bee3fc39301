"""Products, locations and an insert-only stock ledger on SQLite or MySQL."""

from inventory_core.database import migration_ops
from inventory_core.database.columns import LONG_TEXT, ROW_ID, UtcMicroseconds, database_now, read_database_clock
from inventory_core.database.dialects import (
    DriverErrorKind,
    classify_driver_error,
    forbid_row_changes,
    permit_row_changes,
    translate_driver_error,
)
from inventory_core.database.engines import SUPPORTED_DIALECTS, ReadWriteEngines, open_engines
from inventory_core.database.schema import CORE_SCHEMA, SchemaChain
from inventory_core.database.sessions import SessionSource, SingleDatabase
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
from inventory_core.exports.columns import FileColumn
from inventory_core.exports.csv_file import write_csv
from inventory_core.exports.exporting import ExportFormat, export_products, export_stock
from inventory_core.imports.limits import IMPORT_LIMITS
from inventory_core.imports.reading import read_table
from inventory_core.imports.results import ImportPreview, ImportResult, RowFault, RowSample
from inventory_core.imports.table import Table
from inventory_core.inventory import Inventory
from inventory_core.models import MYSQL_OPTIONS, NAMING_CONVENTION
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
from inventory_core.operations.transferring import transfer
from inventory_core.operations.undoing import undo_movement
from inventory_core.operations.undoing_import import ImportUndone, undo_import
from inventory_core.operations.verifications.fault import VerificationFault
from inventory_core.operations.verifications.folded import invisible_faults
from inventory_core.operations.verifying import Verification, verify
from inventory_core.outbox_relay import OutboxRelay
from inventory_core.plugins import (
    CORE_HOOKS,
    ExportColumn,
    InstalledPlugin,
    ProposedChange,
    StockChanged,
    build_plugin_manager,
    hookimpl,
    load_installed_plugins,
    register_plugin,
    usable_plugins,
)
from inventory_core.queries.choices import LocationRow, list_categories, list_locations
from inventory_core.queries.filters import ProductFilter
from inventory_core.queries.history import HistoryFilter, HistoryPage, operation_history
from inventory_core.queries.history_entries import HistoryEntry
from inventory_core.queries.lowest_stock import StockShortage, lowest_stock
from inventory_core.queries.movement_history import MovementPage, MovementRow, movement_history
from inventory_core.queries.movements_by_day import DayTotals, movements_by_day
from inventory_core.queries.product_count import ProductCount, count_products
from inventory_core.queries.product_details import ProductDetails, get_product
from inventory_core.queries.product_list import ProductPage, product_page, stream_products
from inventory_core.queries.products_by_code import products_by_code
from inventory_core.queries.quantity_history import QuantityHistory, quantity_history
from inventory_core.queries.running_out import RunOutForecast, products_running_out
from inventory_core.queries.selecting import (
    MAX_SELECTED_PRODUCTS,
    SelectedProduct,
    SelectedRows,
    Selection,
    selected_rows,
    too_many_selected,
)
from inventory_core.queries.sorting import PRODUCT_SORTS, Position
from inventory_core.queries.stock_by_category import CategoryStock, stock_by_category
from inventory_core.queries.stock_levels import StockRow, stock_levels
from inventory_core.results import ProductRow, ProductSaved, StockChange
from inventory_core.rules.products import PREDEFINED_CATEGORIES, WITHOUT_CATEGORY, ProductDraft
from inventory_core.rules.shared_changes import SetCategory, SetMinimum, SetRetired, SharedChange
from inventory_core.rules.stock import MAX_QUANTITY, Status, parse_quantity
from inventory_core.rules.texts import (
    MAX_CODE_LENGTH,
    MAX_KEY_LENGTH,
    code_key,
    normalize_code,
    normalize_line,
    sort_key,
    text_faults,
)

__all__ = [
    "CORE_HOOKS",
    "CORE_SCHEMA",
    "IMPORT_LIMITS",
    "LONG_TEXT",
    "MAX_CODE_LENGTH",
    "MAX_KEY_LENGTH",
    "MAX_QUANTITY",
    "MAX_SELECTED_PRODUCTS",
    "MYSQL_OPTIONS",
    "NAMING_CONVENTION",
    "PREDEFINED_CATEGORIES",
    "PRODUCT_SORTS",
    "ROW_ID",
    "SUPPORTED_DIALECTS",
    "WITHOUT_CATEGORY",
    "CannotUndo",
    "CategoryStock",
    "ChangeRefused",
    "ChangedProduct",
    "CommitUnknown",
    "CountConflict",
    "DatabaseBusy",
    "DayTotals",
    "DeadLetter",
    "Delivery",
    "DriverErrorKind",
    "DuplicateCode",
    "EditConflict",
    "ExportColumn",
    "ExportFormat",
    "Fault",
    "FileColumn",
    "FileRefused",
    "HistoryEntry",
    "HistoryFilter",
    "HistoryPage",
    "ImportPreview",
    "ImportResult",
    "ImportUndone",
    "InstalledPlugin",
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
    "QuantityHistory",
    "QuantityLimit",
    "ReadOnlyUnit",
    "ReadWriteEngines",
    "RowFault",
    "RowSample",
    "RowsRefused",
    "RunOutForecast",
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
    "StockShortage",
    "StorageRefused",
    "Table",
    "TransactionMisuse",
    "UtcMicroseconds",
    "Verification",
    "VerificationFault",
    "add_location",
    "build_plugin_manager",
    "change_products",
    "change_quantity",
    "classify_driver_error",
    "code_key",
    "count",
    "count_products",
    "database_now",
    "deliver_batch",
    "deliver_events",
    "discard_dead_letters",
    "edit_product",
    "export_products",
    "export_stock",
    "forbid_row_changes",
    "get_product",
    "hookimpl",
    "import_table",
    "invisible_faults",
    "issue",
    "list_categories",
    "list_dead_letters",
    "list_locations",
    "load_installed_plugins",
    "lowest_stock",
    "migration_ops",
    "movement_history",
    "movements_by_day",
    "new_operation_id",
    "normalize_code",
    "normalize_line",
    "open_engines",
    "operation_history",
    "outbox_status",
    "parse_quantity",
    "permit_row_changes",
    "preview_import",
    "product_page",
    "products_by_code",
    "products_running_out",
    "quantity_history",
    "read_database_clock",
    "read_table",
    "receive",
    "register_plugin",
    "register_product",
    "restore_product",
    "retire_product",
    "retry_dead_letters",
    "selected_rows",
    "sort_key",
    "stock_by_category",
    "stock_levels",
    "stream_products",
    "text_faults",
    "too_many_selected",
    "transfer",
    "translate_driver_error",
    "undo_import",
    "undo_movement",
    "undo_products_change",
    "usable_plugins",
    "verify",
    "write_csv",
]
