"""A closed year reckoned again from the marks by the rules then in force, beside what was sealed. Reads only.

What was sealed stays: a difference is shown, and only a correction (asked by the teacher, checked by the homeroom
teacher, approved and signed by the principal) makes a new revision of a result.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel.ledger.models import Entry
from khue.school.gradebook import judging
from khue.school.gradebook.gathering import ClassTerm, Learner, class_terms
from khue.school.gradebook.judging import Judged
from regulations.core import NoRuleInForce, RuleError

CLASSES_A_SET = 20
CLOSED, REVISED = "gradebook.term.closed", "gradebook.result.revised"

ABOUTS: Mapping[str, str | Promise] = {
    "learning": _("Học tập"), "conduct": _("Rèn luyện"), "award": _("Danh hiệu"), "promotion": _("Lên lớp"),
    "subject": _("Kết quả môn"), "inputs": _("Điểm đầu vào khác lúc khoá"), "ledger": _("Sổ cái ghi khác kết quả đang lưu"),
    "rule_set": _("Bộ quy định đã dùng"), "rule_version": _("Phiên bản quy tắc"), "missing": _("Nay còn thiếu dữ liệu"),
    "refused": _("Quy định không nhận dữ liệu này"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a sealed result differs from what the marks give by the rules then in force.

    term     1, 2, or 0 for the year; about: a key of `ABOUTS`; subject: its code where one is meant
    sealed, again   codes or tenths as text; hashes by their first twelve digits
    """

    learner_id: int
    learner: str
    class_id: int
    class_name: str
    school_id: int
    term: int
    about: str
    sealed: str
    again: str
    subject: str = ""


def closed_classes(year: int, school_id: int | None = None) -> list[int]:
    """Return the classes whose year is closed, of one school or of all in the open scope: one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.class_group_id from gradebook_closing c join schooling_classgroup g on g.id = c.class_group_id"
            " where c.school_year = %s and c.term = 0 and c.closed_at is not null and (%s::bigint is null or c.school_id = %s)"
            " order by g.school_id, g.grade, g.id",
            [year, school_id, school_id],
        )
        return [pk for (pk,) in cursor.fetchall()]


def recompute(
    year: int, class_ids: Sequence[int], *, start: int = 0
) -> Iterator[tuple[int, int, list[Difference]]]:
    """Yield (place after the set, learners looked at, differences) set after set; a fixed number of statements a set."""
    for place in range(start, len(class_ids), CLASSES_A_SET):
        chosen = list(class_ids[place : place + CLASSES_A_SET])
        learners, found = recompute_set(year, chosen)
        yield place + len(chosen), learners, found


def recompute_set(year: int, class_ids: Sequence[int]) -> tuple[int, list[Difference]]:
    """Return how many learners of these classes have a sealed year, and every difference."""
    sealed = _sealed(year, class_ids)
    recorded = _recorded(year, class_ids)
    centres = _centres(class_ids)
    found: list[Difference] = []
    for term in (1, 2, 0):
        wanted = {learner for (_class_id, one, learner) in sealed if one == term}
        groups = class_terms(class_ids, school_year=year, term=term, also=sorted(wanted), in_sets=True)
        for group in groups:
            found += _of_class(group, sealed, recorded, is_continuing=group.school_id in centres)
    return len({learner for (_class_id, term, learner) in sealed if term == 0}), found


Sealed = dict[tuple[int, int, int], dict[str, Any]]


def _sealed(year: int, class_ids: Sequence[int]) -> Sealed:
    """Return the results in force by (class, term, learner)."""
    names = ("learning", "conduct", "award", "promotion", "subjects", "rule_set", "rule_version", "input_hash", "snapshot", "uid", "name")
    with connection.cursor() as cursor:
        cursor.execute(
            "select q.class_group_id, q.term, q.learner_id, q.learning, q.conduct, q.award, q.promotion, q.subjects, q.rule_set,"
            " q.rule_version, q.input_hash, q.snapshot, n.uid::text, n.name from gradebook_result q"
            " join people_person n on n.id = q.learner_id"
            " where q.class_group_id = any(%s) and q.school_year = %s and q.is_current and q.frozen_at is not null",
            [list(class_ids), year],
        )
        rows = cursor.fetchall()
    return {
        row[:3]: {
            name: json.loads(value) if name in ("subjects", "snapshot") and isinstance(value, str) else value
            for name, value in zip(names, row[3:], strict=True)
        }
        for row in rows
    }


def _recorded(year: int, class_ids: Sequence[int]) -> dict[tuple[int, int, str], str]:
    """Return the hash of inputs the ledger has for each (class, term, learner's uid): of the closing, or the last revision."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select 'gradebook_closing:' || uid::text, class_group_id, term from gradebook_closing where class_group_id = any(%s)",
            [list(class_ids)],
        )
        chains = {chain: (class_id, term) for chain, class_id, term in cursor.fetchall()}
    entries = Entry.objects.filter(chain__in=list(chains), school_year=year, act__in=[CLOSED, REVISED]).order_by("chain", "sequence")
    found: dict[tuple[int, int, str], str] = {}
    for entry in entries:
        class_id, term = chains[entry.chain]
        data = entry.document["data"]
        said = data["results"] if entry.act == CLOSED else {data["learner"]: data["result"]}
        found.update({(class_id, term, learner): digest for learner, digest in said.items()})
    return found


