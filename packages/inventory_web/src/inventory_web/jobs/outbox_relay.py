"""The outbox relay of an application that serves."""

import atexit
import weakref
from collections.abc import Callable

from flask import Flask
from flask.sansio.app import App

from inventory_core import Delivery, Inventory, OutboxRelay

EXTENSION = "outbox_relay"


class AppRelay:
    """Delivers the events of the outbox while the application serves, and reports each batch to its observers."""

    def __init__(self, app: Flask, inventory: Inventory) -> None:
        self._observers: list[Callable[[Delivery], None]] = []
        self._relay = OutboxRelay(inventory, context=app.app_context, on_delivery=self._report)

    @property
    def is_running(self) -> bool:
        """Return whether the thread runs; it does not if no plugin listens."""
        return self._relay.is_running

    def observe(self, observer: Callable[[Delivery], None]) -> None:
        """Call ``observer`` in the relay's thread after each batch that was not empty."""
        self._observers.append(observer)

    def start(self) -> None:
        """Start delivering. Call it after a fork."""
        self._relay.start()
        atexit.register(_stop, weakref.ref(self))

    def stop(self) -> None:
        """Stop delivering; see ``OutboxRelay.stop``."""
        self._relay.stop()

    def _report(self, delivery: Delivery) -> None:
        for observer in self._observers:
            observer(delivery)


def init_app(app: Flask, inventory: Inventory) -> None:
    """Create the relay of an application, before its blueprints are registered."""
    app.extensions[EXTENSION] = AppRelay(app, inventory)


def get_relay(app: App) -> AppRelay:
    """Return the relay of an application."""
    relay = app.extensions[EXTENSION]
    if not isinstance(relay, AppRelay):
        raise TypeError("the application has no outbox relay")
    return relay


def _stop(reference: "weakref.ref[AppRelay]") -> None:
    relay = reference()
    if relay is not None:
        relay.stop()
