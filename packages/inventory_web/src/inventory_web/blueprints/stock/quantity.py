"""The quantity of a product: change it in the list, and show its history."""

from dataclasses import dataclass, replace

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import format_date, get_locale, gettext
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from inventory_core import (
    CountConflict,
    Fault,
    Inventory,
    InventoryError,
    OperationReused,
    ProductDetails,
    QuantityHistory,
    StockChange,
    change_quantity,
    parse_quantity,
    quantity_history,
)
from inventory_web.blueprints.catalog.product_list import Note, render_row, row_in
from inventory_web.blueprints.charts import Level, levels
from inventory_web.context import current_actor, current_inventory, current_operation
from inventory_web.db.units_of_work import JoinedReads, ReadAfterWrite, reads_once, use_inventory
from inventory_web.http.error_pages import answer_for
from inventory_web.http.responses import VARY, see_other, wants_fragment
from inventory_web.http.template_context import menu_badges
from inventory_web.http.urls import next_url, previous_page_url
from inventory_web.i18n.error_messages import fault_message
from inventory_web.i18n.labels import field_label, format_number
from inventory_web.roles import Role, requires


class SeveralPlaces(Exception):
    """The product is in several locations, so its total cannot be set; ``places`` has (location, quantity)."""

    def __init__(self, places: tuple[tuple[str, int], ...]) -> None:
        self.places = places
        super().__init__("choose one of several places")


def place_of(product: ProductDetails) -> str | None:
    """Return the location of a form that names none: the only one with the product; None is the default.

    Raises ``SeveralPlaces``.
    """
    holding = tuple((place, quantity) for place, quantity in product.balances if quantity)
    if len(holding) > 1:
        raise SeveralPlaces(holding)
    if holding:
        return holding[0][0]
    return product.balances[0][0] if len(product.balances) == 1 else None


