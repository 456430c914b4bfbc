"""Circular 15/2026/TT-BGDĐT with Law 123/2025/QH15: the principal confirms completion in the transcript.

There is no diploma and no rank. The conditions are those a public school system applies; the article itself
was not read, so the doubtful ones are arguments.
"""

from __future__ import annotations

from regulations.completion.base import check_age, conclude
from regulations.core import Citation, Outcome, OutOfRange, Reason, UnknownValue, cites

ID = "thcs.completion-2026"
INSTRUMENT = "15/2026/TT-BGDĐT"
TITLE = "Xác nhận hoàn thành chương trình trung học cơ sở trong học bạ"
FIRST_YEAR, LAST_YEAR = 2025, None
VERSION = 1

OLDEST = 21
MOST_ABSENCES = 45
ROUNDS = 2
LEVELS = ("chua_dat", "dat", "kha", "tot")

PLACE = Citation(INSTRUMENT)


def governs(*, year: int) -> bool:
    """Return whether it governs the school year that begins in `year`."""
    return year >= FIRST_YEAR


@cites(INSTRUMENT)
def recognised(
    *,
    age_by_year: int,
    programme_completed: bool,
    dossier_complete: bool,
    learning: str = "dat",
    conduct: str = "dat",
    absences: int = 0,
    failed_subjects: int = 0,
    failed_subjects_bar: bool = False,
) -> Outcome:
    """Return whether the principal may confirm completion: "cong_nhan" or "khong_cong_nhan".

    learning, conduct    grade 9's levels after re-assessment and training in summer
    absences             sessions missed in grade 9, over all schools attended
    failed_subjects      subjects that stay at Chưa đạt
    failed_subjects_bar  whether one such subject bars the confirmation
    """
    age = check_age(age_by_year, PLACE)
    for name, level in (("learning", learning), ("conduct", conduct)):
        if level not in LEVELS:
            raise UnknownValue(
                f"unknown {name}: {level!r}", citation=PLACE, name=name, got=level, choices=LEVELS
            )
    for name, count in (("absences", absences), ("failed_subjects", failed_subjects)):
        if type(count) is not int or count < 0:
            raise OutOfRange(f"{name}: {count!r}", citation=PLACE, name=name, got=count)
    against: list[Reason] = []
    if age > OLDEST:
        against.append(Reason("too-old-to-complete", PLACE, {"got": age, "most": OLDEST}))
    if not programme_completed:
        against.append(Reason("programme-not-completed", PLACE))
    if not dossier_complete:
        against.append(Reason("dossier-incomplete", PLACE))
    if "chua_dat" in (learning, conduct):
        against.append(
            Reason("lower-secondary-levels-too-low", PLACE, {"learning": learning, "conduct": conduct})
        )
    if absences > MOST_ABSENCES:
        against.append(Reason("absences-bar-completion", PLACE, {"got": absences, "most": MOST_ABSENCES}))
    # Our reading: promotion allows one comment subject at Chưa đạt, and so does completion.
    if failed_subjects_bar and failed_subjects:
        against.append(Reason("failed-subjects-bar-completion", PLACE, {"got": failed_subjects}))
    return conclude(against, PLACE)
