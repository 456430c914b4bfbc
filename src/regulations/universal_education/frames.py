"""Standards of universal education for all communes of a province at once: a Polars frame in, levels out.

One row a commune (or district, or province) in any order; the answer has the rows in the same order: `unit`,
`level`, `reasons` (codes, each once, in the order of the one-commune function) and `error`. Counts are persons;
shares are compared exactly. A row whose input is refused has the refusal's code and nulls elsewhere; of several
faults the first of unknown-value, out-of-range, incomplete-marks, nobody-to-count is named. A column that is
missing raises UnknownValue, one of another kind OutOfRange.

Polars is an extra of the distribution (`analytics`) and is imported here only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import polars as pl

from regulations import sets
from regulations.core import UnknownValue
from regulations.sets import INCOMPLETE, NO, RANGE, UNKNOWN, Frame
from regulations.universal_education.base import NobodyToCount, NotConfigured

MET, NOT_MET = "dat", "khong_dat"

Test = tuple[str, pl.Expr]
"""One condition: the reason's code without its ending, and whether it is met."""

Shares = Mapping[str, str | pl.Expr]
"""Part, a column, to its whole."""


def apply(rules: ModuleType, frame: Frame, *, standard: str, **settings: Any) -> pl.DataFrame:
    """Return the level of every unit by one standard, under decree 20/2014 or 277/2025 or a draft of them.

    standard   "preschool5", "primary", "lower_secondary", "literacy", "aggregate" (20/2014), "preschool35"
               (277/2025): see the function of that name; its settings are those of the one-unit function

    Raises UnknownValue for a standard that is none.
    """
    if standard not in STANDARDS:
        raise UnknownValue(
            f"unknown standard {standard!r}", name="standard", got=standard, choices=tuple(STANDARDS)
        )
    return STANDARDS[standard](rules, frame, **settings)


def preschool5(rules: ModuleType, frame: Frame) -> pl.DataFrame:
    """Return "dat" or "khong_dat" for each commune: universal preschool for five-year-olds.

    frame   `unit`, `difficult` (truth value), `children`, `at_school`, `of_finishing_age`, `finished`
    """
    tests = [
        ("preschool-at-school", _reaches("at_school", "children", rules.PRESCHOOL_AT_SCHOOL)),
        ("preschool-finished", _reaches("finished", "of_finishing_age", rules.PRESCHOOL_FINISHED)),
    ]
    shares = {"at_school": "children", "finished": "of_finishing_age"}
    return _passed(_lazy(frame, shares), tests, shares)


def preschool35(rules: ModuleType, frame: Frame, *, percent: int | None) -> pl.DataFrame:
    """Return "dat" or "khong_dat" for each commune: universal preschool for ages 3 to 5.

    frame     `unit`, `children`, `at_school`; percent: the threshold, which no text we know sets

    Raises NotConfigured without the threshold.
    """
    if percent is None:
        raise NotConfigured("preschool35_ratio", citation=rules.PLACE, standard="preschool35")
    shares = {"at_school": "children"}
    lazy = _lazy(frame, shares, is_difficult_asked=False)
    tests = [("preschool-at-school", _share("at_school", "children", pl.lit(percent, pl.Int64)))]
    return _passed(lazy, tests, shares, is_difficult_asked=False)


def primary(rules: ModuleType, frame: Frame, *, level3_all_in_primary: bool = True) -> pl.DataFrame:
    """Return "muc_0" to "muc_3" for each commune: universal primary education.

    frame   `unit`, `difficult`, `six`, `six_entered`, `fourteen`, `fourteen_finished`, `eleven`,
            `eleven_finished`, `eleven_in_primary`
    """
    shares: Shares = {
        "six_entered": "six",
        "fourteen_finished": "fourteen",
        "eleven_finished": "eleven",
        "eleven_others": "eleven",
    }
    counts = [*(name for name in shares if name != "eleven_others"), "six", "fourteen", "eleven"]
    lazy = _checked(frame, [*counts, "eleven_in_primary"]).with_columns(
        eleven_others=pl.col("eleven_in_primary") + pl.col("eleven_finished")
    )
    needs: list[list[Test]] = [
        [
            ("primary-entered", _reaches("six_entered", "six", rules.PRIMARY_ENTERED[1])),
            (
                "primary-finished-at-14",
                _reaches("fourteen_finished", "fourteen", rules.PRIMARY_FINISHED_AT_14),
            ),
        ]
    ]
    for level in (2, 3):
        tests = [
            ("primary-entered", _reaches("six_entered", "six", rules.PRIMARY_ENTERED[level])),
            (
                "primary-finished-at-11",
                _reaches("eleven_finished", "eleven", rules.PRIMARY_FINISHED_AT_11[level]),
            ),
        ]
        if level == 2 or level3_all_in_primary:
            others = _share("eleven_others", "eleven", pl.lit(100, pl.Int64))
            tests.append(("primary-others-in-class", others))
        needs.append(tests)
    return _climbed(rules, lazy, needs, shares, NO)


