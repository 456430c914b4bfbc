"""Why a problem has no timetable: certain reasons found by counting, and the smallest set of constraints that clash."""

from __future__ import annotations

from khue.school.timetable.solving.compiling import Compiled
from khue.school.timetable.solving.model import Problem
from khue.school.timetable.solving.words import Words


def certain(problem: Problem, c: Compiled) -> list[Words]:
    """Return reasons that certainly rule out any timetable; quick."""
    return [Words("không có chỗ: %(key)s", {"key": c.keys[c.members[u][0]]}) for u in c.empty]
