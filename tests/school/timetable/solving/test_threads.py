"""What is done at once comes back in the order asked for, and a single thing takes no thread."""

from __future__ import annotations

import threading

import pytest

from khue.school.timetable.solving.threads import at_once


def test_things_are_done_together_and_come_back_in_order():
    together = threading.Barrier(3, timeout=20)

    def work(number: int) -> int:
        together.wait()
        return number * number

    assert at_once(work, range(3)) == [0, 1, 4]


@pytest.mark.parametrize("things", [[], [7]])
def test_fewer_than_two_things_are_done_where_one_asks(things):
    assert at_once(lambda thing: (thing, threading.current_thread()), things) == [
        (thing, threading.current_thread()) for thing in things
    ]


def test_what_goes_wrong_is_not_lost():
    with pytest.raises(ZeroDivisionError):
        at_once(lambda number: 1 // number, [1, 0])
