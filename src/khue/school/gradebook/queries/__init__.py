"""Reads of the gradebook, by topic: the actor first, frozen dataclasses back, never more than her scope."""

from khue.school.gradebook.queries.classes import attendance_sheet, corrections, my_classes, teachers_of
from khue.school.gradebook.queries.decisions import YearDecision, year_decision
from khue.school.gradebook.queries.families import ChildResults, child_results
from khue.school.gradebook.queries.history import Change, LineHistory, cell_history, differences, line_history
from khue.school.gradebook.queries.registers import Grid, RegisterLine, my_registers, register_grid
from khue.school.gradebook.queries.results import ClassResults, class_head, class_results, learner_results

__all__ = [
    "Change",
    "ChildResults",
    "ClassResults",
    "Grid",
    "LineHistory",
    "RegisterLine",
    "YearDecision",
    "attendance_sheet",
    "cell_history",
    "child_results",
    "class_head",
    "class_results",
    "corrections",
    "differences",
    "learner_results",
    "line_history",
    "my_classes",
    "my_registers",
    "register_grid",
    "teachers_of",
    "year_decision",
]
