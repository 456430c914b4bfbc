"""Reads of the gradebook, by topic: the actor first, frozen dataclasses back, never more than her scope."""

from khue.school.gradebook.queries.history import Change, LineHistory, cell_history, differences, line_history
from khue.school.gradebook.queries.registers import Grid, RegisterLine, my_registers, register_grid

__all__ = [
    "Change",
    "Grid",
    "LineHistory",
    "RegisterLine",
    "cell_history",
    "differences",
    "line_history",
    "my_registers",
    "register_grid",
]
