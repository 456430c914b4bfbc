"""Whether what was frozen is still what the ledger says: every document against its hash, the whole against its root."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from khue.kernel.ledger.models import Entry
from khue.province.periods import freezing, vault
from khue.province.periods.models import ReportPeriod, SchoolSnapshot, Submission


@dataclass(slots=True)
class Found:
    """How many snapshots were read, and what is wrong in sentences that name no person."""

    snapshots: int = 0
    faults: list[str] = field(default_factory=list)


def verify(period: ReportPeriod) -> Found:
    """Read every snapshot of a period again and hold it against its hash, its ledger entry and the period's root."""
    found = Found()
    chains = dict(Submission.objects.filter(period=period).values_list("school_id", "uid"))
    told = _told(period, [f"periods_submission:{uid}" for uid in chains.values()])
    rows = SchoolSnapshot.objects.filter(period=period).select_related("content", "school").order_by("school__code", "number")
    for one in rows.iterator(chunk_size=50):
        found.snapshots += 1
        place = f"{one.school.code} #{one.number}"
        try:
            vault.get(one.content.body, sha256=one.sha256)
        except vault.DamagedContent:
            found.faults.append(f"{place}: the document is not the one that was frozen")
        if (f"periods_submission:{chains.get(one.school_id)}", one.number, one.sha256) not in told:
            found.faults.append(f"{place}: the ledger knows no such snapshot")
    if period.root and freezing.root_of(period)[0] != period.root:
        found.faults.append("the snapshots do not give the period's root")
    return found


def _told(period: ReportPeriod, chains: list[str]) -> set[tuple[str, int, str]]:
    entries = Entry.objects.filter(school_year=period.school_year, chain__in=chains, act__in=["periods.freeze", "periods.refreeze"])
    told = set()
    for chain, body in entries.values_list("chain", "body").iterator(chunk_size=2000):
        data = json.loads(bytes(body))["data"]
        told.add((chain, data["number"], data["sha256"]))
    return told
