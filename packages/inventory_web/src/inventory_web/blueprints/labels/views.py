"""The pages that choose and print labels."""

from collections.abc import Sequence

from flask import Blueprint, abort, make_response, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from inventory_core import ProductDetails, SelectedRows, Selection
from inventory_core import selected_rows as rows_of
from inventory_web.blueprints.catalog.product_list import ListQuery, selected_rows
from inventory_web.blueprints.labels.forms import LARGEST_SHIFT, PARTS, Chosen, LabelForm, choose_products, codes_of
from inventory_web.blueprints.labels.sheets import SHEETS, Kind, Print, Wanted, arrange, pages, qr_symbol, sheet_name
from inventory_web.context import current_inventory
from inventory_web.hookspecs import MenuEntry, ProductPanel, SelectionAction, hookimpl
from inventory_web.i18n.labels import field_label, format_number
from inventory_web.roles import Role, public, requires
from inventory_web.settings import Settings

MOST_PRODUCTS = 500
MOST_LABELS = 1_000
LONGEST_LIST = 60_000
"""Characters: 500 codes of 64 characters, and separators."""
MOST_NAMED = 10

blueprint = Blueprint("labels", __name__, template_folder="templates")


@blueprint.app_template_global()
def labels_address(**arguments: str) -> str:
    """Return the address of the labels for a list with the arguments of ``ListQuery.args``; for other blueprints' templates."""
    return url_for("labels.choose", list=1, **arguments)  # type: ignore[arg-type]


@blueprint.get("/labels")
@requires(Role.VIEWER)
def choose() -> Response:
    """Show the form: empty, for each ``code`` in the URL, or for the products of a list (``list``, with its filter)."""
    if request.args.get("list"):
        query = ListQuery.read(request.args)
        rows = rows_of(current_inventory(), Selection(filter=query.products), size=MOST_PRODUCTS, sort=query.sort)
        return _form_for(rows)
    return _form_page(LabelForm.beginning("\n".join(request.args.getlist("code"))[:LONGEST_LIST]))


@blueprint.post("/labels")
@requires(Role.VIEWER)
def choose_selected() -> Response:
    """Show the form for the products that are selected in the list."""
    return _form_for(selected_rows(MOST_PRODUCTS))


@blueprint.post("/labels/change")
@requires(Role.VIEWER)
def change() -> Response:
    """Show the form again, as it was before the print."""
    return _form_page(LabelForm.read(request.form))


@blueprint.post("/labels/print")
@requires(Role.VIEWER)
def sheets() -> Response:
    """Show the labels, or the form with each error next to its field: 422."""
    form = LabelForm.read(request.form)
    products = _products(form)
    total = sum(copies for _, copies in products)
    if total > MOST_LABELS:
        most = format_number(MOST_LABELS)
        form.refuse(
            "copies",
            gettext(
                "Serían %(number)s etiquetas; se imprimen %(most)s de una vez.", number=format_number(total), most=most
            ),
        )
    if form.errors:
        return _form_page(form, 422)
    form.remember()
    made = arrange(products, _wanted(form), _quantity_text)
    page = render_template(
        "labels/print.html",
        form=form,
        made=made,
        pages=pages(made.labels, form.sheet, form.first),
        sheet=form.sheet,
        sheet_name=sheet_name(form.sheet),
        notes=list(_notes(form, made)),
    )
    return make_response(page)


@blueprint.get("/labels/<key>.css")
@public
def measures(key: str) -> Response:
    """Return the measures of a sheet, moved by ``x`` and ``y`` millimetres, for screen and printer."""
    if key not in SHEETS:
        abort(404)
    shift = {name: request.args.get(name, 0.0, float) for name in ("x", "y")}
    if not all(-LARGEST_SHIFT <= value <= LARGEST_SHIFT for value in shift.values()):
        abort(404)
    layouts = {kind: SHEETS[key].layout(kind) for kind in Kind}
    response = make_response(render_template("labels/measures.css", sheet=SHEETS[key], layouts=layouts, **shift))
    response.mimetype = "text/css"
    return response