def lower_secondary(rules: ModuleType, frame: Frame) -> pl.DataFrame:
    """Return "muc_0" to "muc_3" for each commune: universal lower-secondary education.

    frame   `unit`, `difficult`, `primary_level` 0 to 3, `literacy_level` 0 to 2, `aged_15_18`, `completed`,
            `in_upper_secondary`
    """
    shares = {"completed": "aged_15_18", "in_upper_secondary": "aged_15_18"}
    lazy = _checked(frame, ["primary_level", "literacy_level", "aged_15_18", *shares])
    done = {
        level: _reaches("completed", "aged_15_18", least) for level, least in rules.LOWER_SECONDARY.items()
    }
    needs: list[list[Test]] = [
        [
            ("primary-standard", pl.col("primary_level") >= 1),
            ("literacy-standard", pl.col("literacy_level") >= 1),
            ("lower-secondary-completed", done[1]),
        ],
        [("lower-secondary-completed", done[2])],
        [
            ("lower-secondary-completed", done[3]),
            (
                "in-upper-secondary",
                _reaches("in_upper_secondary", "aged_15_18", rules.IN_UPPER_SECONDARY),
            ),
        ],
    ]
    outside = sets.outside("primary_level", 0, 3) | sets.outside("literacy_level", 0, 2)
    missing = ("primary_level", "literacy_level")
    return _climbed(rules, lazy, needs, shares, outside, missing)


def literacy(rules: ModuleType, frame: Frame) -> pl.DataFrame:
    """Return "muc_0" to "muc_2" for each commune: literacy.

    frame   `unit`, `difficult`, and for each age group ("15_25", "15_35", "15_60") `population_…`,
            `literate1_…`, `literate2_…`; only the groups that count are read, the others may be null
    """
    groups = sorted({group for pair in rules.LITERACY_AGES.values() for group in pair})
    columns = [
        f"{name}_{group.replace('-', '_')}"
        for name in ("population", "literate1", "literate2")
        for group in groups
    ]
    lazy = _checked(frame, columns)
    difficult = pl.col("difficult")
    shares: dict[str, str | pl.Expr] = {}
    needs: list[list[Test]] = []
    for level, (ordinary, hard) in rules.LITERACY_AGES.items():
        names = {f"part{level}": f"literate{level}", f"whole{level}": "population"}
        lazy = lazy.with_columns(
            pl.when(difficult)
            .then(pl.col(f"{name}_{hard.replace('-', '_')}"))
            .otherwise(pl.col(f"{name}_{ordinary.replace('-', '_')}"))
            .alias(alias)
            for alias, name in names.items()
        )
        shares[f"part{level}"] = f"whole{level}"
        reached = _share(f"part{level}", f"whole{level}", pl.lit(rules.LITERACY, pl.Int64))
        needs.append([(f"literacy-{level}", reached)])
    return _climbed(rules, lazy, needs, shares, NO)


def aggregate(rules: ModuleType, frame: Frame, *, percent: int | None = None) -> pl.DataFrame:
    """Return "dat" or "khong_dat" for each district or province.

    frame     `unit`, `standard`, `tier` ("district", "province" or "province_from_communes"), `recognised`, `units`
    percent   the ratio of a province from its communes, where the province has entered it; without it such a
              row has the error "not-configured"
    """
    lazy = sets.checked(
        frame,
        {
            "unit": None,
            "standard": pl.String,
            "tier": pl.String,
            "recognised": pl.Int64,
            "units": pl.Int64,
        },
    )
    table = {
        f"{standard}|{tier}": least
        for standard, tiers in rules.AGGREGATE.items()
        for tier, least in tiers.items()
    }
    from_communes = pl.col("tier") == "province_from_communes"
    needed = pl.concat_str("standard", pl.lit("|"), "tier").replace_strict(
        table, default=None, return_dtype=pl.Int64
    )
    lazy = lazy.with_columns(needed=pl.when(from_communes).then(pl.lit(percent, pl.Int64)).otherwise(needed))
    unknown = ~pl.col("standard").is_in(list(rules.AGGREGATE)).fill_null(value=False)
    unknown = unknown | (pl.col("needed").is_null() & ~from_communes).fill_null(value=True)
    unset = (from_communes & pl.col("needed").is_null()).fill_null(value=False)
    tests = [("units-recognised", _share("recognised", "units", pl.col("needed")))]
    return _passed(
        lazy,
        tests,
        {"recognised": "units"},
        is_difficult_asked=False,
        more=((UNKNOWN, unknown), (NotConfigured.code, unset)),
    )


