"""The form of labels: the products, the paper and what each label shows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from flask import session
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from inventory_core import Inventory, ProductDetails, normalize_code, parse_quantity, products_by_code
from inventory_web.blueprints.labels.sheets import SHEETS, Kind, Sheet
from inventory_web.i18n.error_messages import fault_message
from inventory_web.i18n.labels import format_number

_SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The products of a list, each once and in its order, and the lines without a product."""

    products: tuple[ProductDetails, ...]
    unknown: tuple[str, ...]


def lines_of(text: str) -> list[str]:
    """Return the non-blank lines; of a row from a spreadsheet only the first cell."""
    cells = (line.lstrip().split("\t")[0] for line in text.splitlines())
    return list(dict.fromkeys(cell for cell in map(normalize_code, cells) if cell))


def codes_of(text: str) -> list[str]:
    """Return the possible codes of a list: each line, and its parts between commas, semicolons or blanks."""
    return list(dict.fromkeys(code for line in lines_of(text) for code in (line, *_parts(line))))


def choose_products(inventory: Inventory, text: str) -> Chosen:
    """Look up the lines; a line that is not a code itself may contain several."""
    found = products_by_code(inventory, codes_of(text))
    products: dict[int, ProductDetails] = {}
    unknown: dict[str, None] = {}
    for line in lines_of(text):
        parts = [] if line in found else _parts(line)
        codes = parts if any(part in found for part in parts) else [line]
        products |= {found[code].row.id: found[code] for code in codes if code in found}
        unknown |= dict.fromkeys(code for code in codes if code not in found)
    return Chosen(tuple(products.values()), tuple(unknown))


def _parts(line: str) -> list[str]:
    parts = [part for part in _SEPARATORS.split(line) if part]
    return parts if len(parts) > 1 else []


MOST_COPIES = 100
LARGEST_SHIFT = 10.0
"""Millimetres by which a print can be moved to match the labels."""
PARTS = ("code", "name", "category", "location", "quantity")
HOLDS = ("code", "address")
BEGINNING = {
    "sheet": next(iter(SHEETS)),
    "symbol": Kind.QR.value,
    "holds": "code",
    "amount": "fixed",
    "copies": "1",
    "first": "1",
    "x": "0",
    "y": "0",
}
REMEMBERED = ("sheet", "symbol", "holds", "x", "y")
_KEPT_IN = "labels"


@dataclass(slots=True)
class LabelForm:
    """A form as it was typed (``values``, ``parts``, ``outlines``) and, if there are no ``errors``, its parsed values."""

    values: dict[str, str]
    parts: frozenset[str]
    outlines: bool
    errors: dict[str, list[str]] = field(default_factory=dict)
    copies: int = 1
    first: int = 1
    x: float = 0
    y: float = 0

    @classmethod
    def beginning(cls, codes: str = "") -> Self:
        """Return the form with the last choices of the user."""
        kept = session.get(_KEPT_IN)
        kept = kept if isinstance(kept, dict) else {}
        values = BEGINNING | {name: str(kept[name]) for name in REMEMBERED if name in kept}
        parts = frozenset(kept.get("parts", ("code", "name", "category", "location")))
        return cls(values | {"codes": codes}, parts & frozenset(PARTS), bool(kept.get("outlines")))

    @classmethod
    def read(cls, fields: MultiDict[str, str]) -> Self:
        """Read a request; a missing field has its value in an empty form."""
        values = {name: fields.get(name, otherwise).strip() for name, otherwise in BEGINNING.items()}
        values["codes"] = fields.get("codes", "")
        form = cls(values, frozenset(fields.getlist("part")) & frozenset(PARTS), bool(fields.get("outlines")))
        form._check_choices()
        form.copies = form._whole("copies", 1, MOST_COPIES)
        if "sheet" not in form.errors:
            form.first = form._whole("first", 1, form.sheet.positions)
        form.x, form.y = form._shift("x"), form._shift("y")
        return form

    @property
    def sheet(self) -> Sheet:
        """Return the sheet."""
        return SHEETS[self.values["sheet"]]

    @property
    def kind(self) -> Kind:
        """Return the symbols of the labels."""
        return Kind(self.values["symbol"])

    @property
    def by_quantity(self) -> bool:
        """Return whether to print one label per unit in stock."""
        return self.values["amount"] == "quantity"

    def refuse(self, name: str, text: str) -> None:
        """Record an error of a field."""
        self.errors.setdefault(name, []).append(text)

    def remember(self) -> None:
        """Store these choices for the next time."""
        kept: dict[str, object] = {name: self.values[name] for name in REMEMBERED}
        session[_KEPT_IN] = kept | {"parts": sorted(self.parts), "outlines": self.outlines}

    def _check_choices(self) -> None:
        choices: Mapping[str, object] = {
            "sheet": SHEETS,
            "symbol": tuple(Kind),
            "holds": HOLDS,
            "amount": ("fixed", "quantity"),
        }
        for name, allowed in choices.items():
            if self.values[name] not in allowed:  # type: ignore[operator]
                self.refuse(
                    name, gettext("No existe: «%(value)s». Elija uno de la lista.", value=self.values[name][:80])
                )

    def _whole(self, name: str, least: int, most: int) -> int:
        value, faults = parse_quantity(name, self.values[name])
        if faults:
            self.refuse(name, fault_message(faults[0]))
        elif value is None or not least <= value <= most:
            self.refuse(
                name,
                gettext(
                    "Escriba un número entre %(least)s y %(most)s.",
                    least=format_number(least),
                    most=format_number(most),
                ),
            )
        return value or least

    def _shift(self, name: str) -> float:
        try:
            value = float(self.values[name].replace(",", ".") or 0)
        except ValueError:
            value = LARGEST_SHIFT + 1
        if not -LARGEST_SHIFT <= value <= LARGEST_SHIFT:
            self.refuse(name, gettext("Escriba milímetros entre -10 y 10, por ejemplo 1,5."))
            return 0
        return round(value, 2)
