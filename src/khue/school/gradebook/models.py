"""Registers (sổ theo dõi và đánh giá) and what is decided on them.

A Register is one class, subject and term: its row is the lock and the ledger chain head of all its lines. A
Line is one learner in it. Marks are tenths, 0 to 100.

Slots of a line, in the order of `stamps` and `states`: r1 … r8 regular, mid, fin, comment, mid_test, fin_test.
The stamp of a slot is the ledger sequence of the entry that last changed it: the version of the cell and the way
to who and when. What a slot holds for each kind of subject is in `cells`.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope
from khue.kernel.quantities import TenthsField
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup

REGULAR_SLOTS = 8
SLOTS = (*(f"r{number}" for number in range(1, REGULAR_SLOTS + 1)), "mid", "fin", "comment", "mid_test", "fin_test")
"""The cells of a line. For subjects with levels r*, mid and fin hold levels instead of marks, and the marks of
the periodic tests of primary school are mid_test and fin_test (columns `midterm` and `final`)."""


class Kind(models.TextChoices):
    """How a subject is assessed (see `regulations.curriculum`)."""

    SCORE = "score", _("Điểm số kết hợp nhận xét")
    COMMENT = "comment", _("Nhận xét: Đạt, Chưa đạt")
    LEVEL = "level", _("Tiểu học: mức T, H, C")
    LEVEL_AND_TEST = "level_and_test", _("Tiểu học: mức và bài kiểm tra")


class Term(models.IntegerChoices):
    """Terms of a school year; 0 stands for the whole year in results."""

    YEAR = 0, _("Cả năm")
    FIRST = 1, _("Học kỳ I")
    SECOND = 2, _("Học kỳ II")


class CellState(models.TextChoices):
    """What an empty-looking or special cell means (dossier 00-index, 1.6): missing is not zero."""

    EMPTY = "", _("chưa có")
    EXCUSED = "x", _("vắng có lý do, chờ kiểm tra bù")
    ZERO = "0", _("0 điểm theo quy định")
    EXEMPT = "m", _("được miễn")


CLOSED = (
    "exists (select 1 from gradebook_closing c where c.class_group_id = old.class_group_id"
    " and c.term = old.term and c.closed_at is not null)"
)
"""SQL over OLD: the class's term is closed."""


class Register(Row):
    """One class, subject and term."""

    guard = Guard(
        coded=("uid", "class_group_id", "subject_code", "term"),
        scope=Scope(school="school_id"),
        frozen="old.locked_at is not null",
        thawed=("ledger_seq", "ledger_head"),
    )

    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="registers", verbose_name=_("lớp"))
    school_id = models.BigIntegerField(_("trường"), db_index=True)
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    subject_code = models.CharField(_("môn học"), max_length=40)
    term = models.PositiveSmallIntegerField(_("học kỳ"), choices=Term.choices)
    kind = models.CharField(_("cách đánh giá"), max_length=16, choices=Kind.choices)
    rule_set = models.CharField(_("bộ quy tắc"), max_length=40)
    regular_count = models.PositiveSmallIntegerField(_("số lần đánh giá thường xuyên"))
    locked_at = models.DateTimeField(_("khoá lúc"), null=True)
    ledger_seq = models.PositiveIntegerField(_("số mục sổ cái"), default=0, editable=False)
    ledger_head = models.BinaryField(_("đầu chuỗi sổ cái"), default=bytes(32), editable=False)

    class Meta:
        verbose_name = _("sổ điểm")
        constraints = [
            models.UniqueConstraint(fields=["class_group", "subject_code", "term"], name="gradebook_one_register"),
            models.CheckConstraint(
                name="gradebook_regular_count", condition=models.Q(regular_count__lte=REGULAR_SLOTS)
            ),
        ]


