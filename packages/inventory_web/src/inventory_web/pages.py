"""Names that every template may use."""

import re
from importlib.metadata import version

from flask import Flask
from jinja2.ext import Extension

from inventory_core.rules.reorder import Status
from inventory_web import current, htmx, messages, statuses
from inventory_web.roles import Role


def give_names_to_templates(app: Flask) -> None:
    """``account``, ``menu``, ``may``, ``Role``, ``settings``, ``wants_fragment``, ``field_label``, ``new_operation``."""

    def names() -> dict[str, object]:
        account = current.the_account()
        running = current.running()
        return {
            "account": account,
            "menu": [entry for entry in running.menu if account and account.may(entry.role)],
            "settings": running.settings,
        }

    app.context_processor(names)
    app.jinja_env.globals.update(
        Role=Role,
        may=current.may,
        wants_fragment=htmx.wants_fragment,
        app_version=version("inventory-web"),
        field_label=messages.field_label,
        new_operation=current.new_operation,
        statuses=tuple(Status),
        status_text=statuses.status_text,
        status_colour=statuses.status_colour,
    )
    app.jinja_env.add_extension(WithoutIndentation)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


class WithoutIndentation(Extension):
    """Takes the indentation out of templates, which is a tenth of a page; values that they show keep theirs."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Change the text of a template before it is compiled."""
        del name, filename
        return re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)
