"""Circular 21/2019/TT-BGDĐT: managing diplomas and certificates, to 14/4/2026."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from regulations.calendar import add_calendar_days, add_working_days
from regulations.core import Citation, Outcome, Reason, UnknownValue, cites

ID = "diploma.tt21-2019"
INSTRUMENT = "21/2019/TT-BGDĐT"
TITLE = "Quy chế quản lý bằng tốt nghiệp, văn bằng và chứng chỉ của hệ thống giáo dục quốc dân"
FIRST_DAY, LAST_DAY = date(2020, 1, 15), date(2026, 4, 14)
VERSION = 1

ISSUE_DAYS = {"thcs": 75, "thpt": 75, "certificate": 30}
COPY_WORKING_DAYS = 1

CORRECTION_GROUNDS = (
    "civil-status-change",
    "civil-status-correction",
    "ethnicity",
    "sex",
    "civil-status-supplement",
    "late-birth-registration",
    "birth-registered-again",
)
CORRECTION_PAPERS = ("request", "diploma", "extract", "birth_certificate", "personal_id")
REVOCATION_GROUNDS = (
    "fraud",
    "wrong-person",
    "not-eligible",
    "without-authority",
    "erased-or-altered",
    "given-to-another",
    "court-or-inspection",
)

DEADLINE, CORRECTION = Citation(INSTRUMENT, 17), Citation(INSTRUMENT, 22)


def governs(*, day: date) -> bool:
    """Return whether it governs an act of that day."""
    return FIRST_DAY <= day <= LAST_DAY


@cites(INSTRUMENT, article=17)
def issue_deadline(kind: str, decided_on: date, *, digital: bool = False) -> date:
    """Return the last day to issue: 75 days from the recognition, 30 from the end of a course.

    Raises UnknownValue for an unknown kind and for a digital diploma, which this regime does not know.
    """
    if kind not in ISSUE_DAYS or digital:
        raise UnknownValue(
            f"no deadline for {kind!r}", citation=DEADLINE, name="kind", got=kind, digital=digital
        )
    return add_calendar_days(decided_on, ISSUE_DAYS[kind])


@cites(INSTRUMENT)
def copy_deadline(requested_on: date, *, holidays: Collection[date] | None = None) -> date:
    """Return the last day to hand out a copy from the register: the next working day."""
    return add_working_days(requested_on, COPY_WORKING_DAYS, holidays=holidays)


@cites(INSTRUMENT, article=22)
def correction(ground: str, papers: Iterable[str], *, issuers_error: bool = False) -> Outcome:
    """Return what a request leads to: "quyet_dinh_chinh_sua", "cap_lai" for the issuer's error, or "bo_sung_ho_so".

    Raises UnknownValue for a ground the article does not list.
    """
    if issuers_error:
        return Outcome("cap_lai", (Reason("issuers-error-reissue", Citation(INSTRUMENT, 18)),))
    if ground not in CORRECTION_GROUNDS:
        raise UnknownValue(
            f"unknown ground {ground!r}",
            citation=CORRECTION,
            name="ground",
            got=ground,
            choices=CORRECTION_GROUNDS,
        )
    shown = set(papers)
    lacking = tuple(paper for paper in CORRECTION_PAPERS if paper not in shown)
    if lacking:
        return Outcome(
            "bo_sung_ho_so",
            (Reason("correction-papers-lacking", Citation(INSTRUMENT, 23), {"papers": lacking}),),
        )
    return Outcome(
        "quyet_dinh_chinh_sua", (Reason("correction-by-decision", CORRECTION, {"ground": ground}),)
    )


@cites(INSTRUMENT)
def revocation(ground: str) -> Outcome:
    """Return "thu_hoi" with its ground; raise UnknownValue for a ground that is none."""
    if ground not in REVOCATION_GROUNDS:
        raise UnknownValue(
            f"unknown ground {ground!r}",
            citation=Citation(INSTRUMENT),
            name="ground",
            got=ground,
            choices=REVOCATION_GROUNDS,
        )
    return Outcome("thu_hoi", (Reason("revoked-on-ground", Citation(INSTRUMENT), {"ground": ground}),))


@cites(INSTRUMENT, article=2)
def lookup_allowed(*, name: str | None, serial: str | None, entry_number: str | None) -> bool:
    """Return whether a public look-up may answer: a name with the serial or the entry number."""
    # Our reading: openness does not mean lists; one diploma is found by who holds it.
    return bool(name and name.strip()) and bool(
        (serial and serial.strip()) or (entry_number and entry_number.strip())
    )