quick_quantity_blueprint = Blueprint("counting", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class QuantityForm:
    """The change in the form: either ``quantity`` or ``delta``, unless there are faults."""

    quantity: int | None
    delta: int | None
    expected: int | None
    location: str | None
    typed: str
    faults: list[Fault]

    @classmethod
    def read(cls) -> "QuantityForm":
        """Read the form of the current request."""
        fields = request.form
        faults: list[Fault] = []
        quantity = delta = expected = None
        if fields.get("delta", "").strip():
            delta, faults = parse_quantity("delta", fields["delta"], signed=True)
        else:
            quantity, faults = parse_quantity("quantity", fields.get("quantity", ""))
        if fields.get("expected", "").strip():
            expected, found = parse_quantity("expected", fields["expected"])
            faults = faults + found
        typed = "" if fields.get("delta", "").strip() else fields.get("quantity", "")[:80]
        return cls(quantity, delta, expected, fields.get("location", "").strip() or None, typed, faults)


@quick_quantity_blueprint.get("/products/<code:code>/quantity")
@requires(Role.VIEWER)
@reads_once
def row(code: str) -> Response:
    """Return the row for htmx, for example after an undo; otherwise redirect to the product."""
    if not wants_fragment():
        return see_other(url_for("products.details", code=code))
    product = current_inventory().product(code)
    return _row(product, request.args.get("location") or None, None, 200)


@quick_quantity_blueprint.post("/products/<code:code>/quantity")
@requires(Role.OPERATOR)
@reads_once
def change(code: str) -> Response:
    """Change the quantity, or explain the refusal: 409 with both values, 422 with what is allowed.

    One unit of work reads the account and the product. The transaction of the change also reads what the response shows.
    """
    form = QuantityForm.read()
    product = current_inventory().product(code)
    if form.faults:
        text = " ".join(f"{field_label(fault.field)}: {fault_message(fault)}" for fault in form.faults)
        return _refused(product, form, Note("fault", text, form.typed), 422)
    try:
        changed, shown = _change_and_read(product, form)
    except SeveralPlaces as choice:
        text = gettext("Está en varios lugares: elija en cuál cambia la cantidad.")
        return _refused(product, form, Note("fault", text, form.typed, places=choice.places), 422)
    except CountConflict as conflict:
        text = gettext(
            "Usted vio %(seen)s; ahora hay %(current)s. Revise y decida de nuevo.",
            seen=format_number(conflict.expected),
            current=format_number(conflict.current),
        )
        return _refused(current_inventory().product(code), form, Note("conflict", text, form.typed), 409)
    except InventoryError as error:
        answer = answer_for(error)
        if answer.status not in (409, 422):
            raise
        return _refused(product, form, Note("fault", answer.message, form.typed), answer.status)
    return _done(product.row.id, form, changed, shown)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a change of a quantity changes on the page: the product and the badges of the menu."""

    product: ProductDetails
    badges: dict[str, str]


def _change_and_read(product: ProductDetails, form: QuantityForm) -> tuple[StockChange, Shown | None]:
    """Change the quantity; for htmx, read in the same transaction what it changed on the page."""
    stock = current_inventory()
    if not wants_fragment():
        return _change_quantity(stock, product, form), None

    def read(session: Session, sessions: JoinedReads) -> Shown:
        written = replace(stock, sessions=sessions)
        # A badge that cannot be read is left out; the savepoint fails if the database has ended the transaction with it.
        with use_inventory(written), session.connection().begin_nested():
            return Shown(written.product(product.row.code), menu_badges())

    source = ReadAfterWrite(stock.sessions, read)
    changed = _change_quantity(replace(stock, sessions=source), product, form)
    return changed, source.result


def _change_quantity(stock: Inventory, product: ProductDetails, form: QuantityForm) -> StockChange:
    """If the form names no location, use that of an earlier run of this operation: the stock may have moved since."""
    operation = current_operation()
    if form.location is not None:
        return _change_quantity_at(stock, form.location, product, form, operation)
    try:
        return _change_quantity_at(stock, place_of(product) or _default_place(stock), product, form, operation)
    except (SeveralPlaces, OperationReused):
        before = stock.movements(operation=operation).rows
        if not before:
            raise
        return _change_quantity_at(stock, before[0].location, product, form, operation)


def _default_place(stock: Inventory) -> str | None:
    """Return the location by name; a product without a balance counts as in the location of its first change."""
    return next((place.name for place in stock.locations() if place.is_default), None)


def _change_quantity_at(
    stock: Inventory, place: str | None, product: ProductDetails, form: QuantityForm, operation: str
) -> StockChange:
    code, actor = product.row.code, current_actor()
    if form.delta is not None:
        return change_quantity(
            stock,
            code=code,
            delta=form.delta,
            expected=form.expected,
            location=place,
            actor=actor,
            operation=operation,
        )
    return stock.count(
        code=code,
        quantity=form.quantity or 0,
        expected=form.expected,
        location=place,
        actor=actor,
        operation=operation,
    )


def _done(product_id: int, form: QuantityForm, changed: StockChange, shown: Shown | None) -> Response:
    text = f"{format_number(changed.before)} → {format_number(changed.quantity)}"
    if shown is None:
        flash(
            gettext(
                "Cantidad de «%(code)s» en %(place)s: %(change)s",
                code=changed.code,
                place=changed.location,
                change=text,
            ),
            "success",
        )
        return see_other(previous_page_url(url_for("products.details", code=changed.code)) + f"#p{product_id}")
    undo = changed.movement_ids[0] if changed.movement_ids and changed.before != changed.quantity else None
    return _row(shown.product, _shown_place(form), Note("done", text, undo=undo), 200, shown.badges)


def _refused(product: ProductDetails, form: QuantityForm, note: Note, status: int) -> Response:
    if wants_fragment():
        return _row(product, _shown_place(form), note, status)
    page = render_template(
        "counting/refused.html",
        product=product,
        row=row_in(product, form.location),
        note=note,
        next=next_url(""),
    )
    return make_response(page, status)


def _shown_place(form: QuantityForm) -> str | None:
    """Return the location of the row's quantity; a choice of several locations is part of the total's row."""
    return None if request.form.get("shown") == "total" else form.location


def _row(
    product: ProductDetails,
    location: str | None,
    note: Note | None,
    status: int,
    badges: dict[str, str] | None = None,
) -> Response:
    response = make_response(render_row(row_in(product, location), note, badges), status)
    response.vary.update(VARY)
    return response


# Without routes; provides the template of the panel.
quantity_history_blueprint = Blueprint("stock_history", __name__, template_folder="templates")


def history_panel(product: ProductDetails) -> str:
    """Return the panel of one product as HTML."""
    history = quantity_history(current_inventory(), product.row.code)
    return render_template("stock_history/panel.html", history=history, drawing=_drawn(history))


def _drawn(history: QuantityHistory) -> Markup:
    length = (history.end - history.begin).total_seconds() or 1.0
    steps = history.quantities
    description = gettext(
        "De %(first)s a %(last)s unidades; como mínimo %(least)s y como máximo %(most)s.",
        first=format_number(steps[0].quantity),
        last=format_number(steps[-1].quantity),
        least=format_number(min(step.quantity for step in steps)),
        most=format_number(max(step.quantity for step in steps)),
    )
    return levels(
        "history",
        gettext("Cantidad a lo largo del tiempo"),
        description,
        [Level((step.since - history.begin).total_seconds() / length, step.quantity) for step in steps],
        (_day(history), gettext("ahora")),
        format_number,
    )


def _day(history: QuantityHistory) -> str:
    locale = get_locale()
    return str(format_date(history.begin, "d MMM" if locale is None or locale.language != "en" else "MMM d"))
