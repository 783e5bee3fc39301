"""Imports that do not exist."""

from tests.web.blueprints.site import Site


def test_an_unknown_import_is_not_found(site: Site) -> None:
    for answer in (
        site.operator.get("/imports/nada"),
        site.operator.post("/imports/nada/confirm"),
        site.operator.post("/imports/nada/undo"),
    ):
        assert answer.status_code == 404
