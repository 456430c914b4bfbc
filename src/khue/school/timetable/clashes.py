"""What clashes, in the words of the school's own wishes: kept with the solver's job and shown on the version's page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from khue.school.timetable import problems, weeks
from khue.school.timetable.problems import Built
from khue.school.timetable.solving import clashing

SHOWN = 6


def told(built: Built, clash: clashing.Clash) -> dict[str, Any]:
    """Return the clash as JSON: {smallest, demands: [{words, kind, source, helps}]}.

    kind    "rule" (source: uid of the wish), "pin" (source: key of the lesson) or "fixed" (a common period)
    helps   whether relaxing it alone gives a timetable; null: not decided
    """
    demands = []
    for demand, helps in zip(clash.demands, clash.relaxing, strict=True):
        kind, source = _origin(built, demand)
        demands.append({"words": _words(built, demand), "kind": kind, "source": source, "helps": helps})
    return {"smallest": clash.is_smallest, "demands": demands}


def _origin(built: Built, demand: clashing.Demand) -> tuple[str, str]:
    if demand.source in built.titles:
        return "rule", demand.source
    if demand.source == "pin" and demand.activities:
        return "pin", built.keys[demand.activities[0]]
    return "fixed", ""


def _words(built: Built, demand: clashing.Demand) -> str:
    fixed = {"pin": _("Tiết đã ghim"), problems.FLAG: _("Tiết chào cờ"), problems.CLASS_HOUR: _("Tiết sinh hoạt lớp")}
    title = built.titles.get(demand.source) or fixed.get(demand.source, "")
    k = demand.constraints[0]
    names = demand.people or getattr(k, "rooms", ()) or ((k.room,) if hasattr(k, "room") else ())
    parts = [_some(names), _some(demand.activities)]
    if hasattr(k, "most") or hasattr(k, "least"):
        parts.append(str(getattr(k, "most", getattr(k, "least", ""))))
    slots = sorted(getattr(k, "slots", ()))
    if slots:
        parts.append(_some([weeks.place_name(built.grid.place(slot)) for slot in slots]))
    return ": ".join(filter(None, (title, " · ".join(filter(None, parts)))))


def _some(names: Any) -> str:
    listed = list(dict.fromkeys(names))
    return ", ".join(listed[:SHOWN]) + (_(" và %(n)s mục nữa") % {"n": len(listed) - SHOWN} if len(listed) > SHOWN else "")
