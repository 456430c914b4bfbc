"""Channels to other systems, what each of them is known to hold, what waits to be sent, and subscriptions to events."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope
from khue.kernel.files.models import StoredFile
from khue.kernel.jobs.models import Job
from khue.province.periods.models import RecordKind
from khue.register.orgs.models import Level

RECORD_ID = 150
"""Characters of IdBanGhi at most."""


class SyncEvent(models.TextChoices):
    """What happened to a record, in the words of the national data centre."""

    NEW = "NEW", _("Mới")
    UPDATE = "UPDATE", _("Sửa")
    CANCEL = "CANCEL", _("Huỷ")


class SyncChannel(Row):
    """One receiver: how it is reached, what it gets, how it fares.

    credential  name of a folder under KHUE_KEYS/channels with client.pem, ca.pem and token; never their content
    options     what differs from the adapter's defaults: addresses, names of the envelope, renamed symbols
    theirs      the receiver's own count of live records by object, when it was last asked
    """

    class Adapter(models.TextChoices):
        """How records leave."""

        MINISTRY = "ministry", _("Cơ sở dữ liệu ngành của Bộ (JSON)")
        NDC = "ndc", _("Trung tâm dữ liệu quốc gia")
        BUS = "bus", _("Trục tích hợp của tỉnh (LGSP)")
        XLSX = "xlsx", _("Bảng tính gửi tay")

    guard = Guard(coded=("uid", "code"))

    code = models.CharField(_("mã kênh"), max_length=30, unique=True)
    name = models.CharField(_("tên kênh"), max_length=120)
    adapter = models.CharField(_("cách nối"), max_length=10, choices=Adapter.choices)
    base_url = models.CharField(_("địa chỉ"), max_length=300, blank=True)
    credential = models.CharField(_("bộ khoá"), max_length=60, blank=True)
    options = models.JSONField(_("tuỳ chọn"), default=dict)
    levels = ArrayField(models.CharField(max_length=20, choices=Level.choices), verbose_name=_("cấp học"), default=list)
    objects_sent = ArrayField(models.CharField(max_length=10, choices=RecordKind.choices), verbose_name=_("loại bản ghi"), default=list)
    batch_size = models.PositiveIntegerField(_("số bản ghi mỗi lần gửi"), default=200)
    is_active = models.BooleanField(_("đang dùng"), default=True)
    failures = models.PositiveIntegerField(_("số lần lỗi liền nhau"), default=0)
    paused_until = models.DateTimeField(_("nghỉ đến"), null=True)
    last_ok_at = models.DateTimeField(_("nối được lúc"), null=True)
    last_error = models.CharField(_("lỗi gần nhất"), max_length=300, blank=True)
    theirs = models.JSONField(_("số bên nhận"), default=dict)
    theirs_at = models.DateTimeField(_("hỏi bên nhận lúc"), null=True)

    class Meta:
        verbose_name = _("kênh đồng bộ")

    def __str__(self) -> str:
        return self.name


class DeliveredRecord(models.Model):
    """What a receiver is known to hold of one record: the hash and version it last answered for."""

    guard = Guard(scope=Scope(school="school_id"))

    channel = models.ForeignKey(SyncChannel, models.PROTECT, related_name="+", verbose_name=_("kênh"))
    record_id = models.CharField(_("mã bản ghi"), max_length=RECORD_ID, db_collation="C")
    school_id = models.BigIntegerField(_("trường"))
    object = models.CharField(_("loại bản ghi"), max_length=10)
    sha256 = models.BinaryField(_("băm"))
    version = models.PositiveIntegerField(_("phiên bản"))
    is_cancelled = models.BooleanField(_("đã huỷ"), default=False)
    code = models.CharField(_("mã trả lời"), max_length=30, blank=True)
    answered_at = models.DateTimeField(_("trả lời lúc"))

    class Meta:
        verbose_name = _("bản ghi bên nhận đang giữ")
        constraints = [models.UniqueConstraint(fields=["channel", "record_id"], name="sync_delivered_once")]
        indexes = [models.Index(fields=["channel", "school_id"], name="sync_delivered_school")]


class QueuedRecord(Row):
    """One record that waits for a receiver, or that it refused for good; one row a record, the newest version only.

    body  the canonical record, deflated and encrypted; empty for CANCEL
    """

    class State(models.TextChoices):
        """Whether it still goes out by itself."""

        WAITING = "waiting", _("Chờ gửi")
        DEAD = "dead", _("Bên nhận không nhận")

    guard = Guard(deletable=True, scope=Scope(school="school_id"))

    channel = models.ForeignKey(SyncChannel, models.PROTECT, related_name="+", verbose_name=_("kênh"))
    record_id = models.CharField(_("mã bản ghi"), max_length=RECORD_ID, db_collation="C")
    school_id = models.BigIntegerField(_("trường"))
    level = models.CharField(_("cấp học"), max_length=20)
    object = models.CharField(_("loại bản ghi"), max_length=10)
    key = models.CharField(_("khoá"), max_length=200)
    event = models.CharField(_("sự kiện"), max_length=6, choices=SyncEvent.choices)
    sent_version = models.PositiveIntegerField(_("phiên bản gửi"))
    sha256 = models.BinaryField(_("băm"), null=True)
    body = models.BinaryField(_("nội dung"), null=True)
    noticed_at = models.DateTimeField(_("thấy thay đổi lúc"))
    state = models.CharField(_("trạng thái"), max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("số lần gửi"), default=0)
    next_try_at = models.DateTimeField(_("gửi lại lúc"))
    code = models.CharField(_("mã trả lời"), max_length=30, blank=True)
    message = models.CharField(_("trả lời"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("bản ghi chờ gửi")
        constraints = [models.UniqueConstraint(fields=["channel", "record_id"], name="sync_queued_once")]
        indexes = [
            models.Index(fields=["channel", "next_try_at", "id"], name="sync_waiting", condition=Q(state="waiting")),
            models.Index(fields=["channel", "school_id"], name="sync_queued_school"),
        ]


class SyncTurn(Row):
    """One turn of a channel over all schools: what it found changed, what was answered, both ends' counters after it."""

    guard = Guard(coded=("uid", "channel_id"))

    channel = models.ForeignKey(SyncChannel, models.PROTECT, related_name="turns", verbose_name=_("kênh"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+", verbose_name=_("việc chạy nền"))
    started_at = models.DateTimeField(_("bắt đầu"))
    planned_at = models.DateTimeField(_("đọc xong lúc"), null=True)
    finished_at = models.DateTimeField(_("xong lúc"), null=True)
    planned = models.JSONField(_("thấy"), default=dict)
    answered = models.JSONField(_("trả lời"), default=dict)
    ours = models.JSONField(_("số bên gửi"), default=dict)
    theirs = models.JSONField(_("số bên nhận"), default=dict)

    class Meta:
        verbose_name = _("lượt đồng bộ")
        indexes = [models.Index(fields=["channel", "started_at"], name="sync_turns")]


class SyncFile(models.Model):
    """A workbook written for a channel that is carried by hand; only ever added."""

    guard = Guard(append_only=True)

    channel = models.ForeignKey(SyncChannel, models.PROTECT, related_name="files", verbose_name=_("kênh"))
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("tệp"))
    records = models.PositiveIntegerField(_("số bản ghi"))
    made_at = models.DateTimeField(_("ghi lúc"), db_default=Now())

    class Meta:
        verbose_name = _("tệp đồng bộ gửi tay")


class WebhookSubscription(Row):
    """Who wants to hear of what: an address, kinds of events, a place, a secret to sign with.

    unit_id  None hears of every school; else of the schools that lie under the unit on the day
    secret   encrypted; shown once, when it is made
    """

    guard = Guard(coded=("uid",))

    name = models.CharField(_("tên hệ thống nhận"), max_length=120)
    address = models.CharField(_("địa chỉ nhận"), max_length=300)
    kinds = ArrayField(models.CharField(max_length=80), verbose_name=_("sự kiện"), default=list)
    unit_id = models.BigIntegerField(_("phạm vi"), null=True)
    unit_name = models.CharField(_("tên phạm vi"), max_length=200, blank=True)
    secret = models.BinaryField(_("khoá ký"))
    is_active = models.BooleanField(_("đang dùng"), default=True)
    made_by = models.CharField(_("người đăng ký"), max_length=120, blank=True)
    since = models.DateTimeField(_("nhận từ lúc"))

    class Meta:
        verbose_name = _("đăng ký nhận sự kiện")


class WebhookDelivery(Row):
    """One event for one subscription, sent until it is taken or given up."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", _("Chờ gửi")
        TAKEN = "taken", _("Đã nhận")
        DEAD = "dead", _("Thôi gửi")

    guard = Guard(deletable=True)

    subscription = models.ForeignKey(WebhookSubscription, models.PROTECT, related_name="deliveries", verbose_name=_("đăng ký"))
    event_id = models.BigIntegerField(_("sự kiện"))
    kind = models.CharField(_("loại"), max_length=80)
    payload = models.JSONField(_("nội dung"), default=dict)
    state = models.CharField(_("trạng thái"), max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("số lần gửi"), default=0)
    next_try_at = models.DateTimeField(_("gửi lại lúc"))
    answer = models.CharField(_("trả lời"), max_length=200, blank=True)
    taken_at = models.DateTimeField(_("nhận lúc"), null=True)

    class Meta:
        verbose_name = _("lần báo sự kiện")
        constraints = [models.UniqueConstraint(fields=["subscription", "event_id"], name="sync_webhook_once")]
        indexes = [models.Index(fields=["next_try_at"], name="sync_webhooks_waiting", condition=Q(state="waiting"))]
