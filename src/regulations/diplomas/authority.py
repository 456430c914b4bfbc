"""Who issues a diploma, and who serves it afterwards, by the day: the two-tier government of 2025 moved both."""

from __future__ import annotations

from datetime import date

from regulations.core import Citation, NoRuleInForce, UnknownValue, cites
from regulations.diplomas.base import KINDS, ended_on

INSTRUMENT = "13/2025/TT-BGDĐT"

DISTRICT, COMMUNE, DEPARTMENT = "phong_gddt", "ubnd_xa", "so_gddt"
TWO_TIERS_FROM = date(2025, 7, 1)


@cites(INSTRUMENT)
def issuer_of(kind: str, day: date) -> str:
    """Return the office that issues a diploma on that day: "phong_gddt", "ubnd_xa" or "so_gddt".

    Raises NoRuleInForce for the lower-secondary diploma from 2026, when the principal's confirmation takes
    its place, and for a certificate, whose own rules say who issues it.
    """
    _check_kind(kind)
    if kind == "thpt":
        return DEPARTMENT
    last = ended_on(kind)
    if last is None or day >= last:
        raise NoRuleInForce(
            f"nobody issues {kind} on {day}", citation=Citation(INSTRUMENT), name="kind", kind=kind, day=day
        )
    return DISTRICT if day < TWO_TIERS_FROM else COMMUNE


@cites(INSTRUMENT)
def server_of(kind: str, *, issued_on: date, day: date, commune_keeps: bool = True) -> str:
    """Return the office that re-issues, copies, corrects or revokes on `day` a diploma issued earlier.

    A lower-secondary diploma of a district office is served by the department since 01/7/2025.

    commune_keeps   whether a commune serves what it issued itself, or the department does
    """
    issuer = issuer_of(kind, issued_on)
    # Our reading: what a commune issued in the half-year of 2025 it goes on serving.
    if issuer == COMMUNE and not commune_keeps:
        return DEPARTMENT
    return DEPARTMENT if issuer == DISTRICT and day >= TWO_TIERS_FROM else issuer


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UnknownValue(f"unknown kind {kind!r}", name="kind", got=kind, choices=tuple(KINDS))
