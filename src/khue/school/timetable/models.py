"""The school's week, its rooms and wishes, its timetables with their lessons, absences and covers."""

from __future__ import annotations

import secrets

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField, no_overlap
from khue.kernel.database.rows import Guard, Row, Scope
from khue.register.orgs.models import Unit
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Post
from khue.school.teaching.models import Assignment


def new_token() -> str:
    """Return a secret of 192 bits for an address."""
    return secrets.token_urlsafe(24)


@pghistory.track(model_name="WeekPatternHistory")
class WeekPattern(Row):
    """The week of a school from a day on: how many periods each session has, when they begin, the fixed common ones.

    mornings, afternoons  periods of each weekday, Monday first, seven numbers from 0 to 10
    morning_starts, …     "07:00", one for each period
    flag, class_hour      [weekday, half, period] from 0, or null where the school has none
    """

    guard = Guard(coded=("uid", "school_id"), scope=Scope(school="school_id"))

    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    mornings = models.JSONField(_("số tiết buổi sáng"), default=list)
    afternoons = models.JSONField(_("số tiết buổi chiều"), default=list)
    morning_starts = models.JSONField(_("giờ vào tiết buổi sáng"), default=list)
    afternoon_starts = models.JSONField(_("giờ vào tiết buổi chiều"), default=list)
    minutes = models.PositiveSmallIntegerField(_("số phút một tiết"), default=45)
    flag = models.JSONField(_("tiết chào cờ"), null=True)
    class_hour = models.JSONField(_("tiết sinh hoạt lớp"), null=True)
    counts_as_activity = models.BooleanField(_("chào cờ và sinh hoạt lớp nằm trong Hoạt động trải nghiệm"), default=True)
    valid = PeriodField()

    class Meta:
        verbose_name = _("khung tuần học")
        constraints = [
            no_overlap("timetable_one_week_pattern", "school_id"),
            models.CheckConstraint(name="timetable_minutes_of_a_period", condition=models.Q(minutes__gte=20, minutes__lte=120)),
        ]


