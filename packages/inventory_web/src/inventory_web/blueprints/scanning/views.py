"""The scan page: a field for codes, the mode, the last product and the latest changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import (
    CountConflict,
    InventoryError,
    ProductDetails,
    StockChange,
    change_quantity,
    count,
    get_product,
    list_locations,
    movement_history,
    parse_quantity,
)
from inventory_web.blueprints.scanning.code_lookup import Scanned, find_scanned
from inventory_web.blueprints.scanning.modes import Choice, Mode, allowed_modes, mode_text, places_to_count
from inventory_web.context import current_actor, current_inventory, current_operation, new_operation
from inventory_web.http.error_pages import answer_for
from inventory_web.http.flash_messages import flash_with_undo
from inventory_web.http.htmx import VARY, see_other, wants_fragment
from inventory_web.http.security import uses_camera
from inventory_web.i18n.error_messages import fault_message
from inventory_web.i18n.labels import format_number
from inventory_web.roles import Role, requires

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
    product = get_product(current_inventory(), request.form.get("code", ""))
    place, typed = request.form.get("location", "").strip(), request.form.get("quantity", "")[:80]
    quantity, faults = parse_quantity("quantity", typed)
    expected, wrong = parse_quantity("expected", request.form.get("expected", ""))
    if faults or wrong:
        return _page(choice, product, ScanMessage("danger", fault_message((faults + wrong)[0]), place, typed), 422)
    try:
        changed = count(
            current_inventory(),
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
            choice, get_product(current_inventory(), product.row.code), ScanMessage("warning", text, place, typed), 409
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
    places = places_to_count(product, choice.place, list_locations(current_inventory()))
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
    product = get_product(current_inventory(), changed.code) if choice.mode is Mode.COUNT and not choice.place else None
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
    places = places_to_count(product, choice.place, list_locations(current_inventory()))
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
        "places": list_locations(current_inventory()),
        "product": product,
        "to_count": _left(choice, product, counted) if product and not retired else [],
        "counted": counted,
        "scan_message": scan_message,
        "unknown": unknown,
        "announced": announced,
        "latest": movement_history(current_inventory(), size=LATEST).rows if choice.mode is not Mode.OPEN else (),
        "operation": new_operation(),
    }
    template = "scanning/work.html" if wants_fragment() else "scanning/page.html"
    response = make_response(render_template(template, **values), status)
    response.vary.update(VARY)
    return response