STANDARDS: dict[str, Callable[..., pl.DataFrame]] = {
    "preschool5": preschool5,
    "primary": primary,
    "lower_secondary": lower_secondary,
    "literacy": literacy,
    "aggregate": aggregate,
    "preschool35": preschool35,
}


def _checked(frame: Frame, counts: Sequence[str], *, is_difficult_asked: bool = True) -> pl.LazyFrame:
    difficult = {"difficult": pl.Boolean} if is_difficult_asked else {}
    return sets.checked(frame, {"unit": None, **difficult, **dict.fromkeys(counts, pl.Int64)})


def _lazy(frame: Frame, shares: Mapping[str, str], *, is_difficult_asked: bool = True) -> pl.LazyFrame:
    return _checked(frame, [*shares, *dict.fromkeys(shares.values())], is_difficult_asked=is_difficult_asked)


def _share(part: str, whole: str, percent: pl.Expr) -> pl.Expr:
    """Return whether part of whole is at least `percent` hundredths, without rounding."""
    return 100 * pl.col(part) >= percent * pl.col(whole)


def _reaches(part: str, whole: str, least: tuple[int, int]) -> pl.Expr:
    """Return the same for a threshold of ordinary communes and of especially difficult ones."""
    percent = pl.when("difficult").then(pl.lit(least[1], pl.Int64)).otherwise(pl.lit(least[0], pl.Int64))
    return _share(part, whole, percent)


def _reasons(tests: Sequence[tuple[Test, pl.Expr]]) -> pl.Expr:
    """Return the codes of the tests that were asked, each with how it ended, each once, in order."""
    codes = [
        pl.when(asked).then(pl.when(met).then(pl.lit(f"{code}-reached")).otherwise(pl.lit(f"{code}-below")))
        for (code, met), asked in tests
    ]
    return pl.concat_list(codes).list.drop_nulls().list.unique(maintain_order=True)


def _faults(shares: Shares, *, outside: pl.Expr, missing: Sequence[str]) -> list[tuple[str, pl.Expr]]:
    columns = list(dict.fromkeys([*shares, *shares.values()]))
    beyond = [sets.outside(str(name), 0, None) for name in columns]
    beyond += [(pl.col(part) > pl.col(str(whole))).fill_null(value=False) for part, whole in shares.items()]
    nobody = pl.any_horizontal(pl.col(str(whole)) == 0 for whole in shares.values()).fill_null(value=False)
    return [
        (RANGE, pl.any_horizontal(*beyond, outside)),
        (INCOMPLETE, sets.missing(*map(str, columns), *missing)),
        (NobodyToCount.code, nobody),
    ]


def _passed(
    lazy: pl.LazyFrame,
    tests: Sequence[Test],
    shares: Shares,
    *,
    is_difficult_asked: bool = True,
    more: Sequence[tuple[str, pl.Expr]] = (),
) -> pl.DataFrame:
    """Return "dat" where every test is met, with the reasons of all of them."""
    asked = pl.lit(value=True)
    shown = {
        "level": pl.when(pl.all_horizontal(met for _code, met in tests))
        .then(pl.lit(MET))
        .otherwise(pl.lit(NOT_MET)),
        "reasons": _reasons([(test, asked) for test in tests]),
    }
    missing = ("difficult",) if is_difficult_asked else ()
    return sets.answer(lazy, "unit", shown, [*more, *_faults(shares, outside=NO, missing=missing)])


def _climbed(
    rules: ModuleType,
    lazy: pl.LazyFrame,
    needs: Sequence[Sequence[Test]],
    shares: Shares,
    outside: pl.Expr,
    missing: Sequence[str] = (),
) -> pl.DataFrame:
    """Return the highest level reached without a gap, with the reasons up to the first level that failed."""
    asked = pl.lit(value=True)
    told: list[tuple[Test, pl.Expr]] = []
    level = pl.lit(0, dtype=pl.Int8)
    for number, tests in enumerate(needs, start=1):
        told += [(test, asked) for test in tests]
        asked = asked & pl.all_horizontal(met for _code, met in tests)
        level = pl.when(asked).then(pl.lit(number, dtype=pl.Int8)).otherwise(level)
    names = dict(enumerate(rules.LEVELS[: len(needs) + 1]))
    shown = {"level": level.replace_strict(names, return_dtype=pl.String), "reasons": _reasons(told)}
    faults = _faults(shares, outside=outside, missing=("difficult", *missing))
    return sets.answer(lazy, "unit", shown, faults)
