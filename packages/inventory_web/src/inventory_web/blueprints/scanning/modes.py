"""What happens with a scanned product, and where; both stay as they were chosen from scan to scan."""

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
    """What a scan does."""

    OPEN = "open"
    COUNT = "count"
    ADD = "add"
    TAKE = "take"

    @property
    def step(self) -> int:
        """By how much the quantity changes at once."""
        return {Mode.ADD: 1, Mode.TAKE: -1}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Choice:
    """The mode, and the place in which things are counted; empty: wherever the product lies."""

    mode: Mode
    place: str

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Choice":
        """What the request says, or else what was chosen the last time, as far as this person may do it."""
        kept = session.get(_KEPT_IN)
        kept = kept if isinstance(kept, dict) else {}
        mode = given.get("mode", str(kept.get("mode", "")))
        allowed = {allowed.value for allowed in allowed_modes()}
        place = given.get("place", str(kept.get("place", ""))).strip()
        return cls(Mode(mode) if mode in allowed else Mode.OPEN, place)

    def remember(self) -> None:
        """Begin with this choice the next time."""
        session[_KEPT_IN] = {"mode": self.mode.value, "place": self.place}


def allowed_modes() -> list[Mode]:
    """What this person may choose; where each change asks for a reason, none is made by a mere scan."""
    if not may(Role.OPERATOR):
        return [Mode.OPEN]
    return [Mode.OPEN, Mode.COUNT] if current_settings().reason_required else list(Mode)


def mode_text(mode: Mode) -> str:
    """The name of a mode."""
    texts = {
        Mode.OPEN: gettext("Abrir"),
        Mode.COUNT: gettext("Contar"),
        Mode.ADD: gettext("Sumar 1"),
        Mode.TAKE: gettext("Restar 1"),
    }
    return texts[mode]


def places_to_count(product: ProductDetails, chosen: str, places: tuple[LocationRow, ...]) -> list[tuple[str, int]]:
    """In which places this product is counted, each with what lies there as far as is known; at least one."""
    here = dict(product.balances)
    if chosen:
        return [(chosen, here.get(chosen, 0))]
    holding = [(place, quantity) for place, quantity in product.balances if quantity]
    if holding:
        return holding
    usual = next((row.name for row in places if row.is_default), places[0].name)
    return list(product.balances)[:1] or [(usual, 0)]
