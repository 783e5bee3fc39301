"""Every hook that the core calls. ``check_*`` runs inside the transaction, ``after_*`` once it is committed."""

from collections.abc import Sequence

from pluggy import HookimplMarker, HookspecMarker

from inventory_core.events import ProposedChange, StockChanged
from inventory_core.exports.columns import ExportColumn

hookspec = HookspecMarker("inventory_core")
hookimpl = HookimplMarker("inventory_core")
"""Marks a plugin's implementation of one of these hooks."""


class CoreHooks:
    """The hooks; a plugin implements any of them with the same name and arguments."""

    @hookspec
    def check_stock_change(self, change: ProposedChange) -> str | None:
        """Refuse a change of a quantity by giving a text for the person who asked, or let it pass with None.

        Called inside the transaction, before anything is written, and again if the unit of work is repeated: it must
        be pure and quick. Imports call it once for each row that changes a quantity.
        """

    @hookspec
    def after_stock_change(self, event: StockChanged) -> None:
        """Take note of a change of a quantity that is committed.

        Called by a relay of the outbox, at least once for each change, outside of any transaction, and for each product in
        the order of its changes. The same event may come again, with the same ``event.id``. After an exception it comes again
        later, and after too many of them it becomes a dead letter.
        """

    @hookspec
    def export_columns(self) -> Sequence[ExportColumn]:
        """Give further columns for the export of products; their values are computed from the exported row alone."""
        raise NotImplementedError
