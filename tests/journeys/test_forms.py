"""Forms are read as a browser would send them."""

import pytest

from tests.journeys.forms import Form, form_with, forms_of

PAGE = """
<form method="get" action="/search"><input name="q"></form>
<form method=post action="/a"><input type=hidden name=operation value="x&amp;y"><input name=quantity value=5>
<input type=radio name=kind value=receive checked><input type=radio name=kind value=issue><input type=checkbox name=all>
<select name=place><option>Principal</option><option value="2" selected>Tienda</option></select>
<select name=category><option value="">Ninguna</option><option>Otra</option></select>
<textarea name=text>
uno
dos</textarea><input type=file name=file><button name=delta value=1>+</button></form>
<input name=outside value=1>
<form method=post><input name=code></form>
"""


def test_a_form_sends_what_is_in_it_and_what_is_chosen() -> None:
    fields = {"operation": "x&y", "quantity": "5", "kind": "receive", "place": "2", "category": "", "text": "uno\ndos"}

    assert forms_of(PAGE) == [Form("/a", fields), Form("", {"code": ""})]


def test_a_form_is_found_by_its_action_and_its_fields() -> None:
    assert form_with(PAGE, "code").action == ""
    assert form_with(PAGE, "quantity", "/a").fields["quantity"] == "5"
    with pytest.raises(AssertionError, match="no form to '/b'"):
        form_with(PAGE, "quantity", "/b")
