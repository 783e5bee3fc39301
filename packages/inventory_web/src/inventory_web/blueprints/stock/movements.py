"""Movements of one product: receive, issue, transfer and count, and undo a movement."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import (
    ChangeRefused,
    Fault,
    InsufficientStock,
    InvalidInput,
    LocationNotFound,
    ProductDetails,
    QuantityLimit,
    StockChange,
    parse_quantity,
)
from inventory_web.context import (
    current_actor,
    current_inventory,
    current_operation,
    current_settings,
    may,
    new_operation,
)
from inventory_web.http.error_pages import answer_for
from inventory_web.http.responses import see_other
from inventory_web.http.urls import next_url, previous_page_url, read_cursor
from inventory_web.i18n.error_messages import messages_by_field
from inventory_web.i18n.labels import format_number, kind_colour, kind_text
from inventory_web.roles import Role, requires

KINDS = ("receive", "issue", "transfer")
FIELDS = ("kind", "quantity", "location", "target", "reason")


@dataclass(slots=True)
class MovementForm:
    """A form as it was typed; ``quantity`` is valid if there are no ``faults``."""

    values: dict[str, str]
    quantity: int = 0
    faults: list[Fault] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "MovementForm":
        """Return an empty form."""
        return cls(dict.fromkeys(FIELDS, "") | {"kind": "receive"})

    @classmethod
    def read(cls, typed: Mapping[str, str]) -> "MovementForm":
        """Read a request, with every fault that can be found without the database."""
        values = {name: typed.get(name, "").strip() for name in FIELDS}
        quantity, faults = parse_quantity("quantity", values["quantity"])
        if quantity == 0:
            faults.append(Fault("quantity", "zero", "0"))
        if values["kind"] not in KINDS:
            faults.append(Fault("kind", "unknown", values["kind"][:80]))
        if values["kind"] == "transfer" and not values["target"]:
            faults.append(Fault("target", "required"))
        return cls(values, quantity or 0, faults)

    @property
    def errors(self) -> dict[str, list[str]]:
        """Return the messages by field."""
        errors = messages_by_field(self.faults)
        for name, text in self.refusals.items():
            errors.setdefault(name, []).append(text)
        return errors


RECENT = 10

movements_blueprint = Blueprint("movements", __name__, template_folder="templates")


movements_blueprint.add_app_template_global(kind_text)
movements_blueprint.add_app_template_global(kind_colour)


@movements_blueprint.get("/movements")
@requires(Role.VIEWER)
def history() -> str:
    """Show all movements, or those of ``code``, newest first."""
    code, operation = request.args.get("code", "").strip(), request.args.get("operation", "").strip()
    page = current_inventory().movements(
        code=code or None,
        operation=operation or None,
        after=read_cursor(request.args),
    )
    return render_template("movements/history.html", page=page, code=code, operation_id=operation, **_undo_values())


@movements_blueprint.post("/products/<code:code>/movements")
@requires(Role.OPERATOR)
def record(code: str) -> Response:
    """Receive, issue or transfer: 303 to the product, or 422 with each fault next to its field."""
    form = MovementForm.read(request.form)
    if not form.faults:
        try:
            changed = _carry_out(code, form)
        except InvalidInput as error:
            form.faults.extend(error.faults)
        except LocationNotFound as error:
            field = "target" if error.location == form.values["target"] else "location"
            form.faults.append(Fault(field, "unknown", error.location))
        except (InsufficientStock, QuantityLimit) as error:
            form.refusals["quantity"] = answer_for(error).message
        except ChangeRefused as error:
            form.refusals["reason"] = error.reason
        else:
            text = gettext(
                "En %(place)s hay ahora %(quantity)s.", place=changed.location, quantity=format_number(changed.quantity)
            )
            flash(f"{kind_text(changed.kind)}: {text}", "success")
            return see_other(url_for("products.details", code=changed.code))
    product = current_inventory().product(code)
    page = render_template("movements/record.html", product=product, **_form_values(form, product))
    return make_response(page, 422)


@movements_blueprint.post("/movements/<int(max=9223372036854775807):movement_id>/undo")
@requires(Role.OPERATOR)
def undo(movement_id: int) -> Response:
    """Undo a movement with a compensating one."""
    changed = current_inventory().undo(
        movement_id=movement_id,
        reason=request.form.get("reason", ""),
        actor=current_actor(),
        operation=current_operation(),
    )
    if request.form.get("answer") == "row":
        return redirect(next_url(url_for("products.details", code=changed.code)), 303)
    flash(
        gettext(
            "Movimiento deshecho: «%(code)s» en %(place)s vuelve a %(quantity)s.",
            code=changed.code,
            place=changed.location,
            quantity=format_number(changed.quantity),
        ),
        "success",
    )
    return see_other(previous_page_url(url_for("movements.history", code=changed.code)))


def product_panel(product: ProductDetails) -> Iterator[tuple[str, int]]:
    """Return the panel for the page of a product: HTML and its order."""
    if not product.row.retired and may(Role.OPERATOR):
        form = MovementForm.empty()
        yield render_template("movements/form_panel.html", product=product, **_form_values(form, product)), 20
    page = current_inventory().movements(code=product.row.code, size=RECENT)
    yield render_template("movements/recent_panel.html", product=product, page=page, **_undo_values()), 50


def _form_values(form: MovementForm, product: ProductDetails) -> dict[str, object]:
    return {
        "form": form,
        "values": form.values,
        "errors": form.errors,
        "locations": current_inventory().locations(),
        "balances": dict(product.balances),
        "operation": new_operation(),
        "reason_required": current_settings().reason_required,
    }


def _undo_values() -> dict[str, object]:
    return {"reason_required": current_settings().reason_required}


def _carry_out(code: str, form: MovementForm) -> StockChange:
    location, target = form.values["location"] or None, form.values["target"] or None
    reason, actor, operation = form.values["reason"], current_actor(), current_operation()
    if form.values["kind"] == "transfer":
        return current_inventory().transfer(
            code=code,
            quantity=form.quantity,
            source=location,
            target=target,
            reason=reason,
            actor=actor,
            operation=operation,
        )
    work = current_inventory().receive if form.values["kind"] == "receive" else current_inventory().issue
    return work(
        code=code,
        quantity=form.quantity,
        location=location,
        reason=reason,
        actor=actor,
        operation=operation,
    )
