import pytest

from inventory_core.rules.arguments import request_faults


def test_an_id_an_actor_and_a_reason_that_keep_the_rules_have_no_fault() -> None:
    assert request_faults("0f" * 16, "ana", "inventario anual") == []
    assert request_faults("!~", "a" * 80, "r" * 200) == []


@pytest.mark.parametrize(
    ("operation", "reason"), [("", "required"), ("x" * 65, "too_long"), ("a b", "characters"), ("ñ", "characters")]
)
def test_an_operation_id_is_printable_ascii_without_blanks(operation: str, reason: str) -> None:
    assert [(fault.field, fault.reason) for fault in request_faults(operation, "ana")] == [("operation", reason)]


def test_every_fault_is_reported_at_once() -> None:
    assert [fault.field for fault in request_faults("", "", "r" * 201)] == ["operation", "actor", "reason"]
