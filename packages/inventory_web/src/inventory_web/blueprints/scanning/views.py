"""Scan a code with a USB scanner or the camera of a phone: to open its product, to count it, or to change it by one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, flash, make_response, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from inventory_core import (
    MAX_CODE_LENGTH,
    CountConflict,
    Inventory,
    InventoryError,
    LocationRow,
    ProductDetails,
    StockChange,
    change_quantity,
    normalize_code,
    parse_quantity,
    products_by_code,
)
from inventory_web.context import (
    current_actor,
    current_inventory,
    current_operation,
    current_settings,
    may,
    new_operation,
)
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.http.error_pages import answer_for
from inventory_web.http.responses import VARY, flash_with_undo, see_other, wants_fragment
from inventory_web.http.security import uses_camera
from inventory_web.i18n.error_messages import fault_message
from inventory_web.i18n.labels import format_number
from inventory_web.roles import Role, requires
from inventory_web.settings import Settings

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


LONGEST_TEXT = 2_000
SPANISH_KEYS = str.maketrans("'-?_ñÑ/()=&\"·¿¡;:+", "-/_?;:&*()^@#+=<>]")
"""Characters that a Spanish keyboard layout produces for a scanner with the American one, and the intended ones."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """The result for a text; ``code`` is the recognised code. ``corrected``: the keyboard layout had garbled it."""

    code: str
    product: ProductDetails | None
    corrected: bool = False


def find_scanned(inventory: Inventory, text: str) -> Scanned:
    """Find the product of a scanned or typed text, retired or not."""
    text = normalize_code(text[:LONGEST_TEXT])
    plain = list(dict.fromkeys(_meanings(text)))
    garbled = [code for code in _meanings(text.translate(SPANISH_KEYS)) if code not in plain]
    found = products_by_code(inventory, [code for code in (*plain, *garbled) if len(code) <= MAX_CODE_LENGTH])
    for code in (*plain, *garbled):
        if code in found:
            return Scanned(code, found[code], corrected=code in garbled)
    return Scanned(plain[0], None)


def _meanings(text: str) -> Iterator[str]:
    yield _code_in_address(text) or text
    yield text
    if text.isascii() and text.isdigit() and 12 <= len(text) <= 14:
        # An article number has 12 digits in UPC-A, 13 in EAN-13 and 14 on a carton.
        yield text.zfill(13)
        yield text.zfill(14)
        for length in (13, 12):
            if not text[:-length].strip("0"):
                yield text[-length:]


def _code_in_address(text: str) -> str:
    """Return the code in the product URL on one of our labels, from any host; empty if there is none."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.path.endswith("/scan"):
        return ""
    return normalize_code(parse_qs(parts.query).get("code", [""])[0])


LATEST = 8

