"""The public interface: one object whose methods are the operations and queries of an inventory."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self, overload

from sqlalchemy import URL, Engine
from sqlalchemy.exc import ArgumentError

from inventory_core.catalog import locations, products
from inventory_core.context import InventoryContext
from inventory_core.database.schema import CORE_SCHEMA
from inventory_core.database.sessions import SingleDatabase
from inventory_core.errors import Fault, InvalidInput
from inventory_core.exporting.export import ExportFormat, export_products
from inventory_core.importing import importer
from inventory_core.importing.reader import Progress, read_table
from inventory_core.importing.results import ImportPreview, ImportResult
from inventory_core.plugins import build_plugin_manager
from inventory_core.queries import movements
from inventory_core.queries import products as product_queries
from inventory_core.queries.movements import MovementPage
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import LocationRow, ProductDetails, ProductPage
from inventory_core.results import Cursor, ProductRow, ProductSaved, StockChange
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.products import ProductDraft
from inventory_core.rules.texts import shown
from inventory_core.stock import operations, outbox
from inventory_core.stock.idempotency import new_operation_id
from inventory_core.verification import Verification, verify

_ANY_PRODUCT = ProductFilter()
_FORMATS: dict[str, ExportFormat] = {".csv": "csv", ".xlsx": "xlsx"}


@dataclass(frozen=True, slots=True)
class Inventory(InventoryContext):
    """An inventory. Use ``open``, or pass your own ``SessionSource``.

    Each method that changes something is one transaction and takes the ``actor`` and an ``operation`` id: a request that is
    repeated with the same id returns its first result and changes nothing. The default is a new id. After an error nothing was
    changed, except perhaps after ``CommitUnknown``. Arguments of a wrong type raise ``InvalidInput``.
    """

    on_close: Callable[[], None] | None = field(default=None, repr=False, compare=False)

    @classmethod
    @check_arguments
    def open(cls, database: str | URL | Engine, *, plugins: Iterable[object] = (), migrate: bool = False) -> Self:
        """Open the inventory in a database.

        Args:
            database: A SQLAlchemy URL, or the engine of the host application, which ``close`` leaves open.
            plugins: Plugins in the order in which their hooks are called.
            migrate: Create the tables, or bring them up to date.

        Raises:
            InvalidInput: The URL is malformed.
            StorageRefused: The database is not supported or cannot be used.
            SchemaNotCurrent: The tables are missing or of another version.
        """
        if isinstance(database, Engine):
            sessions, on_close = SingleDatabase.from_engine(database), None
        else:
            try:
                sessions = SingleDatabase.from_url(database)
            except ArgumentError:
                # The text may contain a password.
                raise InvalidInput(Fault("database", "unknown")) from None
            on_close = sessions.close
        try:
            if migrate:
                CORE_SCHEMA.upgrade(sessions.engine)
            CORE_SCHEMA.require_current(sessions.engine)
            # pluggy calls the plugin that was registered last first.
            manager = build_plugin_manager(reversed(list(plugins)))
        except BaseException:
            if on_close is not None:
                on_close()
            raise
        return cls(sessions, manager, on_close=on_close)

    def close(self) -> None:
        """Close the connections that ``open`` opened. Sessions and engines of the caller stay open."""
        if self.on_close is not None:
            self.on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def register(
        self,
        code: str,
        *,
        name: str,
        quantity: int = 0,
        minimum: int = 0,
        category: str | None = "",
        description: str = "",
        location: str | None = None,
        actor: str,
        operation: str | None = None,
    ) -> ProductSaved:
        """Add a product and receive its initial ``quantity``.

        Raises:
            InvalidInput: With every fault.
            DuplicateCode: Another product has this code.
            LocationNotFound: There is no such location.
            ChangeRefused: A plugin refused the quantity.
            OperationReused: Another request had this operation id.
        """
        draft = ProductDraft(code, name, description, category, minimum)
        return products.register_product(
            self, draft=draft, quantity=quantity, location=location, actor=actor, operation=_id(operation)
        )

    def edit(
        self,
        code: str,
        *,
        name: str,
        minimum: int,
        category: str | None,
        description: str,
        new_code: str | None = None,
        expected_version: int,
        actor: str,
        operation: str | None = None,
    ) -> ProductSaved:
        """Replace every field of a product that is still at ``expected_version``.

        Raises:
            InvalidInput: With every fault.
            ProductNotFound: No product has this code.
            ProductRetired: The product is retired.
            EditConflict: The product has another version; the error has both.
            DuplicateCode: Another product has the new code.
            OperationReused: Another request had this operation id.
        """
        draft = ProductDraft(code if new_code is None else new_code, name, description, category, minimum)
        return products.edit_product(
            self, code=code, draft=draft, expected_version=expected_version, actor=actor, operation=_id(operation)
        )

    def retire(
        self, code: str, *, expected_version: int | None = None, actor: str, operation: str | None = None
    ) -> ProductSaved:
        """Take a product out of use; its stock and history stay.

        Raises:
            ProductNotFound: No product has this code.
            EditConflict: The product has another version than ``expected_version``.
            OperationReused: Another request had this operation id.
        """
        return products.retire_product(
            self, code=code, expected_version=expected_version, actor=actor, operation=_id(operation)
        )

    def restore(
        self, code: str, *, expected_version: int | None = None, actor: str, operation: str | None = None
    ) -> ProductSaved:
        """Bring a retired product back into use. Raises the errors of ``retire``."""
        return products.restore_product(
            self, code=code, expected_version=expected_version, actor=actor, operation=_id(operation)
        )

    def add_location(self, name: str, *, actor: str, operation: str | None = None) -> str:
        """Add a location, or find it if its name differs only in case and accents; return its name.

        Raises:
            InvalidInput: The name breaks a rule.
            OperationReused: Another request had this operation id.
        """
        return locations.add_location(self, name=name, actor=actor, operation=_id(operation))

    def receive(
        self,
        code: str,
        quantity: int,
        *,
        location: str | None = None,
        reason: str = "",
        actor: str,
        operation: str | None = None,
    ) -> StockChange:
        """Add ``quantity`` units (1 or more) to a location, the default one if None.

        Raises:
            InvalidInput: With every fault.
            ProductNotFound: No product has this code.
            LocationNotFound: There is no such location.
            ProductRetired: The product is retired.
            QuantityLimit: The quantity would exceed the limit.
            ChangeRefused: A plugin refused the change.
            OperationReused: Another request had this operation id.
        """
        return operations.receive(
            self,
            code=code,
            quantity=quantity,
            location=location,
            reason=reason,
            actor=actor,
            operation=_id(operation),
        )

    def issue(
        self,
        code: str,
        quantity: int,
        *,
        location: str | None = None,
        reason: str = "",
        actor: str,
        operation: str | None = None,
    ) -> StockChange:
        """Take ``quantity`` units (1 or more) from a location, the default one if None.

        Raises the errors of ``receive``, but ``InsufficientStock`` instead of ``QuantityLimit``.
        """
        return operations.issue(
            self,
            code=code,
            quantity=quantity,
            location=location,
            reason=reason,
            actor=actor,
            operation=_id(operation),
        )

    def transfer(
        self,
        code: str,
        quantity: int,
        *,
        source: str | None,
        target: str | None,
        reason: str = "",
        actor: str,
        operation: str | None = None,
    ) -> StockChange:
        """Move ``quantity`` units (1 or more) between locations; None is the default one. The result shows the target.

        Raises the errors of ``receive`` and ``issue``.
        """
        return operations.transfer(
            self,
            code=code,
            quantity=quantity,
            source=source,
            target=target,
            reason=reason,
            actor=actor,
            operation=_id(operation),
        )

    def count(
        self,
        code: str,
        quantity: int,
        *,
        expected: int | None = None,
        location: str | None = None,
        reason: str = "",
        actor: str,
        operation: str | None = None,
    ) -> StockChange:
        """Set the quantity in a location to the counted one.

        Raises the errors of ``receive``, and ``CountConflict`` if the quantity is not ``expected``.
        """
        return operations.count(
            self,
            code=code,
            quantity=quantity,
            expected=expected,
            location=location,
            reason=reason,
            actor=actor,
            operation=_id(operation),
        )

    def undo(self, movement_id: int, *, reason: str = "", actor: str, operation: str | None = None) -> StockChange:
        """Undo a movement with a compensating one; both movements of a transfer are undone.

        Raises:
            MovementNotFound: No movement has this id.
            CannotUndo: It is already undone, is itself an undo, or changed nothing.
            ProductRetired: The product is retired.
            InsufficientStock: The stock is no longer there.
            QuantityLimit: The quantity would exceed the limit.
            ChangeRefused: A plugin refused the change.
            OperationReused: Another request had this operation id.
        """
        return operations.undo_movement(
            self, movement_id=movement_id, reason=reason, actor=actor, operation=_id(operation)
        )

    def products(
        self,
        product_filter: ProductFilter = _ANY_PRODUCT,
        *,
        sort: str = "name",
        after: Cursor | None = None,
        size: int = 50,
        count_up_to: int | None = None,
    ) -> ProductPage:
        """Return a page of products.

        Args:
            product_filter: Which products; by default all that are not retired.
            sort: One of ``PRODUCT_SORTS``.
            after: The ``next`` of the previous page.
            size: Rows of the page, 1 to 500.
            count_up_to: Also count the products, up to this number.

        Raises:
            InvalidInput: An unknown sort, a cursor of another sort, or a size out of range.
        """
        return product_queries.product_page(self, product_filter, sort, after, size, count_up_to=count_up_to)

    def product(self, code: str) -> ProductDetails:
        """Return one product, retired or not, with its balances. Raises ``ProductNotFound``."""
        return product_queries.get_product(self, code)

    def iter_products(
        self, product_filter: ProductFilter = _ANY_PRODUCT, *, sort: str = "name"
    ) -> Generator[ProductRow, None, None]:
        """Iterate over products in constant memory. A reader stays open until the iterator ends or is closed."""
        with product_queries.stream_products(self, product_filter, sort) as rows:
            yield from rows

    def categories(self) -> tuple[str, ...]:
        """Return the names of all categories: predefined ones first, then the others by name."""
        return product_queries.list_categories(self)

    def locations(self) -> tuple[LocationRow, ...]:
        """Return all locations: the default one first, then the others by name."""
        return product_queries.list_locations(self)

    def movements(
        self, *, code: str | None = None, operation: str | None = None, after: Cursor | None = None, size: int = 50
    ) -> MovementPage:
        """Return movements, the latest first: all, or those of one product or operation.

        Args:
            code: Only those of this product.
            operation: Only those of this operation.
            after: The ``next`` of the previous page.
            size: Rows of the page, 1 to 500.

        Raises:
            ProductNotFound: No product has this code.
            InvalidInput: A cursor of another query, or a size out of range.
        """
        return movements.movement_history(self, code=code, operation=operation, after=after, size=size)

    @overload
    def import_file(
        self,
        source: str | Path | BinaryIO,
        *,
        dry_run: Literal[False] = False,
        filename: str | None = None,
        sheet: str | None = None,
        progress: Progress | None = None,
        actor: str,
        operation: str | None = None,
    ) -> ImportResult: ...

    @overload
    def import_file(
        self,
        source: str | Path | BinaryIO,
        *,
        dry_run: Literal[True],
        filename: str | None = None,
        sheet: str | None = None,
        progress: Progress | None = None,
        actor: str = "",
        operation: str | None = None,
    ) -> ImportPreview: ...

    @check_arguments
    def import_file(
        self,
        source: str | Path | BinaryIO,
        *,
        dry_run: bool = False,
        filename: str | None = None,
        sheet: str | None = None,
        progress: Progress | None = None,
        actor: str = "",
        operation: str | None = None,
    ) -> ImportResult | ImportPreview:
        """Import products or balances from a CSV file or a workbook, all or nothing.

        Args:
            source: A path, or a binary file with its ``filename``.
            dry_run: Change nothing, and return what the import would do with every fault.
            filename: The name that decides the format; by default that of the path.
            sheet: The sheet of a workbook; by default the first one.
            progress: Called with the finished rows, the total rows and the stage. It cancels by raising.
            actor: Who imports; not needed for a dry run.
            operation: The operation id.

        Raises:
            FileRefused: The file as a whole cannot be read.
            RowsRefused: With the faults of all rows.
            OperationReused: Another request had this operation id.
        """
        file = Path(source) if isinstance(source, str) else source
        if not isinstance(file, Path) and not hasattr(file, "read"):
            raise InvalidInput(Fault("source", "wrong_type", shown(source)))
        name = filename if filename is not None else file.name if isinstance(file, Path) else ""
        table = read_table(file, filename=name, sheet=sheet, progress=progress)
        if dry_run:
            return importer.preview_import(self, table, progress)
        return importer.import_table(self, table, actor=actor, operation=_id(operation), progress=progress)

    @check_arguments
    def export_file(
        self,
        path: str | Path,
        product_filter: ProductFilter = _ANY_PRODUCT,
        *,
        sort: str = "code",
        language: str = "es",
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Write products to a ``.csv`` or ``.xlsx`` file, which appears when it is complete; return the number of rows.

        Raises:
            InvalidInput: Another suffix, an unknown sort or an unknown language.
            StorageRefused: The file cannot be written.
        """
        target = Path(path)
        kind = _FORMATS.get(target.suffix.lower())
        if kind is None:
            raise InvalidInput(Fault("format", "unknown", shown(target.suffix)))
        return export_products(self, product_filter, target, kind, language=language, sort=sort, progress=progress)

    def verify(self) -> Verification:
        """Check every stored balance, total, key and reference; return the violations."""
        return verify(self)

    def deliver_events(self, limit: int = 100) -> int:
        """Deliver up to ``limit`` due events to the plugins; return how many every plugin has accepted."""
        return outbox.deliver_events(self, limit)


def _id(operation: str | None) -> str:
    return new_operation_id() if operation is None else operation
