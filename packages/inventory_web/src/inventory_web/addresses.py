"""Where to go after a form."""

from urllib.parse import urlsplit

from flask import current_app, request, url_for


def next_address(otherwise: str) -> str:
    """The field ``next`` of the form if it is an address of this site, else ``otherwise``; a form cannot lead elsewhere."""
    asked = request.form.get("next", "")
    parts = urlsplit(asked.replace("\\", "/"))
    local = asked.startswith("/") and not asked.startswith("//") and not parts.netloc and asked.isprintable()
    return asked if local else otherwise


def page_before(otherwise: str) -> str:
    """The page of this site that the form was on, as the browser tells it, else ``otherwise``; ``next`` goes first."""
    parts = urlsplit(request.referrer or "")
    known = parts.netloc == request.host and parts.path.startswith("/") and parts.path != request.path
    before = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return next_address(before if known else otherwise)


def page_to_show_again() -> str:
    """The page that a choice in the menu was made on, unless it only answers a form; then the first page."""
    home = url_for("home")
    before = page_before(home)
    addresses = current_app.create_url_adapter(request)
    return before if addresses is not None and addresses.test(urlsplit(before).path, method="GET") else home
