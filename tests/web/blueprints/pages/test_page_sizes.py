"""What goes over the wire: a search and a first visit stay small although nothing in them is cut."""

import random
import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from benchmarks.vocabulary import COLOURS, LOCATIONS, MAKERS, MATERIALS, REMARKS, SHELVES
from tests.web.blueprints.site import Site, codes_in

MAX_SEARCH_BYTES = 15_000
MAX_FIRST_VISIT_BYTES = 150_000
GZIP = {"Accept-Encoding": "gzip"}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def add_varied_products(site: Site) -> None:
    """Add more products than a page holds: long names of many words, remarks of several sentences, codes without a pattern."""
    rng = random.Random(7)
    for place in LOCATIONS[:5]:
        site.create_location(place)
    for _ in range(51):
        shelf = rng.choice(SHELVES)
        words = (rng.choice(shelf.things), rng.choice(MATERIALS), rng.choice(COLOURS), rng.choice(MAKERS))
        sizes = f"{rng.randint(10, 999)} x {rng.randint(10, 999)} x {rng.randint(10, 999)} mm"
        site.create_product(
            f"{shelf.prefix}-{rng.getrandbits(48):012X}",
            name=f"{' '.join(words)} {sizes}, lote {rng.getrandbits(32):08x}",
            description=" ".join(rng.sample(REMARKS, 3)) + f" Referencia {rng.getrandbits(32):08x}.",
            category=shelf.category or "",
            quantity=rng.randint(0, 5_000),
            minimum=rng.randint(0, 50),
            location=rng.choice(LOCATIONS[:5]),
        )


def test_compressed_search_of_fifty_products_stays_small(site: Site) -> None:
    add_varied_products(site)
    client = site.operator.client

    answers = [
        client.get(f"/inventory{query}", headers={**HTMX, **GZIP}, buffered=True)
        for query in ("?search=m", "?sort=-changed", "?sort=quantity")
    ]
    plain = client.get("/inventory?sort=quantity", headers=HTMX).text

    assert len(codes_in(plain)) == 50
    assert {answer.headers["Content-Encoding"] for answer in answers} == {"gzip"}
    assert max(len(answer.data) for answer in answers) <= MAX_SEARCH_BYTES


def test_compressed_first_visit_stays_small(site: Site) -> None:
    add_varied_products(site)
    stranger, operator = site.app.test_client(), site.operator.client

    pages = [stranger.get("/login", headers=GZIP), operator.get("/inventory", headers=GZIP)]
    texts = [stranger.get("/login").text, operator.get("/inventory").text]
    files = {address for text in texts for address in re.findall(r'(?:href|src)="(/assets/[^"#]+)', text)}
    sent = [*pages, *(fetch(stranger, address) for address in sorted(files))]

    assert len(files) >= 8
    assert sum(len(answer.data) for answer in sent) <= MAX_FIRST_VISIT_BYTES


def fetch(client: FlaskClient, address: str) -> TestResponse:
    answer = client.get(address, headers=GZIP, buffered=True)
    assert answer.status_code == 200
    return answer
