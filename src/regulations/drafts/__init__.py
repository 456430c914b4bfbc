"""Draft rule sets for simulation: a circular in force with some of its numbers changed, loaded from data.

    draft = drafts.load({
        "id": "draft.tot-nghiep-2027", "state": "draft", "title": "Dự thảo …", "base": "grad.tt24-2024",
        "set": {"BONUS_CAP": 150, "YEAR_WEIGHTS": [1, 1, 1], "PRIORITY": {"2": 50}},
    })
    draft.simulate("graduation_score", papers=…, …)      # Simulation("draft.tot-nghiep-2027", …)

A draft never touches an official result: no door of a subject knows it, its citations name the draft, what it
returns is a `Simulation`, and whoever stores a result calls `demand_official` first.
"""

from __future__ import annotations

from regulations.drafts.loading import (
    Draft,
    DraftNotOfficial,
    Simulation,
    bases,
    demand_official,
    is_official,
    load,
    settings_of,
)

__all__ = [
    "Draft",
    "DraftNotOfficial",
    "Simulation",
    "bases",
    "demand_official",
    "is_official",
    "load",
    "settings_of",
]