@pghistory.track(model_name="RoomHistory")
class Room(Row):
    """A room of the school in which lessons are held."""

    class Kind(models.TextChoices):
        """What a room is for."""

        CLASSROOM = "classroom", _("Phòng học")
        LAB = "lab", _("Phòng thí nghiệm")
        COMPUTERS = "computers", _("Phòng máy tính")
        MUSIC = "music", _("Phòng âm nhạc, mĩ thuật")
        LANGUAGE = "language", _("Phòng ngoại ngữ")
        GROUND = "ground", _("Sân tập")
        HALL = "hall", _("Nhà đa năng, hội trường")
        OTHER = "other", _("Phòng khác")

    guard = Guard(coded=("uid", "school_id"), scope=Scope(school="school_id"))

    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    name = models.CharField(_("tên phòng"), max_length=60)
    kind = models.CharField(_("loại phòng"), max_length=12, choices=Kind.choices, default=Kind.CLASSROOM)
    building = models.CharField(_("dãy nhà hoặc điểm trường"), max_length=60, blank=True)
    capacity = models.PositiveSmallIntegerField(_("số chỗ ngồi"), default=0)
    holds = models.PositiveSmallIntegerField(_("số lớp cùng lúc"), default=1)
    is_open = models.BooleanField(_("đang dùng"), default=True)

    class Meta:
        verbose_name = _("phòng")
        constraints = [
            models.UniqueConstraint(fields=["school", "name"], name="timetable_one_room_a_name"),
            models.CheckConstraint(name="timetable_room_holds", condition=models.Q(holds__gte=1, holds__lte=20)),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(model_name="TimetableRuleHistory")
class TimetableRule(Row):
    """One wish or demand on the timetable as data: a kind of the catalogue, its parameters, hard or with a weight."""

    guard = Guard(deletable=True, scope=Scope(school="school_id"))

    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    kind = models.CharField(_("loại yêu cầu"), max_length=40)
    parameters = models.JSONField(_("nội dung"), default=dict)
    weight = models.PositiveSmallIntegerField(_("mức cần thiết"), default=100)
    is_active = models.BooleanField(_("đang dùng"), default=True)

    class Meta:
        verbose_name = _("yêu cầu xếp thời khoá biểu")
        constraints = [
            models.CheckConstraint(name="timetable_rule_weight", condition=models.Q(weight__gte=1, weight__lte=100)),
        ]
        indexes = [models.Index(fields=["school", "school_year"], name="timetable_rule_school")]


@pghistory.track(model_name="TimetableHistory")
class Timetable(Row):
    """One version of a school's timetable: a draft, published from a day, or superseded by the next.

    placed, hard, cost  what the last check said: lessons placed, units of hard demands broken, soft cost (times 100)
    """

    class State(models.TextChoices):
        """Where a version stands."""

        DRAFT = "draft", _("Bản nháp")
        PUBLISHED = "published", _("Đã công bố")
        SUPERSEDED = "superseded", _("Đã thay bằng bản sau")

    guard = Guard(
        coded=("uid", "school_id", "school_year"), frozen="old.state <> 'draft'", thawed=("state", "valid"),
        scope=Scope(school="school_id"),
    )  # fmt: skip

    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    title = models.CharField(_("tên bản"), max_length=80)
    state = models.CharField(_("trạng thái"), max_length=12, choices=State.choices, default=State.DRAFT)
    pattern = models.ForeignKey(WeekPattern, models.PROTECT, related_name="+", verbose_name=_("khung tuần học"))
    base = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", verbose_name=_("lập từ bản"))
    valid = PeriodField(_("dùng trong thời gian"), null=True)
    placed = models.PositiveIntegerField(_("số tiết đã xếp"), default=0)
    lessons_count = models.PositiveIntegerField(_("số tiết phải xếp"), default=0)
    hard = models.PositiveIntegerField(_("số lỗi bắt buộc"), default=0)
    cost = models.PositiveIntegerField(_("điểm phạt"), default=0)
    job_uid = models.UUIDField(_("việc đang xếp"), null=True)
    published_at = models.DateTimeField(_("lúc công bố"), null=True)
    published_by = models.BigIntegerField(_("người công bố"), null=True)

    class Meta:
        verbose_name = _("bản thời khoá biểu")
        constraints = [
            no_overlap("timetable_one_published", "school_id", condition=models.Q(valid__isnull=False)),
            models.CheckConstraint(
                name="timetable_published_has_days", condition=models.Q(state="draft") | models.Q(valid__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["school", "school_year"], name="timetable_of_school")]


class Lesson(Row):
    """One lesson of a version for one class: who, what, where; rows with the same key are held together.

    key            the activity it belongs to; rows of a key share their place
    day, half, period  from 0; null while it is not placed
    """

    guard = Guard(deletable=True, frozen="old.is_published", scope=Scope(school="school_id"))

    timetable = models.ForeignKey(Timetable, models.PROTECT, related_name="lessons", verbose_name=_("bản thời khoá biểu"))
    school_id = models.BigIntegerField(_("trường"))
    key = models.CharField(_("mã trong bản"), max_length=60)
    assignment = models.ForeignKey(Assignment, models.PROTECT, null=True, related_name="+", verbose_name=_("phân công"))
    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="+", verbose_name=_("lớp"))
    post = models.ForeignKey(Post, models.PROTECT, null=True, related_name="+", verbose_name=_("giáo viên"))
    subject_code = models.CharField(_("môn học"), max_length=40)
    part = models.PositiveSmallIntegerField(_("thứ tự trong tuần"), default=1)
    duration = models.PositiveSmallIntegerField(_("số tiết liền"), default=1)
    weeks = models.PositiveSmallIntegerField(_("tuần học"), default=3)
    day = models.PositiveSmallIntegerField(_("thứ"), null=True)
    half = models.PositiveSmallIntegerField(_("buổi"), null=True)
    period = models.PositiveSmallIntegerField(_("tiết"), null=True)
    room = models.ForeignKey(Room, models.PROTECT, null=True, related_name="+", verbose_name=_("phòng"))
    is_pinned = models.BooleanField(_("đã ghim"), default=False)
    is_published = models.BooleanField(_("đã công bố"), default=False)

    class Meta:
        verbose_name = _("tiết học")
        constraints = [
            models.UniqueConstraint(fields=["timetable", "key", "class_group", "post"], name="timetable_lesson_once", nulls_distinct=False),
            models.CheckConstraint(
                name="timetable_lesson_place_whole",
                condition=models.Q(day=None, half=None, period=None) | models.Q(day__lte=6, half__lte=1, period__lte=9),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["post", "timetable"], name="timetable_lesson_post")]


class TimetableMove(Row):
    """One change by hand on a draft: places before and after, so that it can be taken back.

    before, after  {key: [day, half, period, room id or null, pinned] or null}
    """

    guard = Guard(coded=("uid", "timetable_id"), scope=Scope(school="school_id"))

    timetable = models.ForeignKey(Timetable, models.PROTECT, related_name="moves", verbose_name=_("bản thời khoá biểu"))
    school_id = models.BigIntegerField(_("trường"))
    account_id = models.BigIntegerField(_("người sửa"), null=True)
    before = models.JSONField(_("trước"), default=dict)
    after = models.JSONField(_("sau"), default=dict)
    undone_at = models.DateTimeField(_("lúc hoàn tác"), null=True)

    class Meta:
        verbose_name = _("lần chuyển tiết")


class ClassSheet(Row):
    """The published week of one class as it hangs on the wall; holds no personal data but teachers' names at work.

    cells    [{day, half, period, duration, weeks, subject, code, teacher, room, start, end}]
    changes  {"2026-09-07": [{half, period, subject, teacher, kind}]}: covers of single days
    news     {first: whether no version held before, lines: [what is otherwise than before]}; see `telling`
    """

    guard = Guard(coded=("uid", "class_group_id"))

    timetable = models.ForeignKey(Timetable, models.PROTECT, related_name="sheets", verbose_name=_("bản thời khoá biểu"))
    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="+", verbose_name=_("lớp"))
    valid = PeriodField()
    cells = models.JSONField(_("các tiết"), default=list)
    changes = models.JSONField(_("thay đổi theo ngày"), default=dict)
    news = models.JSONField(_("thay đổi so với bản trước"), default=dict)

    class Meta:
        verbose_name = _("thời khoá biểu của lớp")
        constraints = [models.UniqueConstraint(fields=["timetable", "class_group"], name="timetable_one_sheet")]
        indexes = [models.Index(fields=["class_group"], name="timetable_sheet_class")]


