"""Flash messages, with an undo button if the action can be undone."""

import json

from flask import flash, request

from inventory_web.http.redirects import current_url

UNDO = "undo"
"""Category of a flash message whose text is an ``undo_offer``."""


def flash_with_undo(text: str, *, address: str, changed: str) -> None:
    """Flash ``text`` with a button that posts the operation ``changed`` to ``address`` to undo it."""
    flash(json.dumps({"text": text, "address": address, "changed": changed}), UNDO)


def undo_offer(message: str) -> dict[str, str]:
    """Return the data of ``flash_with_undo`` for templates; ``next`` is the page to return to."""
    offer: dict[str, str] = json.loads(message)
    return offer | {"next": current_url() if request.method == "GET" else ""}
