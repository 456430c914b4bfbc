"""Writes of the gradebook, by topic. Each is one act in one transaction: lock, rights, rule, change, audit,
ledger, event. Lock order everywhere: registers by key, then the class's Closing, then results."""

from khue.school.gradebook.services.marks import CellChange, Saved, exempt, save_cells
from khue.school.gradebook.services.registers import open_registers, open_registers_of_classes

__all__ = [
    "CellChange",
    "Saved",
    "exempt",
    "open_registers",
    "open_registers_of_classes",
    "save_cells",
]
