"""Reads of the gradebook, by topic: the actor first, frozen dataclasses back, never more than her scope."""

from khue.school.gradebook.queries.history import Change, LineHistory, cell_history, differences, line_history
from khue.school.gradebook.queries.registers import Grid, RegisterLine, my_registers, register_grid
from khue.school.gradebook.queries.results import ClassResults, class_head, class_results, learner_results

__all__ = [
    "Change",
    "ClassResults",
    "Grid",
    "LineHistory",
    "RegisterLine",
    "cell_history",
    "class_head",
    "class_results",
    "differences",
    "learner_results",
    "line_history",
    "my_registers",
    "register_grid",
]
