"""Applications that are made once in a process and lent to one test after another, each over a database of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask import Flask

from inventory_core import SessionSource
from inventory_web import Settings, context, create_app
from inventory_web.jobs import runner


class LentApplications:
    """What a process has made so far, by settings.

    An application holds its routes, templates and hooks, none of which a request changes; the inventory and the runner
    are replaced, so that nobody sees the database or the jobs of another test.
    """

    def __init__(self) -> None:
        self._free: list[tuple[Settings, Flask]] = []

    @contextmanager
    def lend(self, settings: Settings, sessions: SessionSource) -> Iterator[Flask]:
        """Give an application without plugins, which comes back as it was: a test that adds to one makes its own."""
        app = self._take(settings) or create_app(settings, sessions=sessions)
        before = _made_of(app)
        _reset(app, sessions)
        try:
            yield app
        finally:
            app.extensions[runner.EXTENSION].stop()
        assert _made_of(app) == before, "the test changed an application that others use: ask for make_app"
        self._free.append((settings, app))

    def _take(self, settings: Settings) -> Flask | None:
        for number, (made_with, _) in enumerate(self._free):
            if made_with == settings:
                return self._free.pop(number)[1]
        return None


def _reset(app: Flask, sessions: SessionSource) -> None:
    running, jobs = app.extensions[context.EXTENSION], app.extensions[runner.EXTENSION]
    inventory = replace(running.inventory, sessions=sessions)
    app.extensions[context.EXTENSION] = replace(running, inventory=inventory)
    app.extensions[runner.EXTENSION] = fresh = runner.JobRunner(app)
    for kind in jobs.job_types:
        fresh.add(kind)


def _made_of(app: Flask) -> list[Any]:
    """All that a test could have added to or set."""
    steps = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    handlers = {
        (of, code, error)
        for of, codes in app.error_handler_spec.items()
        for code, errors in codes.items()
        for error in errors
    }
    return [
        dict(app.config),
        dict(app.view_functions),
        {rule.rule for rule in app.url_map.iter_rules()},
        [{of: list(added) for of, added in step.items() if added} for step in steps],
        handlers,
        dict(app.jinja_env.globals),
        dict(app.jinja_env.filters),
        set(app.extensions),
        app.wsgi_app,
    ]
