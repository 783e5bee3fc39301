"""What the next page says about what was just done, with a button that takes it back."""

import json

from flask import flash, request

from inventory_web.http.redirects import current_url

UNDO = "undo"
"""The category of a notice whose text is an ``undo_offer``."""


def flash_with_undo(text: str, *, address: str, changed: str) -> None:
    """Let the next page say ``text``; its button posts the operation ``changed`` to ``address``, which takes it back."""
    flash(json.dumps({"text": text, "address": address, "changed": changed}), UNDO)


def undo_offer(message: str) -> dict[str, str]:
    """What ``flash_with_undo`` was given, and in ``next`` the page to come back to; for templates."""
    offer: dict[str, str] = json.loads(message)
    return offer | {"next": current_url() if request.method == "GET" else ""}
