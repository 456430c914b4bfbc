"""Reads of the gradebook, by topic: the actor first, frozen dataclasses back, never more than her scope."""

from khue.school.gradebook.queries.history import Change, cell_history, differences
from khue.school.gradebook.queries.registers import Grid, RegisterLine, my_registers, register_grid

__all__ = [
    "Change",
    "Grid",
    "RegisterLine",
    "cell_history",
    "differences",
    "my_registers",
    "register_grid",
]
