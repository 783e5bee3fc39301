"""Forms while nothing can be saved: a notice next to each submit button, also without scripts."""

import re

from flask import Flask
from flask_babel import gettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

NOTICE = "read-only"
"""The id of the notice with the reason; the buttons refer to it."""
_FORM = re.compile(r"<form\b(?P<attributes>[^>]*)>(?P<inside>.*?)</form>", re.DOTALL)
_SAVES = re.compile(r"""\bmethod=["']?post\b(?!.*\bdata-(?:saves-nothing|tells-itself)\b)""", re.DOTALL)
_BUTTON = re.compile(r"""<button\b(?![^>]*\btype=["']?(?:button|reset)\b)(?P<rest>[^>]*>)""")
_IN_A_LINE = re.compile(r"""\bclass=["']?(?:qty|undo)\b""")
"""Single-line forms in tables are too small for a sentence."""


def init_app(app: Flask) -> None:
    """Add the template filter ``waiting_forms``, which changes nothing while the database is available."""
    app.jinja_env.filters["waiting_forms"] = waiting_forms


@pass_context
def waiting_forms(context: Context, html: str) -> str:
    """Add the reason to the buttons of all saving forms in ``html`` if there is a ``database_notice``.

    The buttons stay enabled, because a page without scripts cannot learn that saving works again. A form that is sent too early
    comes back with its input and says when to try again.
    """
    if not context.get("database_notice"):
        return html
    why = gettext("Espere: ahora no se puede guardar. Lo que escriba no se pierde.")
    sentence = f'<p class="form-waits without-script">{escape(why)}</p>'
    return Markup(_FORM.sub(lambda form: _held(form, sentence), html))  # noqa: S704 - the page itself, and an escaped sentence


def _held(form: re.Match[str], sentence: str) -> str:
    attributes = form["attributes"]
    if not _SAVES.search(attributes):
        return form[0]
    inside = _BUTTON.sub(rf'<button aria-disabled="true" aria-describedby="{NOTICE}"\g<rest>', form["inside"])
    return f"<form{attributes}>{inside}{'' if _IN_A_LINE.search(attributes) else sentence}</form>"
