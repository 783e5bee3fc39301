"""Fragment or full page, and how to go on after a form."""

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

VARY = ("HX-Request", "HX-Request-Type")


def wants_fragment() -> bool:
    """True if htmx asks for a part of the page, and not for the page that a boosted link or the history restores."""
    return (
        request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type", "partial") == "partial"
    )


def page_or_fragment(page: str, fragment: str, *, status: int = 200, **values: object) -> Response:
    """Render ``fragment`` for htmx and ``page``, which includes it, for everybody else."""
    response = make_response(render_template(fragment if wants_fragment() else page, **values).strip(), status)
    response.vary.update(VARY)
    return response


def see_other(address: str) -> BaseResponse:
    """Go to ``address`` after a form was carried out: 303, or for htmx a header that loads the page."""
    if not wants_fragment():
        return redirect(address, 303)
    response = make_response("", 200)
    response.headers["HX-Redirect"] = address
    return response
