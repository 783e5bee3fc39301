"""Forms of a page that is shown while nothing can be saved: they say so themselves, for browsers without scripts."""

import re

from flask import Flask
from flask_babel import gettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

NOTICE = "read-only"
"""The id of the notice that tells why; the buttons refer to it."""
_FORM = re.compile(r"<form\b(?P<attributes>[^>]*)>(?P<inside>.*?)</form>", re.DOTALL)
_SAVES = re.compile(r"""\bmethod=["']?post\b(?!.*\bdata-(?:saves-nothing|tells-itself)\b)""", re.DOTALL)
_BUTTON = re.compile(r"""<button\b(?![^>]*\btype=["']?(?:button|reset)\b)(?P<rest>[^>]*>)""")
_IN_A_LINE = re.compile(r"""\bclass=["']?(?:qty|undo)\b""")
"""Forms of one line in a table have no room for a sentence."""


def init_app(app: Flask) -> None:
    """Give templates the filter ``waiting_forms``, which changes nothing while all is well."""
    app.jinja_env.filters["waiting_forms"] = waiting_forms


@pass_context
def waiting_forms(context: Context, html: str) -> str:
    """The forms of ``html`` that save something, with the reason beside their buttons, if there is a ``database_notice``.

    The buttons can still be pressed, since a page without scripts does not learn that saving works again: what is sent too early
    is answered with what was typed, in a form that tells by itself when to send it.
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