blueprint = Blueprint("scanning", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class ScanMessage:
    """The message about a scan: ``kind`` as in the style sheet; ``place`` and ``typed`` belong to a refused count."""

    kind: str
    text: str
    place: str = ""
    typed: str = ""


@blueprint.get("/scan")
@uses_camera
@requires(Role.VIEWER)
def scan() -> Response:
    """Show the page; with a ``code`` its product, opened or ready to be counted. Changes nothing."""
    choice = Choice.read(request.args)
    if "mode" in request.args or "place" in request.args:
        choice.remember()
    text = request.args.get("code", "").strip()
    if not text:
        return _page(choice)
    scanned = find_scanned(current_inventory(), text)
    if scanned.product is None:
        return _unknown(choice, scanned)
    if choice.mode is Mode.COUNT and "mode" in request.args:
        return _page(choice, scanned.product, _corrected(scanned, text), counted=request.args.getlist("counted"))
    return see_other(url_for("products.details", code=scanned.product.row.code))


@blueprint.post("/scan")
@uses_camera
@requires(Role.VIEWER)
def scanned() -> Response:
    """Handle a code according to the mode."""
    choice, text = Choice.read(request.form), request.form.get("code", "").strip()
    choice.remember()
    if not text:
        return _page(choice, scan_message=ScanMessage("danger", gettext("Escanee o escriba un código.")), status=422)
    scanned = find_scanned(current_inventory(), text)
    if scanned.product is None:
        return _unknown(choice, scanned)
    return _act(choice, scanned.product, _corrected(scanned, text))


@blueprint.post("/scan/count")
@requires(Role.OPERATOR)
@uses_camera
def counted() -> Response:
    """Save a count, or return 409 with both values, or 422 with the allowed ones."""
    choice = Choice(Mode.COUNT, request.form.get("place", "").strip())
    product = current_inventory().product(request.form.get("code", ""))
    place, typed = request.form.get("location", "").strip(), request.form.get("quantity", "")[:80]
    quantity, faults = parse_quantity("quantity", typed)
    expected, wrong = parse_quantity("expected", request.form.get("expected", ""))
    if faults or wrong:
        return _page(choice, product, ScanMessage("danger", fault_message((faults + wrong)[0]), place, typed), 422)
    try:
        changed = current_inventory().count(
            code=product.row.code,
            quantity=quantity or 0,
            expected=expected,
            location=place or None,
            actor=current_actor(),
            operation=current_operation(),
        )
    except CountConflict as conflict:
        text = gettext(
            "Usted vio %(seen)s; ahora hay %(current)s. Revise y decida de nuevo.",
            seen=format_number(conflict.expected),
            current=format_number(conflict.current),
        )
        return _page(
            choice, current_inventory().product(product.row.code), ScanMessage("warning", text, place, typed), 409
        )
    except InventoryError as error:
        return _refused(choice, error, product, place, typed)
    return _done(choice, changed)


def _act(choice: Choice, product: ProductDetails, scan_message: ScanMessage | None) -> Response:
    code = product.row.code
    if choice.mode is Mode.OPEN:
        return see_other(url_for("products.details", code=code))
    if product.row.retired:
        return _page(
            choice, scan_message=ScanMessage("danger", gettext("«%(code)s» está eliminado.", code=code)), status=409
        )
    if choice.mode is not Mode.COUNT:
        return _change_by_one(choice, product)
    if wants_fragment():
        return _page(choice, product, scan_message)
    return see_other(url_for("scanning.scan", code=code, mode=choice.mode, place=choice.place))


def _change_by_one(choice: Choice, product: ProductDetails) -> Response:
    places = places_to_count(product, choice.place, current_inventory().locations())
    if len(places) > 1:
        text = gettext("«%(code)s» está en varios lugares: elija arriba en cuál está usted.", code=product.row.code)
        return _page(choice, scan_message=ScanMessage("warning", text), status=422)
    try:
        changed = change_quantity(
            current_inventory(),
            code=product.row.code,
            delta=choice.mode.step,
            location=places[0][0],
            actor=current_actor(),
            operation=current_operation(),
        )
    except InventoryError as error:
        return _refused(choice, error)
    return _done(choice, changed)


def _done(choice: Choice, changed: StockChange) -> Response:
    values = {"code": changed.code, "place": changed.location, "now": format_number(changed.quantity)}
    if changed.before == changed.quantity:
        text = gettext("«%(code)s» en %(place)s: %(now)s, como estaba", **values)
    else:
        text = gettext("«%(code)s» en %(place)s: %(before)s → %(now)s", before=format_number(changed.before), **values)
    counted = [*request.form.getlist("counted"), changed.location]
    product = current_inventory().product(changed.code) if choice.mode is Mode.COUNT and not choice.place else None
    if product and not _left(choice, product, counted):
        product = None
    if changed.before == changed.quantity:
        flash(text, "success")
    else:
        undo = url_for("movements.undo", movement_id=changed.movement_ids[0])
        flash_with_undo(text, address=undo, changed=request.form.get("operation", ""))
    if wants_fragment():
        return _page(choice, product, counted=counted, announced=text)
    more: dict[str, Any] = {"code": changed.code, "counted": counted} if product else {}
    return see_other(url_for("scanning.scan", mode=choice.mode, place=choice.place, **more))


def _left(choice: Choice, product: ProductDetails, counted: Sequence[str]) -> list[tuple[str, int]]:
    """Return the locations in which the product is still to be counted."""
    places = places_to_count(product, choice.place, current_inventory().locations())
    return [(place, quantity) for place, quantity in places if place not in counted]


def _refused(
    choice: Choice, error: InventoryError, product: ProductDetails | None = None, place: str = "", typed: str = ""
) -> Response:
    answer = answer_for(error)
    if answer.status not in (404, 409, 422):
        raise error
    return _page(choice, product, ScanMessage("danger", answer.message, place, typed), answer.status)


def _unknown(choice: Choice, scanned: Scanned) -> Response:
    return _page(choice, unknown=scanned.code, status=404)


def _corrected(scanned: Scanned, text: str) -> ScanMessage | None:
    if not scanned.corrected:
        return None
    return ScanMessage(
        "info",
        gettext(
            "El escáner escribió «%(text)s» y se entendió «%(code)s»: ajústelo al teclado de este equipo.",
            text=text[:80],
            code=scanned.code,
        ),
    )


def _page(
    choice: Choice,
    product: ProductDetails | None = None,
    scan_message: ScanMessage | None = None,
    status: int = 200,
    *,
    unknown: str = "",
    announced: str = "",
    counted: Sequence[str] = (),
) -> Response:
    retired = product is not None and product.row.retired
    values = {
        "choice": choice,
        "modes": [(mode.value, mode_text(mode)) for mode in allowed_modes()],
        "places": current_inventory().locations(),
        "product": product,
        "to_count": _left(choice, product, counted) if product and not retired else [],
        "counted": counted,
        "scan_message": scan_message,
        "unknown": unknown,
        "announced": announced,
        "latest": current_inventory().movements(size=LATEST).rows if choice.mode is not Mode.OPEN else (),
        "operation": new_operation(),
    }
    template = "scanning/work.html" if wants_fragment() else "scanning/page.html"
    response = make_response(render_template(template, **values), status)
    response.vary.update(VARY)
    return response


class ScanningPlugin:
    """Registers the page; ``static/keyboard.js`` redirects to it when a scanner types on another page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Escanear"), "scanning.scan", "upc-scan", order=20)]