def _centres(class_ids: Sequence[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct u.id from orgs_unit u join schooling_classgroup g on g.school_id = u.id"
            " where g.id = any(%s) and u.kind = 'centre'",
            [list(class_ids)],
        )
        return {pk for (pk,) in cursor.fetchall()}


def _of_class(
    group: ClassTerm, sealed: Sealed, recorded: Mapping[tuple[int, int, str], str], *, is_continuing: bool
) -> Iterator[Difference]:
    mine = [one for one in group.learners if (group.id, group.term, one.id) in sealed]
    if group.term == 0:  # what the principal decided after closing is in the sealed snapshot only
        mine = [replace(one, decisions={**one.decisions, **(sealed[group.id, 0, one.id]["snapshot"].get("decisions") or {})}) for one in mine]
    by_learner = {one.id: one for one in mine}
    for (class_id, term, learner_id), kept in sealed.items():
        if (class_id, term) != (group.id, group.term):
            continue
        told = _Teller(group, learner_id, kept["name"])
        digest = recorded.get((class_id, term, kept["uid"]), "")
        if digest != kept["input_hash"]:
            yield told("ledger", digest[:12], kept["input_hash"][:12])
        elif judging.hash_of(kept["snapshot"]) != digest:
            yield told("ledger", digest[:12], judging.hash_of(kept["snapshot"])[:12])
        if learner_id not in by_learner:
            yield told("missing", "", "")
            continue
        yield from _again(group, by_learner[learner_id], kept, told, is_continuing=is_continuing)


@dataclass(frozen=True, slots=True)
class _Teller:
    group: ClassTerm
    learner_id: int
    name: str

    def __call__(self, about: str, sealed: object, again: object, subject: str = "") -> Difference:
        group = self.group
        return Difference(
            self.learner_id, self.name, group.id, group.name, group.school_id, group.term, about, _text(sealed), _text(again), subject
        )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _again(
    group: ClassTerm, learner: Learner, kept: Mapping[str, Any], told: _Teller, *, is_continuing: bool
) -> Iterator[Difference]:
    try:
        rules = judging.rules_in_force(group.grade, group.school_year, is_continuing=is_continuing)
    except NoRuleInForce as error:
        yield told("refused", kept["rule_set"], error.code)
        return
    if kept["rule_set"] != rules.id:
        yield told("rule_set", kept["rule_set"], rules.id)
    elif kept["rule_version"] != rules.version:
        yield told("rule_version", kept["rule_version"], rules.version)
    judge = judging.judge_year if group.term == 0 else judging.judge_term
    try:
        [judged] = judge(replace(group, learners=[learner]), rules)
    except RuleError as error:
        yield told("refused", "", error.code)
        return
    yield from _differences(judged, kept, told)


def _differences(judged: Judged, kept: Mapping[str, Any], told: _Teller) -> Iterator[Difference]:
    if judged.missing:
        lacking = defaultdict(list)
        for gap in judged.missing:
            lacking[gap.subject] += gap.what
        for subject, what in lacking.items():
            yield told("missing", "", ", ".join(what), subject)
        return
    if judged.input_hash != kept["input_hash"]:
        yield told("inputs", kept["input_hash"][:12], judged.input_hash[:12])
    for name in ("learning", "conduct", "award", "promotion"):
        if getattr(judged, name) != kept[name]:
            yield told(name, kept[name], getattr(judged, name))
    for code in dict.fromkeys((*kept["subjects"], *judged.subjects)):
        before, now = kept["subjects"].get(code, {}), judged.subjects.get(code, {})
        for name in ("result", "term1", "term2", "year", "retest", "test"):
            if before.get(name) != now.get(name):
                yield told("subject", before.get(name), now.get(name), code)
                break