class WeekChange(Row):
    """What a published version changes in the week of one teacher: told once, on her day's page.

    news  as of `ClassSheet`
    """

    guard = Guard(coded=("uid", "timetable_id", "post_id"), scope=Scope(school="school_id"))

    timetable = models.ForeignKey(Timetable, models.PROTECT, related_name="changes", verbose_name=_("bản thời khoá biểu"))
    school_id = models.BigIntegerField(_("trường"))
    post = models.ForeignKey(Post, models.PROTECT, related_name="+", verbose_name=_("giáo viên"))
    on = models.DateField(_("dùng từ ngày"))
    news = models.JSONField(_("thay đổi so với bản trước"), default=dict)

    class Meta:
        verbose_name = _("thay đổi tuần dạy")
        constraints = [models.UniqueConstraint(fields=["timetable", "post"], name="timetable_one_week_change")]
        indexes = [models.Index(fields=["post", "on"], name="timetable_change_post")]


@pghistory.track(model_name="TeacherAbsenceHistory")
class TeacherAbsence(Row):
    """Days on which a teacher does not teach."""

    guard = Guard(coded=("uid", "school_id", "post_id"), scope=Scope(school="school_id"))

    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    post = models.ForeignKey(Post, models.PROTECT, related_name="+", verbose_name=_("giáo viên vắng"))
    valid = PeriodField(_("những ngày vắng"))
    note = models.CharField(_("ghi chú"), max_length=200, blank=True)
    withdrawn_at = models.DateTimeField(_("lúc rút"), null=True)

    class Meta:
        verbose_name = _("đợt vắng của giáo viên")
        constraints = [no_overlap("timetable_one_absence", "post_id", condition=models.Q(withdrawn_at=None))]


@pghistory.track(model_name="CoverHistory")
class Cover(Row):
    """What becomes of one lesson on one day of an absence: somebody covers it, or the class is free."""

    class Kind(models.TextChoices):
        """What becomes of the lesson."""

        COVER = "cover", _("Dạy thay")
        SUPERVISE = "supervise", _("Trông lớp")
        FREE = "free", _("Lớp nghỉ tiết này")

    guard = Guard(coded=("uid", "school_id"), scope=Scope(school="school_id"))

    absence = models.ForeignKey(TeacherAbsence, models.PROTECT, related_name="covers", verbose_name=_("đợt vắng"))
    school_id = models.BigIntegerField(_("trường"), db_index=True)
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="covers", verbose_name=_("tiết học"))
    on = models.DateField(_("ngày"))
    kind = models.CharField(_("cách giải quyết"), max_length=10, choices=Kind.choices)
    post = models.ForeignKey(Post, models.PROTECT, null=True, related_name="+", verbose_name=_("người dạy thay"))

    class Meta:
        verbose_name = _("tiết dạy thay")
        constraints = [
            models.UniqueConstraint(fields=["lesson", "on"], name="timetable_one_cover"),
            models.CheckConstraint(name="timetable_cover_by_somebody", condition=models.Q(kind="free") ^ models.Q(post__isnull=False)),
        ]


class CalendarLink(Row):
    """A secret address at which a calendar program reads the lessons of a teacher, a class or a room."""

    guard = Guard(coded=("uid", "token"), scope=Scope(school="school_id"))

    school_id = models.BigIntegerField(_("trường"))
    token = models.CharField(_("mã bí mật"), max_length=48, unique=True, default=new_token)
    post = models.ForeignKey(Post, models.PROTECT, null=True, related_name="+", verbose_name=_("giáo viên"))
    class_group = models.ForeignKey(ClassGroup, models.PROTECT, null=True, related_name="+", verbose_name=_("lớp"))
    room = models.ForeignKey(Room, models.PROTECT, null=True, related_name="+", verbose_name=_("phòng"))
    closed_at = models.DateTimeField(_("lúc đóng"), null=True)

    class Meta:
        verbose_name = _("địa chỉ lịch")
        constraints = [
            models.UniqueConstraint(
                fields=["post", "class_group", "room"], name="timetable_one_open_link", nulls_distinct=False,
                condition=models.Q(closed_at=None),
            ),
        ]
