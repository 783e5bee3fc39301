"""Where to go after a form."""

from urllib.parse import urlsplit

from flask import current_app, request, url_for


def next_address(otherwise: str) -> str:
    """The field ``next`` of the form if it is an address of this site, else ``otherwise``; a form cannot lead elsewhere."""
    asked = request.form.get("next", "")
    return asked if is_local(asked) else otherwise


def is_local(address: str) -> bool:
    """Whether it leads to this site, whatever a browser makes of odd strokes in it."""
    parts = urlsplit(address.replace("\\", "/"))
    return (
        address.startswith("/")
        and not address.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and address.isprintable()
    )


def page_before(otherwise: str) -> str:
    """The page of this site that the form was on, as the browser tells it, else ``otherwise``; ``next`` goes first."""
    parts = urlsplit(request.referrer or "")
    known = parts.netloc == request.host and parts.path.startswith("/") and parts.path != request.path
    before = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return next_address(before if known else otherwise)


def page_of_form(otherwise: str) -> str:
    """The page of this site that the form stood on, also if it has the address that the form is sent to."""
    parts = urlsplit(request.referrer or "")
    before = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return before if parts.netloc == request.host and is_local(before) and _can_be_shown(before) else otherwise


def page_to_show_again() -> str:
    """The page that a choice in the menu was made on, unless it only answers a form; then the first page."""
    home = url_for("home")
    before = page_before(home)
    return before if _can_be_shown(before) else home


def _can_be_shown(address: str) -> bool:
    addresses = current_app.create_url_adapter(request)
    return addresses is not None and addresses.test(urlsplit(address).path, method="GET")
