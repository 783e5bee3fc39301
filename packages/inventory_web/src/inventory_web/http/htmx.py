"""htmx: fragments or full pages, and redirects after forms."""

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

VARY = ("HX-Request", "HX-Request-Type")


def wants_fragment() -> bool:
    """Return whether htmx requests a fragment; boosted links and history restores need the full page."""
    return (
        request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type", "partial") == "partial"
    )


def page_or_fragment(page: str, fragment: str, *, status: int = 200, **values: object) -> Response:
    """Render ``fragment`` for htmx, otherwise ``page``, which includes it."""
    response = make_response(render_template(fragment if wants_fragment() else page, **values).strip(), status)
    response.vary.update(VARY)
    return response


def see_other(address: str) -> BaseResponse:
    """Redirect after a form: status 303, or for htmx a header that loads the page."""
    if not wants_fragment():
        return redirect(address, 303)
    response = make_response("", 200)
    response.headers["HX-Redirect"] = address
    return response
