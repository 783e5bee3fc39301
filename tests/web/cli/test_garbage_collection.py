import gc

import pytest

from inventory_web.cli.files import paused_garbage_collection


def test_paused_garbage_collection_resumes_afterwards() -> None:
    with paused_garbage_collection():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_paused_garbage_collection_resumes_after_an_error() -> None:
    with pytest.raises(LookupError), paused_garbage_collection():
        raise LookupError

    assert gc.isenabled()


def test_paused_garbage_collection_stays_off_if_it_was_off() -> None:
    gc.disable()
    try:
        with paused_garbage_collection():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()
