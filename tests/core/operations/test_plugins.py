import pytest
from pluggy import PluginValidationError

from inventory_core import ChangeRefused, Inventory, ProposedChange, StockChanged, build_plugin_manager, hookimpl
from inventory_core.stock.operations import count, issue, receive, transfer
from inventory_core.stock.outbox import deliver_events
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify


class ReasonForIssues:
    """Refuses to issue anything without a reason."""

    def __init__(self) -> None:
        self.requested: list[ProposedChange] = []

    @hookimpl
    def check_stock_change(self, change: ProposedChange) -> str | None:
        self.requested.append(change)
        return "Indique el motivo" if change.kind == "issue" and not change.reason else None


class Notebook:
    """Records the events that it gets."""

    def __init__(self) -> None:
        self.events: list[StockChanged] = []

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.events.append(event)


def with_plugins(inventory: Inventory, *plugins: object) -> Inventory:
    return Inventory(inventory.sessions, build_plugin_manager(plugins))


def test_issue_that_a_plugin_refuses_changes_nothing(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    checked = with_plugins(inventory, ReasonForIssues())
    request = new_request()

    with pytest.raises(ChangeRefused, match="Indique el motivo"):
        issue(checked, code="A-1", quantity=2, **request)
    done = issue(checked, code="A-1", quantity=2, reason="venta", **request)

    assert (done.before, done.quantity) == (5, 3)
    assert verify(inventory).faults == ()


def test_plugin_checks_each_balance_of_a_transfer_with_the_state_before(inventory: Inventory) -> None:
    plugin = ReasonForIssues()
    checked = with_plugins(inventory, plugin)
    create_location(checked, "Sótano")
    create_product(checked, "A-1", quantity=5)
    transfer(checked, code="a-1", quantity=2, source=None, target="sotano", reason="obra", **new_request())

    assert plugin.requested == [
        ProposedChange("receive", "A-1", "Principal", 5, 0, "", "test"),
        ProposedChange("transfer", "A-1", "Principal", -2, 5, "obra", "test"),
        ProposedChange("transfer", "A-1", "Sótano", 2, 5, "obra", "test"),
    ]


def test_no_plugin_hears_of_a_count_that_changes_nothing(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    requested, reported = ReasonForIssues(), Notebook()
    checked = with_plugins(inventory, requested, reported)
    count(checked, code="A-1", quantity=5, expected=5, **new_request())

    assert deliver_events(checked) == 0
    assert requested.requested == []


def test_event_of_the_issue_that_falls_below_the_minimum_says_so(inventory: Inventory) -> None:
    notebook = Notebook()
    reported = with_plugins(inventory, notebook)
    create_location(reported, "Sótano")
    create_product(reported, "A-1", minimum=4, quantity=6)
    transfer(reported, code="A-1", quantity=3, source=None, target="Sótano", **new_request())
    issue(reported, code="A-1", quantity=3, **new_request())
    receive(reported, code="A-1", quantity=1, location="Sótano", **new_request())
    issue(reported, code="A-1", quantity=1, location="Sótano", **new_request())
    deliver_events(reported)

    assert [(event.kind, event.total_before, event.total) for event in notebook.events] == [
        ("receive", 0, 6),
        ("transfer", 6, 6),
        ("transfer", 6, 6),
        ("issue", 6, 3),
        ("receive", 3, 4),
        ("issue", 4, 3),
    ]
    assert [event.fell_below_minimum for event in notebook.events] == [False, False, False, True, False, True]


def test_a_plugin_that_implements_an_unknown_hook_is_refused_when_it_is_registered() -> None:
    class Misspelt:
        @hookimpl
        def check_stok_change(self, change: ProposedChange) -> None:
            """Never called."""

    with pytest.raises(PluginValidationError, match="check_stok_change"):
        build_plugin_manager([Misspelt()])


def test_two_managers_do_not_share_their_plugins() -> None:
    build_plugin_manager([Notebook()])

    assert build_plugin_manager().get_plugins() == set()
