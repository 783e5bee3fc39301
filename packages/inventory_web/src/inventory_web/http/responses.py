"""Responses of views: page or fragment, the redirect after a form, and flash messages with an undo button."""

import json

from flask import Response, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from inventory_web.http.urls import current_url

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


UNDO = "undo"
"""Category of a flash message whose text is an ``undo_offer``."""


def flash_with_undo(text: str, *, address: str, changed: str) -> None:
    """Flash ``text`` with a button that posts the operation ``changed`` to ``address`` to undo it."""
    flash(json.dumps({"text": text, "address": address, "changed": changed}), UNDO)


def undo_offer(message: str) -> dict[str, str]:
    """Return the data of ``flash_with_undo`` for templates; ``next`` is the page to return to."""
    offer: dict[str, str] = json.loads(message)
    return offer | {"next": current_url() if request.method == "GET" else ""}
