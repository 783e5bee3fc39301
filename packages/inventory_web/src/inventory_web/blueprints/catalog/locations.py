"""The page of all locations, with a form for a new one."""

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import InvalidInput
from inventory_web.context import current_actor, current_inventory, current_operation, new_operation
from inventory_web.http.responses import see_other
from inventory_web.i18n.error_messages import messages_by_field
from inventory_web.roles import Role, requires

locations_blueprint = Blueprint("locations", __name__, template_folder="templates")


@locations_blueprint.get("/locations")
@requires(Role.OPERATOR)
def places() -> Response:
    """Show the locations."""
    return _page("", {}, 200)


@locations_blueprint.post("/locations")
@requires(Role.OPERATOR)
def add() -> Response:
    """Add a location: 303, or 422 with the faults of its name."""
    typed = request.form.get("name", "")
    try:
        name = current_inventory().add_location(name=typed, actor=current_actor(), operation=current_operation())
    except InvalidInput as error:
        return _page(typed, messages_by_field(error.faults), 422)
    flash(gettext("Ubicación «%(name)s» añadida.", name=name), "success")
    return see_other(url_for("locations.places"))


def _page(typed: str, errors: dict[str, list[str]], status: int) -> Response:
    page = render_template(
        "locations/places.html",
        locations=current_inventory().locations(),
        typed=typed,
        errors=[text for texts in errors.values() for text in texts],
        operation=new_operation(),
    )
    return make_response(page, status)