class Line(Row):
    """One learner in one register; a locked register's lines are frozen by trigger.

    carried    null, or what came along from registers of a former class of the year: {"from": [their uids],
               "cells": {slot: [stamp of the entry that brought it, "7A1, Trường …"]}}; a cell still is as it came
               while its stamp is that one
    """

    guard = Guard(
        coded=("uid", "register_id", "learner_id"),
        scope=Scope(school="school_id", person="learner_id", is_portable=True),
        frozen="(select r.locked_at is not null from gradebook_register r where r.id = old.register_id)",
    )

    register = models.ForeignKey(Register, models.PROTECT, related_name="lines", verbose_name=_("sổ"), db_index=False)
    learner = models.ForeignKey(Person, models.PROTECT, related_name="lines", verbose_name=_("học sinh"), db_index=False)
    school_id = models.BigIntegerField(_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    regular = ArrayField(models.SmallIntegerField(null=True), verbose_name=_("điểm thường xuyên"), default=list)
    midterm = TenthsField(_("điểm giữa kỳ"), null=True)
    final = TenthsField(_("điểm cuối kỳ"), null=True)
    levels = ArrayField(
        models.CharField(max_length=2, blank=True), verbose_name=_("mức"), default=list,
        help_text=_("r1…r8, giữa kỳ, cuối kỳ; D hoặc CD với môn nhận xét, T, H hoặc C ở tiểu học"),
    )  # fmt: skip
    comment = models.CharField(_("nhận xét"), max_length=1000, blank=True)
    states = ArrayField(
        models.CharField(max_length=1, choices=CellState.choices, blank=True),
        verbose_name=_("trạng thái ô"), default=list,
    )  # fmt: skip
    stamps = ArrayField(models.PositiveIntegerField(), verbose_name=_("dấu phiên bản ô"), default=list)
    average = TenthsField(_("điểm trung bình môn học kỳ"), null=True)
    level = models.CharField(_("kết quả học kỳ"), max_length=2, blank=True)
    is_exempt = models.BooleanField(_("miễn môn"), default=False)
    carried = models.JSONField(_("điểm mang theo từ lớp cũ"), null=True)

    class Meta:
        verbose_name = _("dòng sổ điểm")
        constraints = [
            models.UniqueConstraint(fields=["register", "learner"], name="gradebook_one_line"),
            models.CheckConstraint(
                name="gradebook_marks_in_range",
                condition=models.Q(midterm__isnull=True) | models.Q(midterm__lte=100),
            ),
            models.CheckConstraint(
                name="gradebook_finals_in_range",
                condition=models.Q(final__isnull=True) | models.Q(final__lte=100),
            ),
        ]
        indexes = [models.Index(fields=["learner", "school_year"], name="gradebook_line_learner")]


class Conduct(Row):
    """What the homeroom teacher decides of one learner in one term: conduct, or qualities and competences.

    qualities      letter T, Đ or C by code at the term's end; qualities_mid: at its middle
    decisions      term 0 only, what people decide of the year: `outstanding`, `progress`, `recognised` (true) for
                   the titles of primary school, `principal_decision` (len_lop, o_lai_lop), `conduct_after_summer`
    """

    guard = Guard(
        coded=("uid", "learner_id", "class_group_id", "term"),
        scope=Scope(school="school_id", person="learner_id", is_portable=True),
        frozen=CLOSED,
    )

    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="conducts", verbose_name=_("lớp"), db_index=False)
    learner = models.ForeignKey(Person, models.PROTECT, related_name="conducts", verbose_name=_("học sinh"))
    school_id = models.BigIntegerField(_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    term = models.PositiveSmallIntegerField(_("học kỳ"), choices=Term.choices)
    level = models.CharField(_("kết quả rèn luyện"), max_length=10, blank=True)
    qualities = models.JSONField(_("phẩm chất, năng lực"), default=dict)
    qualities_mid = models.JSONField(_("phẩm chất, năng lực giữa kỳ"), default=dict)
    decisions = models.JSONField(_("quyết định của cả năm"), default=dict)
    comment = models.CharField(_("nhận xét"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("rèn luyện")
        constraints = [models.UniqueConstraint(fields=["class_group", "learner", "term"], name="gradebook_one_conduct")]


class Absence(Row):
    """One half-day session a learner was away, with or without leave."""

    guard = Guard(deletable=True, frozen=CLOSED, scope=Scope(school="school_id", person="learner_id", is_portable=True))

    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="absences", verbose_name=_("lớp"), db_index=False)
    learner = models.ForeignKey(Person, models.PROTECT, related_name="absences", verbose_name=_("học sinh"), db_index=False)
    school_id = models.BigIntegerField(_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    term = models.PositiveSmallIntegerField(_("học kỳ"), choices=Term.choices)
    on = models.DateField(_("ngày"))
    session = models.CharField(_("buổi"), max_length=1, choices=[("s", _("Sáng")), ("c", _("Chiều"))], default="s")
    is_excused = models.BooleanField(_("có phép"), default=False)
    reason = models.CharField(_("lý do"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("vắng học")
        constraints = [models.UniqueConstraint(fields=["learner", "on", "session"], name="gradebook_one_absence")]
        indexes = [models.Index(fields=["class_group", "on"], name="gradebook_absence_class")]


class Closing(Row):
    """The closing of a class's term or year: when it was closed, by whom, and by which job."""

    guard = Guard(coded=("uid", "class_group_id", "term"), scope=Scope(school="school_id"))

    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="closings", verbose_name=_("lớp"), db_index=False)
    school_id = models.BigIntegerField(_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    term = models.PositiveSmallIntegerField(_("học kỳ"), choices=Term.choices)
    closed_at = models.DateTimeField(_("khoá lúc"), null=True)
    closed_by = models.CharField(_("người khoá"), max_length=120, blank=True)
    ledger_seq = models.PositiveIntegerField(_("số mục sổ cái"), default=0, editable=False)
    ledger_head = models.BinaryField(_("đầu chuỗi sổ cái"), default=bytes(32), editable=False)

    class Meta:
        verbose_name = _("khoá sổ")
        constraints = [models.UniqueConstraint(fields=["class_group", "term"], name="gradebook_one_closing")]


class Result(Row):
    """The result of one learner for a term or the year (term 0), frozen when its class is closed.

    Recomputable: `snapshot` holds the inputs as the rules got them, `input_hash` the SHA-256 of its canonical
    bytes. A correction is a new revision with its reason; the old one stays.

    subjects    by subject code. Term: {"kind", "result", "comment"} and, in primary school, "mid", "test",
                "mid_test". Year: {"kind", "term1", "term2", "year", "comment"}, "retest" where there was one and,
                in primary school, "test". "exempt": true where the learner is exempted. A result is tenths (83), "dat", "chua_dat", or T, H, C; null for an exempted subject.
    qualities   primary school: T, Đ or C by code
    because     [{"about", "code", "cites": [instrument, article, clause, point], "facts"}]; about is learning,
                conduct, award or promotion
    """

    guard = Guard(
        coded=("uid", "learner_id", "school_year", "term", "revision"),
        scope=Scope(school="school_id", person="learner_id", is_portable=True),
        frozen="old.frozen_at is not null",
        thawed=("is_current",),
    )

    learner = models.ForeignKey(Person, models.PROTECT, related_name="results", verbose_name=_("học sinh"), db_index=False)
    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="results", verbose_name=_("lớp"), db_index=False)
    school_id = models.BigIntegerField(_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    term = models.PositiveSmallIntegerField(_("học kỳ"), choices=Term.choices)
    revision = models.PositiveSmallIntegerField(_("lần"), default=1)
    is_current = models.BooleanField(_("đang dùng"), default=True)
    learning = models.CharField(_("kết quả học tập"), max_length=20, blank=True)
    conduct = models.CharField(_("kết quả rèn luyện"), max_length=20, blank=True)
    award = models.CharField(_("danh hiệu"), max_length=20, blank=True)
    promotion = models.CharField(_("lên lớp"), max_length=20, blank=True)
    subjects = models.JSONField(_("kết quả từng môn"), default=dict)
    qualities = models.JSONField(_("phẩm chất, năng lực"), default=dict)
    because = models.JSONField(_("vì sao"), default=list)
    absences_excused = models.PositiveSmallIntegerField(_("vắng có phép"), default=0)
    absences_unexcused = models.PositiveSmallIntegerField(_("vắng không phép"), default=0)
    comment = models.CharField(_("nhận xét của chủ nhiệm"), max_length=1000, blank=True)
    rule_set = models.CharField(_("bộ quy tắc"), max_length=40)
    rule_version = models.PositiveSmallIntegerField(_("phiên bản quy tắc"), default=1)
    snapshot = models.JSONField(_("đầu vào"), default=dict)
    input_hash = models.CharField(_("băm đầu vào"), max_length=64)
    reason = models.CharField(_("lý do sửa"), max_length=500, blank=True)
    frozen_at = models.DateTimeField(_("khoá lúc"), null=True)

    class Meta:
        verbose_name = _("kết quả")
        constraints = [
            models.UniqueConstraint(fields=["learner", "school_year", "term", "class_group", "revision"], name="gradebook_one_result"),
            models.UniqueConstraint(
                fields=["learner", "school_year", "term", "class_group"], name="gradebook_one_current_result",
                condition=models.Q(is_current=True),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["class_group", "term"], name="gradebook_result_class")]


class Correction(Row):
    """A change of a mark after closing: asked by the teacher with a reason, checked by the homeroom teacher,
    approved by the principal. The frozen line stays as it was; the value that counts is the line overlaid with its
    done corrections. A new result revision is made and the ledger says both values. Values are written as in `cells`."""

    class State(models.TextChoices):
        """Where it stands."""

        ASKED = "asked", _("Đã đề nghị")
        CHECKED = "checked", _("Chủ nhiệm đã kiểm tra")
        DONE = "done", _("Đã duyệt và sửa")
        REFUSED = "refused", _("Không duyệt")

    guard = Guard(
        coded=("uid", "register_id", "learner_id", "slot"),
        scope=Scope(school="school_id", person="learner_id", is_portable=True),
        frozen="old.state in ('done', 'refused')",
    )

    register = models.ForeignKey(Register, models.PROTECT, related_name="corrections", verbose_name=_("sổ"))
    learner = models.ForeignKey(Person, models.PROTECT, related_name="corrections", verbose_name=_("học sinh"))
    school_id = models.BigIntegerField(_("trường"))
    slot = models.CharField(_("ô"), max_length=8)
    old_value = models.CharField(_("giá trị cũ"), max_length=1000, blank=True)
    new_value = models.CharField(_("giá trị mới"), max_length=1000, blank=True)
    reason = models.CharField(_("lý do"), max_length=500)
    state = models.CharField(_("trạng thái"), max_length=10, choices=State.choices, default=State.ASKED)
    asked_by = models.BigIntegerField(_("người đề nghị"))
    checked_by = models.BigIntegerField(_("người kiểm tra"), null=True)
    decided_by = models.BigIntegerField(_("người duyệt"), null=True)
    asked_at = models.DateTimeField(_("đề nghị lúc"))
    checked_at = models.DateTimeField(_("kiểm tra lúc"), null=True)
    decided_at = models.DateTimeField(_("duyệt lúc"), null=True)
    answer = models.CharField(_("lý do không duyệt"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("đề nghị sửa điểm")
        constraints = [
            models.UniqueConstraint(
                fields=["register", "learner", "slot"], name="gradebook_one_open_correction",
                condition=models.Q(state__in=["asked", "checked"]),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["school_id", "state"], name="gradebook_correction_waits")]
