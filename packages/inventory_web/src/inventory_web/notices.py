"""What the next page says about what was just done, with a button that takes it back."""

import json

from flask import flash, request

from inventory_web.addresses import this_address

UNDO = "undo"
"""The category of a notice whose text is an ``undo_offer``."""


def tell_with_undo(text: str, *, address: str, changed: str) -> None:
    """Let the next page say ``text``; its button posts the operation ``changed`` to ``address``, which takes it back."""
    flash(json.dumps({"text": text, "address": address, "changed": changed}), UNDO)


def undo_offer(message: str) -> dict[str, str]:
    """What ``tell_with_undo`` was given, and in ``next`` the page to come back to; for templates."""
    offer: dict[str, str] = json.loads(message)
    return offer | {"next": this_address() if request.method == "GET" else ""}
