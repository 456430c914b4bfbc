"""Decree 20/2014/NĐ-CP: universal education and literacy, in force 15/5/2014.

Counts are persons; levels are 0 (none) to 3. Thresholds are percentages, (ordinary commune, commune with
especially difficult conditions), compared as exact ratios.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from regulations.core import Citation, Outcome, OutOfRange, Reason, UnknownValue, cites
from regulations.universal_education.base import NotConfigured, reach, share

ID = "pcgd.nd20-2014"
INSTRUMENT = "20/2014/NĐ-CP"
TITLE = "Phổ cập giáo dục, xóa mù chữ"
FIRST_YEAR, LAST_YEAR = 2014, None
VERSION = 1

PRESCHOOL_AT_SCHOOL, PRESCHOOL_FINISHED = (95, 90), (85, 80)
PRIMARY_ENTERED = {1: (90, 90), 2: (95, 95), 3: (98, 98)}
PRIMARY_FINISHED_AT_14 = (80, 70)
PRIMARY_FINISHED_AT_11 = {2: (80, 70), 3: (90, 80)}
LOWER_SECONDARY = {1: (80, 70), 2: (90, 80), 3: (95, 90)}
IN_UPPER_SECONDARY = (80, 70)
LITERACY = 90
LITERACY_AGES = {1: ("15-35", "15-25"), 2: ("15-60", "15-35")}
"""Level of literacy to the age group counted, ordinary and especially difficult."""

AGE_GROUPS = {"preschool": (5, 5), "primary": (6, 14), "lower_secondary": (11, 18), "literacy": (15, 60)}
"""Whom each standard is about, first and last age."""

AGGREGATE = {
    "preschool5": {"district": 90, "province": 100},
    "primary1": {"district": 90, "province": 100},
    "primary2": {"district": 90, "province": 100},
    "primary3": {"district": 100, "province": 100},
    "thcs1": {"district": 90, "province": 100},
    "thcs2": {"district": 95, "province": 100},
    "thcs3": {"district": 100, "province": 100},
    "xmc1": {"district": 90, "province": 90},
    "xmc2": {"district": 90, "province": 100},
}
"""Standard to the percentage of recognised communes a district, of districts a province needs."""

REPORT_BEFORE = (10, 10)

A5, A9, A10, A11 = (Citation(INSTRUMENT, article) for article in (6, 9, 10, 11))
A14, A15, A16 = (Citation(INSTRUMENT, article) for article in (14, 15, 16))
A20, A21 = Citation(INSTRUMENT, 20), Citation(INSTRUMENT, 21)

LEVELS = ("muc_0", "muc_1", "muc_2", "muc_3")


def governs(*, year: int) -> bool:
    """Return whether it governs the recognition of the calendar year `year`."""
    return year >= FIRST_YEAR


@cites(INSTRUMENT)
def age(year: int, birth_year: int) -> int:
    """Return the age that counts in the survey of `year`."""
    if type(birth_year) is not int or birth_year > year:
        raise OutOfRange(
            f"birth year: {birth_year!r}", citation=Citation(INSTRUMENT), name="birth_year", got=birth_year
        )
    return year - birth_year


@cites(INSTRUMENT, article=6)
def preschool5_commune(
    *, difficult: bool, children: int, at_school: int, of_finishing_age: int, finished: int
) -> Outcome:
    """Return whether a commune has universal preschool for five-year-olds: "dat" or "khong_dat".

    children, at_school           five-year-olds and those at school
    of_finishing_age, finished    children who should have finished the programme and those who have
    """
    tests = (
        reach(
            share("at_school", at_school, children, A5),
            PRESCHOOL_AT_SCHOOL[difficult],
            A5,
            "preschool-at-school",
        ),
        reach(
            share("finished", finished, of_finishing_age, A5),
            PRESCHOOL_FINISHED[difficult],
            A5,
            "preschool-finished",
        ),
    )
    because = tuple(reason for _, reason in tests)
    return Outcome("dat" if all(met for met, _ in tests) else "khong_dat", because)


@cites(INSTRUMENT, article=9)
def primary_level_commune(
    *,
    difficult: bool,
    six: int,
    six_entered: int,
    fourteen: int,
    fourteen_finished: int,
    eleven: int,
    eleven_finished: int,
    eleven_in_primary: int,
    level3_all_in_primary: bool = True,
) -> Outcome:
    """Return a commune's level of universal primary education, "muc_0" to "muc_3".

    six, six_entered               six-year-olds and those who entered grade 1
    fourteen, fourteen_finished    fourteen-year-olds and those who finished primary
    eleven, eleven_finished, eleven_in_primary   eleven-year-olds, finished, still in primary classes
    level3_all_in_primary          whether level 3 too wants every other eleven-year-old in primary classes
    """
    entered = share("six_entered", six_entered, six, A9)
    at14 = share("fourteen_finished", fourteen_finished, fourteen, A9)
    at11 = share("eleven_finished", eleven_finished, eleven, A10)
    others = share("eleven_in_primary", eleven_in_primary + eleven_finished, eleven, A10)
    needs: list[list[tuple[bool, Reason]]] = [
        [
            reach(entered, PRIMARY_ENTERED[1][difficult], A9, "primary-entered"),
            reach(at14, PRIMARY_FINISHED_AT_14[difficult], A9, "primary-finished-at-14"),
        ]
    ]
    for level, at in ((2, A10), (3, A11)):
        tests = [
            reach(entered, PRIMARY_ENTERED[level][difficult], at, "primary-entered"),
            reach(at11, PRIMARY_FINISHED_AT_11[level][difficult], at, "primary-finished-at-11"),
        ]
        if level == 2 or level3_all_in_primary:
            tests.append(reach(others, 100, at, "primary-others-in-class"))
        needs.append(tests)
    return _climb(needs)


@cites(INSTRUMENT, article=14)
def lower_secondary_level_commune(
    *,
    difficult: bool,
    primary_level: int,
    literacy_level: int,
    aged_15_18: int,
    completed: int,
    in_upper_secondary: int,
) -> Outcome:
    """Return a commune's level of universal lower-secondary education, "muc_0" to "muc_3".

    completed            of those aged 15 to 18, with a diploma or a confirmation of completion
    in_upper_secondary   of those aged 15 to 18, in general, continuing or vocational upper secondary
    """
    for name, value, most in (("primary_level", primary_level, 3), ("literacy_level", literacy_level, 2)):
        if type(value) is not int or not 0 <= value <= most:
            raise OutOfRange(f"{name}: {value!r}", citation=A14, name=name, got=value, most=most)
    done = share("completed", completed, aged_15_18, A14)
    further = share("in_upper_secondary", in_upper_secondary, aged_15_18, A16)
    standards = (
        (primary_level >= 1, Reason(_standard("primary", primary_level), A14, {"level": primary_level})),
        (literacy_level >= 1, Reason(_standard("literacy", literacy_level), A14, {"level": literacy_level})),
    )
    needs = [
        [*standards, reach(done, LOWER_SECONDARY[1][difficult], A14, "lower-secondary-completed")],
        [reach(done, LOWER_SECONDARY[2][difficult], A15, "lower-secondary-completed")],
        [
            reach(done, LOWER_SECONDARY[3][difficult], A16, "lower-secondary-completed"),
            reach(further, IN_UPPER_SECONDARY[difficult], A16, "in-upper-secondary"),
        ],
    ]
    return _climb(needs)


@cites(INSTRUMENT, article=20)
def literacy_level_commune(
    *,
    difficult: bool,
    population: Mapping[str, int],
    literate1: Mapping[str, int],
    literate2: Mapping[str, int],
) -> Outcome:
    """Return a commune's level of literacy, "muc_0" to "muc_2".

    population, literate1, literate2   age group ("15-25", "15-35", "15-60") to persons, and of them those
                                       literate on level 1 and 2; only the groups that count are read
    """
    needs = []
    for level, literate, at in ((1, literate1, A20), (2, literate2, A21)):
        group = LITERACY_AGES[level][difficult]
        one = share(f"literate{level}.{group}", literate.get(group), population.get(group), at)
        needs.append([reach(one, LITERACY, at, f"literacy-{level}")])
    return _climb(needs)


@cites(INSTRUMENT, article=19)
def literate_person(*, grade_completed: int, literacy_stage: int) -> int:
    """Return a person's level of literacy, 0 to 2.

    grade_completed   the highest general grade completed, 0 for none; grade 3 gives level 1, grade 5 level 2
    literacy_stage    the highest stage of the literacy programme completed, 0 to 2
    """
    for name, value, most in (
        ("grade_completed", grade_completed, 12),
        ("literacy_stage", literacy_stage, 2),
    ):
        if type(value) is not int or not 0 <= value <= most:
            raise OutOfRange(
                f"{name}: {value!r}", citation=Citation(INSTRUMENT, 19), name=name, got=value, most=most
            )
    return max(literacy_stage, 2 if grade_completed >= 5 else 1 if grade_completed >= 3 else 0)


@cites("07/2016/TT-BGDĐT")
def counts(*, residence: str, months_present: int, state: str, disability: str | None = None) -> bool:
    """Return whether a person of the age counts in the commune's denominator.

    residence        "permanent" or "other"; others count after six months
    state            "present", "moved" or "dead"
    disability       None, "able" or "unable" to learn; only the last is left out
    """
    at = Citation("07/2016/TT-BGDĐT")
    for name, value, known in (
        ("residence", residence, ("permanent", "other")),
        ("state", state, ("present", "moved", "dead")),
        ("disability", disability, (None, "able", "unable")),
    ):
        if value not in known:
            raise UnknownValue(f"unknown {name}: {value!r}", citation=at, name=name, got=value, choices=known)
    if type(months_present) is not int or months_present < 0:
        raise OutOfRange(
            f"months: {months_present!r}", citation=at, name="months_present", got=months_present
        )
    here = residence == "permanent" or months_present >= 6
    return here and state == "present" and disability != "unable"


@cites(INSTRUMENT)
def aggregate_recognised(
    standard: str, *, level: str, recognised: int, units: int, percent: int | None = None
) -> Outcome:
    """Return whether a district or province has a standard: "dat" or "khong_dat".

    level     "district" (of communes) or "province" (of districts), the tiers before 01/7/2025; or
              "province_from_communes" since then, for which no text we know sets a ratio
    percent   that ratio where the province has entered it; raises NotConfigured without it
    """
    at = Citation(INSTRUMENT)
    if standard not in AGGREGATE:
        raise UnknownValue(f"unknown standard {standard!r}", citation=at, name="standard", got=standard)
    if level == "province_from_communes":
        if percent is None:
            raise NotConfigured("province_from_communes_ratio", citation=at, standard=standard, level=level)
        needed = percent
    elif level in AGGREGATE[standard]:
        needed = AGGREGATE[standard][level]
    else:
        raise UnknownValue(f"unknown level {level!r}", citation=at, name="level", got=level)
    met, reason = reach(share("recognised", recognised, units, at), needed, at, "units-recognised")
    return Outcome("dat" if met else "khong_dat", (reason,))


@cites("35/2017/TT-BGDĐT", article=6)
def report_before(year: int) -> date:
    """Return the day before which the province reports on the system each year."""
    return date(year, *REPORT_BEFORE)


def _climb(needs: list[list[tuple[bool, Reason]]]) -> Outcome:
    """Return the highest level reached without a gap, with the reasons up to the first that failed."""
    reasons: list[Reason] = []
    for level, tests in enumerate(needs):
        reasons += [reason for _, reason in tests]
        if not all(met for met, _ in tests):
            return Outcome(LEVELS[level], tuple(reasons))
    return Outcome(LEVELS[len(needs)], tuple(reasons))


def _standard(name: str, level: int) -> str:
    return f"{name}-standard-{'reached' if level >= 1 else 'below'}"
