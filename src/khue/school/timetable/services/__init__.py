"""Writes: the week, rooms and wishes of a school; drafts and their changes; publishing; absences and covers."""

from khue.school.timetable.services.covering import add_absence, decide_cover, withdraw_absence
from khue.school.timetable.services.drafts import (
    Solving,
    move,
    pin,
    place_chain,
    refresh,
    start_solving,
    undo,
)
from khue.school.timetable.services.publishing import close_link, draft, open_link, publish
from khue.school.timetable.services.setting import (
    add_usual_rules,
    drop_rule,
    relax_rule,
    save_room,
    save_rule,
    save_week,
)

__all__ = [
    "Solving",
    "add_absence",
    "add_usual_rules",
    "close_link",
    "decide_cover",
    "draft",
    "drop_rule",
    "move",
    "open_link",
    "pin",
    "place_chain",
    "publish",
    "refresh",
    "relax_rule",
    "save_room",
    "save_rule",
    "save_week",
    "start_solving",
    "undo",
    "withdraw_absence",
]
