"""Scan modes and locations; both are kept from scan to scan."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from flask import session
from flask_babel import gettext

from inventory_core import LocationRow, ProductDetails
from inventory_web.context import current_settings, may
from inventory_web.roles import Role

_KEPT_IN = "scanning"


class Mode(StrEnum):
    """The action of a scan."""

    OPEN = "open"
    COUNT = "count"
    ADD = "add"
    TAKE = "take"

    @property
    def step(self) -> int:
        """Return the immediate change of the quantity."""
        return {Mode.ADD: 1, Mode.TAKE: -1}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Choice:
    """The mode, and the location in which products are counted; empty: the product's own locations."""

    mode: Mode
    place: str

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Choice":
        """Return the choice in the request, or else the last one, if the user may use it."""
        kept = session.get(_KEPT_IN)
        kept = kept if isinstance(kept, dict) else {}
        mode = fields.get("mode", str(kept.get("mode", "")))
        allowed = {allowed.value for allowed in allowed_modes()}
        place = fields.get("place", str(kept.get("place", ""))).strip()
        return cls(Mode(mode) if mode in allowed else Mode.OPEN, place)

    def remember(self) -> None:
        """Store the choice for the next time."""
        session[_KEPT_IN] = {"mode": self.mode.value, "place": self.place}


def allowed_modes() -> list[Mode]:
    """Return the modes that the user may choose; modes that change stock immediately are left out if a reason is required."""
    if not may(Role.OPERATOR):
        return [Mode.OPEN]
    return [Mode.OPEN, Mode.COUNT] if current_settings().reason_required else list(Mode)


def mode_text(mode: Mode) -> str:
    """Return the name of a mode."""
    texts = {
        Mode.OPEN: gettext("Abrir"),
        Mode.COUNT: gettext("Contar"),
        Mode.ADD: gettext("Sumar 1"),
        Mode.TAKE: gettext("Restar 1"),
    }
    return texts[mode]


def places_to_count(product: ProductDetails, chosen: str, places: tuple[LocationRow, ...]) -> list[tuple[str, int]]:
    """Return the locations in which this product is counted, with their known quantity; at least one."""
    here = dict(product.balances)
    if chosen:
        return [(chosen, here.get(chosen, 0))]
    holding = [(place, quantity) for place, quantity in product.balances if quantity]
    if holding:
        return holding
    usual = next((row.name for row in places if row.is_default), places[0].name)
    return list(product.balances)[:1] or [(usual, 0)]
