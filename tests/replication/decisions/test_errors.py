"""Errors of the replication package."""

import pickle

import pytest

from inventory_replication import errors
from inventory_replication.errors import ALL_ERRORS, CommitUnknown, ReplicationError, SplitBrainDetected


def test_every_kind_of_error_is_listed_under_its_own_code() -> None:
    kinds = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, ReplicationError) and value is not ReplicationError
    }

    assert set(ALL_ERRORS) == kinds
    assert [kind.code for kind in ALL_ERRORS] == [f"REP-{number:03}" for number in range(1, len(ALL_ERRORS) + 1)]


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_an_error_reports_its_message_and_its_code(kind: type[ReplicationError]) -> None:
    assert str(kind("db2 is gone.")) == f"db2 is gone. [{kind.code}]"
    assert kind().message == kind.default_message != ReplicationError.default_message


def test_details_survive_a_process_boundary() -> None:
    unknown = pickle.loads(pickle.dumps(CommitUnknown("lost")))  # noqa: S301 - our own bytes
    split = pickle.loads(pickle.dumps(SplitBrainDetected(servers=("db1", "db2"))))  # noqa: S301 - our own bytes

    assert unknown.message == "lost"
    assert split.servers == ("db1", "db2")
