"""What is loaded is left out of the search for cyclic garbage; what comes after is still found."""

from __future__ import annotations

import gc
import importlib
import weakref

import pytest

from khue.kernel import collecting


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before():
    """Leave the collector as it was found."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_what_is_loaded_is_left_out() -> None:
    gc.unfreeze()
    loaded = Ring()
    collecting.settle()
    assert gc.get_freeze_count() > 10_000
    assert not any(one is loaded for one in gc.get_objects())
    assert gc.isenabled()


def test_garbage_of_later_is_found() -> None:
    collecting.settle()
    seen = weakref.ref(Ring())
    kept = [[] for _ in range(collecting.OBJECTS + 1)]
    assert seen() is None
    assert len(kept) > collecting.OBJECTS


def test_the_web_server_settles_with_every_view_loaded() -> None:
    from django.urls import get_resolver

    from khue.web import wsgi

    gc.set_threshold(700, 10, 10)
    importlib.reload(wsgi)
    assert "url_patterns" in vars(get_resolver())
    assert callable(wsgi.application)
    assert gc.get_threshold()[0] == collecting.OBJECTS
