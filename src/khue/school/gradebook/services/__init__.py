"""Writes of the gradebook, by topic. Each is one act in one transaction: lock, rights, rule, change, audit,
ledger, event. Lock order everywhere: registers by key, then the class's Closing, then results."""

from khue.school.gradebook.services.attendance import save_attendance
from khue.school.gradebook.services.carrying import carry_marks
from khue.school.gradebook.services.closing import close_set, start_close_term, start_close_year
from khue.school.gradebook.services.conduct import ConductChange, save_conduct
from khue.school.gradebook.services.corrections import (
    ask_correction,
    check_correction,
    decide_correction,
    decide_year,
)
from khue.school.gradebook.services.marks import CellChange, Saved, exempt, save_cells
from khue.school.gradebook.services.registers import open_registers, open_registers_of_classes

__all__ = [
    "CellChange",
    "ConductChange",
    "Saved",
    "ask_correction",
    "carry_marks",
    "check_correction",
    "close_set",
    "decide_correction",
    "decide_year",
    "exempt",
    "open_registers",
    "open_registers_of_classes",
    "save_attendance",
    "save_cells",
    "save_conduct",
    "start_close_term",
    "start_close_year",
]
