"""A session is read as Django reads it, and an unknown key leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore as Original
from django.contrib.sessions.models import Session
from django.utils import timezone

from khue.kernel.accounts.sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> str:
    kept = SessionStore()
    kept["khue.strong"] = True
    kept["tên"] = "Trần Thị Ánh"
    kept.save()
    return kept.session_key


def test_what_was_kept_is_read_with_one_statement(key, counted) -> None:
    with counted() as count:
        assert SessionStore(key).load() == {"khue.strong": True, "tên": "Trần Thị Ánh"}
    assert count.total == 1
    assert Original(key).load() == SessionStore(key).load()


@pytest.mark.parametrize("wrong", ["a" * 32, "có dấu và dài", "nul\0" + "a" * 29, "' or true --" + "a" * 20])
def test_an_unknown_key_is_nothing_and_is_not_kept(key, wrong) -> None:
    asked = SessionStore(wrong)
    assert asked.load() == {}
    assert asked.session_key is None
    asked["something"] = 1
    asked.save()
    assert asked.session_key not in (wrong, None, key)


def test_a_session_at_its_end_is_nothing(key) -> None:
    Session.objects.filter(session_key=key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert SessionStore(key).load() == {}


def test_a_forged_session_is_nothing(key) -> None:
    Session.objects.filter(session_key=key).update(session_data="eyJraHVlLnN0cm9uZyI6dHJ1ZX0:1vAAAA:forged")
    assert SessionStore(key).load() == {}