def _form_for(rows: SelectedRows) -> Response:
    if rows.count.number > len(rows.rows):
        form = LabelForm.beginning()
        form.refuse("codes", _too_many(rows.count.number))
        return _form_page(form)
    return _form_page(LabelForm.beginning("\n".join(row.code for row in rows.rows)))


def _form_page(form: LabelForm, status: int = 200) -> Response:
    page = render_template(
        "labels/choose.html",
        form=form,
        values=form.values,
        errors=form.errors,
        sheets=[(sheet.key, sheet_name(sheet)) for sheet in SHEETS.values()],
        parts=[(part, field_label(part)) for part in PARTS],
        local=request.host.rpartition(":")[0] in ("localhost", "127.0.0.1", "[::1]"),
    )
    return make_response(page, status)


def _products(form: LabelForm) -> list[tuple[ProductDetails, int]]:
    """Return the products with the number of labels of each; record errors of the list in the form."""
    text = form.values["codes"]
    wanted = len(codes_of(text)) if len(text) <= LONGEST_LIST else LONGEST_LIST
    if not wanted or wanted > 4 * MOST_PRODUCTS:
        form.refuse("codes", _too_many(wanted) if wanted else gettext("Escriba al menos un código."))
        return []
    chosen = choose_products(current_inventory(), text)
    _check(form, chosen)
    if form.by_quantity:
        products = [(product, product.row.total) for product in chosen.products]
        if chosen.products and not any(copies for _, copies in products):
            form.refuse("copies", gettext("De ninguno de estos productos hay existencias."))
        return products
    return [(product, form.copies) for product in chosen.products]


def _check(form: LabelForm, chosen: Chosen) -> None:
    if chosen.unknown:
        form.refuse("codes", gettext("No existe: %(codes)s.", codes=_named(list(chosen.unknown))))
    retired = [product.row.code for product in chosen.products if product.row.retired]
    if retired:
        form.refuse("codes", gettext("Está eliminado: %(codes)s.", codes=_named(retired)))
    if len(chosen.products) > MOST_PRODUCTS:
        form.refuse("codes", _too_many(len(chosen.products)))


def _too_many(found: int) -> str:
    return gettext(
        "Son más de %(most)s productos (%(number)s). Imprima las etiquetas por partes.",
        number=format_number(found),
        most=format_number(MOST_PRODUCTS),
    )


def _named(codes: list[str]) -> str:
    named = ", ".join(f"«{code[:64]}»" for code in codes[:MOST_NAMED])
    more = len(codes) - MOST_NAMED
    if more <= 0:
        return named
    return ngettext("%(codes)s y %(number)s más", "%(codes)s y %(number)s más", more, codes=named)


def _wanted(form: LabelForm) -> Wanted:
    def address_of(code: str) -> str:
        return url_for("scanning.scan", code=code, _external=True)

    return Wanted(form.sheet, form.kind, form.parts, address_of if form.values["holds"] == "address" else None)


def _notes(form: LabelForm, made: Print) -> list[str]:
    if not made.without_bars:
        return []
    text = gettext(
        "No caben como código de barras en esta etiqueta, y llevan un QR: %(codes)s.", codes=_named(made.without_bars)
    )
    return (
        [text]
        if form.kind is Kind.BARS
        else [
            gettext(
                "No caben como código de barras en esta etiqueta, y llevan solo el QR: %(codes)s.",
                codes=_named(made.without_bars),
            )
        ]
    )


def _quantity_text(quantity: int) -> str:
    return gettext("Cantidad: %(number)s", number=format_number(quantity))


class LabelsPlugin:
    """Registers the pages, and links to them from the menu, the selection and the product page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Etiquetas"), "labels.choose", "qr-code", order=55, more=True)]

    @hookimpl
    def selection_actions(self) -> Sequence[SelectionAction]:
        return [SelectionAction(lazy_gettext("Imprimir etiquetas"), "labels.choose_selected", "printer", order=50)]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        if details.row.retired:
            return []
        page = render_template("labels/panel.html", product=details, symbol=qr_symbol(details.row.code))
        return [ProductPanel(Markup(page), order=60)]  # noqa: S704 - Jinja escaped every value
