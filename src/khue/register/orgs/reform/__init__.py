"""The reform of 1 July 2025 (and any like it) as one dated operation on the tree.

    load_old_tree(actor=…, provinces=["83", "84", "86"], now=…)     # provinces, districts, communes as they were
    plan = rehearse(actor=…, provinces=["86"], now=…)               # what would happen; nothing is written
    reform = apply(actor=…, code="sap-xep-2025-86", provinces=["86"], now=…)

The same code twice is one reform. `conversion` reads the table that says which old commune became which.
"""

from khue.register.orgs.reform.conversion import Part, Table, read, shipped
from khue.register.orgs.reform.planning import Plan
from khue.register.orgs.reform.services import NotConserved, apply, decide, load_old_tree, rehearse

__all__ = ["NotConserved", "Part", "Plan", "Table", "apply", "decide", "load_old_tree", "read", "rehearse", "shipped"]
