"""A scope inside another: its own inside, the outer one afterwards, whatever happened."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from khue.kernel.database import scope

pytestmark = pytest.mark.django_db


def held() -> tuple[str, ...]:
    """Return what the connection is set to show: everything, schools, people."""
    with connection.cursor() as cursor:
        names = ("khue.all", "khue.schools", "khue.people")
        cursor.execute("select " + ", ".join(f"coalesce(current_setting('{name}', true), '')" for name in names))
        return cursor.fetchone()


def test_a_scope_of_its_own_leaves_nothing_behind() -> None:
    before = held()
    with scope.opened(schools=[3, 1], people=[7]):
        assert held() == ("", "1,3", "7")
    assert held() == before


def test_the_outer_scope_is_put_back() -> None:
    with scope.opened(schools=[1]):
        with scope.opened(people=[2]):
            assert held() == ("", "", "2")
            with scope.everything():
                assert held() == ("on", "", "")
            assert held() == ("", "", "2")
        assert held() == ("", "1", "")


def test_the_outer_scope_is_put_back_after_an_error() -> None:
    with scope.opened(schools=[1]):
        with pytest.raises(ZeroDivisionError), scope.everything():
            raise ZeroDivisionError
        assert held() == ("", "1", "")


def test_an_inner_scope_costs_two_statements_and_its_savepoint() -> None:
    with scope.opened(schools=[1]), CaptureQueriesContext(connection) as asked, scope.everything():
        pass
    assert len(asked) == 4, [one["sql"] for one in asked]
