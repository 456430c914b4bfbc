"""Circular 05/2023/TT-BGDĐT: specialised upper-secondary schools, whose admission is by its own rules."""

from __future__ import annotations

from collections.abc import Sequence

from regulations.admission.base import ELIGIBLE, NOT_ELIGIBLE, AdmissionScore, check_papers
from regulations.core import Citation, Hundredths, OutOfRange, Reason, UnknownValue, cites

ID = "grade10.specialised"
INSTRUMENT = "05/2023/TT-BGDĐT"
TITLE = "Quy chế tổ chức và hoạt động của trường trung học phổ thông chuyên"
FIRST_YEAR, LAST_YEAR = 2023, None
VERSION = 1

COEFFICIENT = 2
"""Of the specialised paper; a province may set another."""

FLOOR: Hundredths = 200
"""Our reading: a paper counts only above this score; the province sets it."""

SUBJECTS = (
    "ngu_van",
    "lich_su",
    "dia_li",
    "tieng_anh",
    "tieng_nga",
    "tieng_phap",
    "tieng_trung_quoc",
    "tieng_nhat",
    "tieng_han",
    "tieng_duc",
    "toan",
    "tin_hoc",
    "vat_li",
    "hoa_hoc",
    "sinh_hoc",
)
CONDITION = ("kha", "tot", "gioi")
"""Learning and conduct of each lower-secondary year is at least Khá."""

COMMON_PAPERS = (2, 3, 4)
PLACE = Citation(INSTRUMENT)


def governs(*, year: int) -> bool:
    """Return whether it governs admission for the school year that begins in `year`."""
    return year >= FIRST_YEAR


@cites(INSTRUMENT)
def specialised_score(
    *,
    common: Sequence[Hundredths],
    special: Hundredths,
    coefficient: int = COEFFICIENT,
    floor: Hundredths | None = None,
    years: Sequence[tuple[str, str]] = (),
) -> AdmissionScore:
    """Return a candidate's score: the common papers once, the specialised paper `coefficient` times.

    floor   each paper must be above it; None sets none
    years   (learning, conduct) of each lower-secondary year; each at least Khá

    Raises IncompleteMarks for a paper missing, OutOfRange for a coefficient below 1.
    """
    shared = check_papers(common, at=PLACE, counts=COMMON_PAPERS)
    (own,) = check_papers((special,), at=PLACE, counts=(1,))
    if type(coefficient) is not int or coefficient < 1:
        raise OutOfRange(f"coefficient: {coefficient!r}", citation=PLACE, name="coefficient", got=coefficient)
    against = [
        Reason("specialised-paper-not-above-floor", PLACE, {"got": paper, "limit": floor})
        for paper in (*shared, own)
        if floor is not None and paper <= floor
    ]
    against += [
        Reason("specialised-year-below", PLACE, {"learning": learning, "conduct": conduct})
        for learning, conduct in years
        if learning not in CONDITION or conduct not in CONDITION
    ]
    total = sum(shared) + coefficient * own
    reason = Reason(
        "specialised-score", PLACE, {"common": sum(shared), "special": own, "coefficient": coefficient}
    )
    return AdmissionScore(NOT_ELIGIBLE if against else ELIGIBLE, (*against, reason), papers=total)


@cites(INSTRUMENT)
def check_subject(subject: str) -> str:
    """Return the code of a specialised subject; raise UnknownValue for one a school cannot specialise in."""
    if subject not in SUBJECTS:
        raise UnknownValue(f"no specialised subject {subject!r}", citation=PLACE, name="subject", got=subject)
    return subject
