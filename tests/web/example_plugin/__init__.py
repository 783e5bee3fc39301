"""A plugin as an outside package would write it: a page of reservations, and what goes with it in core and web."""

from tests.web.example_plugin.plugin import ReservationsPlugin

__all__ = ["ReservationsPlugin"]
