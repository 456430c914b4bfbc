"""Writes: set up a channel, start its turns, send dead letters again, subscribe a system to events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from khue.gateway.sync import adapters, transport, webhooks, work
from khue.gateway.sync.exposed import EXPOSED
from khue.gateway.sync.models import QueuedRecord, SyncChannel, WebhookDelivery, WebhookSubscription
from khue.kernel import audit, jobs, ledger, permissions, text
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.province.periods import vault
from khue.register.orgs.models import Unit


class NotReached(DomainError):
    """The receiver did not answer as one. Facts: why."""

    code, status = "sync.not-reached", 409
    title = _("Chưa nối được với bên nhận: %(why)s.")
    advice = _("Hãy kiểm tra địa chỉ, bộ khoá và chứng thư của kênh, hoặc thử lại sau.")


@dataclass(frozen=True, slots=True)
class Channel:
    """What a channel is to be."""

    name: str
    adapter: str
    base_url: str
    credential: str
    levels: Sequence[str]
    objects: Sequence[str]
    batch_size: int
    is_active: bool
    options: dict[str, Any]


def _checked(told: Channel) -> dict[str, Any]:
    wrong: dict[str, list[str]] = {}
    if told.adapter != SyncChannel.Adapter.XLSX:
        try:
            transport.checked(told.base_url)
        except transport.Denied:
            wrong["base_url"] = [str(_("Địa chỉ phải bắt đầu bằng https:// và không kèm tên, mật khẩu."))]
        try:
            if told.credential:
                transport.folder(told.credential)
        except transport.Denied:
            wrong["credential"] = [str(_("Tên bộ khoá chỉ gồm chữ thường, số, gạch nối."))]
    if not told.levels:
        wrong["levels"] = [str(_("Hãy chọn ít nhất một cấp học."))]
    if not told.objects:
        wrong["objects"] = [str(_("Hãy chọn ít nhất một loại bản ghi."))]
    if not 1 <= told.batch_size <= 5000:
        wrong["batch_size"] = [str(_("Từ 1 đến 5000 bản ghi mỗi lần gửi."))]
    if wrong:
        raise Invalid(fields=wrong)
    return {
        "name": text.clean(told.name)[:120], "adapter": told.adapter, "base_url": told.base_url.strip().rstrip("/"), "credential": told.credential,
        "levels": sorted(told.levels), "objects_sent": sorted(told.objects), "batch_size": told.batch_size, "is_active": told.is_active,
        "options": told.options,
    }  # fmt: skip


@transaction.atomic
def open_channel(*, actor: Actor, code: str, told: Channel, now: datetime) -> SyncChannel:
    """Make a channel. Raises NotAllowed, Invalid."""
    permissions.demand(actor, "sync.manage", at=now)
    if SyncChannel.objects.filter(code=code).exists():
        raise Invalid(fields={"code": [str(_("Mã kênh này đã có."))]})
    made = SyncChannel.objects.create(code=code, **_checked(told))
    _noted(made, "open", actor, now)
    return made


@transaction.atomic
def change_channel(*, actor: Actor, uid: UUID, version: int, told: Channel, now: datetime) -> SyncChannel:
    """Change a channel; what the receiver holds stays known. Raises Stale, Invalid, NotFound."""
    permissions.demand(actor, "sync.manage", at=now)
    held = _channel(uid)
    if held.version != version:
        raise Stale(mine=version, theirs=held.version)
    values = {**_checked(told), "paused_until": None, "failures": 0}
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=list(values))
    _noted(held, "change", actor, now)
    return held


def _noted(held: SyncChannel, verb: str, actor: Actor, now: datetime) -> None:
    facts = {
        "code": held.code, "adapter": held.adapter, "base_url": held.base_url, "credential": held.credential, "levels": held.levels,
        "objects": held.objects_sent, "is_active": held.is_active,
    }  # fmt: skip
    audit.record(actor, f"sync.channel.{verb}", on=held, at=now, **facts)
    ledger.append(ledger.chain_for("sync.channels"), act=f"sync.channel.{verb}", body={**facts, "channel": held.uid}, actor=actor, at=now)


def _channel(uid: UUID) -> SyncChannel:
    held = SyncChannel.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if held is None:
        raise NotFound()
    return held


@transaction.atomic
def start_turn(*, actor: Actor, uid: UUID, now: datetime) -> Job:
    """Start a turn at once. Raises NotAllowed, NotFound."""
    permissions.demand(actor, "sync.manage", at=now)
    held = _channel(uid)
    SyncChannel.objects.filter(pk=held.pk).update(paused_until=None)
    audit.record(actor, "sync.channel.turn", on=held, at=now)
    return work.start_turn(held, actor=actor, now=now)


@transaction.atomic
def start_reconcile(*, actor: Actor, uid: UUID, now: datetime) -> Job:
    """Start a comparison record by record. Raises NotAllowed, NotFound."""
    permissions.demand(actor, "sync.manage", at=now)
    held = _channel(uid)
    audit.record(actor, "sync.channel.reconcile_start", on=held, at=now)
    return jobs.start(
        work.RECONCILE, actor=actor, title=str(_("Đối chiếu: %(name)s")) % {"name": held.name}, at=now, parameters={"channel": held.pk},
        key=f"{work.RECONCILE}:{held.uid}:{now:%Y%m%d%H%M}",
    )  # fmt: skip


@transaction.atomic
def check(*, actor: Actor, uid: UUID, now: datetime) -> adapters.Status:
    """Ask the receiver whether it is there, and for its counters. Raises NotReached, NotAllowed, NotFound."""
    permissions.demand(actor, "sync.manage", at=now)
    held = _channel(uid)
    try:
        with adapters.open_adapter(held) as adapter:
            status = adapter.status()
    except (transport.Unreachable, transport.Denied) as error:
        raise NotReached(why=str(error)) from error
    SyncChannel.objects.filter(pk=held.pk).update(
        theirs=status.counts or {}, theirs_at=now, last_ok_at=now, last_error="", failures=0, paused_until=None
    )
    audit.record(actor, "sync.channel.check", on=held, at=now)
    return status


@transaction.atomic
def resend(*, actor: Actor, uid: UUID, letters: Sequence[UUID] | None, now: datetime) -> int:
    """Put dead letters back into the queue, some or all of a channel, and start sending; returns how many. Raises NotAllowed, NotFound."""
    permissions.demand(actor, "sync.manage", at=now)
    held = _channel(uid)
    dead = QueuedRecord.objects.filter(channel=held, state=QueuedRecord.State.DEAD)
    if letters is not None:
        dead = dead.filter(uid__in=list(letters))
    count = dead.update(state=QueuedRecord.State.WAITING, attempts=0, next_try_at=now)
    SyncChannel.objects.filter(pk=held.pk).update(paused_until=None)
    audit.record(actor, "sync.letters.resend", on=held, at=now, count=count)
    if count:
        work.start_send(held, actor=actor, now=now)
    return count


# -- subscriptions -----------------------------------------------------------------------------------------


@transaction.atomic
def subscribe(*, actor: Actor, name: str, address: str, kinds: Sequence[str], unit_code: str, now: datetime) -> tuple[WebhookSubscription, str]:
    """Subscribe a system to events; returns the row and its secret, which is shown this once. Raises NotAllowed, Invalid."""
    permissions.demand(actor, "sync.webhooks", at=now)
    wrong: dict[str, list[str]] = {}
    try:
        address = transport.checked(address.strip())
    except transport.Denied:
        wrong["address"] = [str(_("Địa chỉ phải bắt đầu bằng https:// và không kèm tên, mật khẩu."))]
    chosen = sorted({kind for kind in kinds if kind in EXPOSED})
    if not chosen:
        wrong["kinds"] = [str(_("Hãy chọn ít nhất một sự kiện."))]
    unit = Unit.objects.filter(code=unit_code.strip()).order_by("pk").first() if unit_code.strip() else None
    if unit_code.strip() and unit is None:
        wrong["unit_code"] = [str(_("Không có đơn vị mang mã này."))]
    if not wrong and WebhookSubscription.objects.filter(address=address, kinds=chosen, unit_id=unit.pk if unit else None, is_active=True).exists():
        wrong["address"] = [str(_("Địa chỉ này đã đăng ký đúng các sự kiện đó."))]
    if wrong:
        raise Invalid(fields=wrong)
    secret = webhooks.new_secret()
    made = WebhookSubscription.objects.create(
        name=text.clean(name)[:120], address=address[:300], kinds=chosen, unit_id=unit.pk if unit else None, unit_name=unit.name if unit else "",
        secret=vault.put(secret.encode()), made_by=actor.name[:120], since=now,
    )  # fmt: skip
    audit.record(actor, "sync.subscription.make", on=made, at=now, address=made.address, kinds=chosen, unit=made.unit_id)
    body = {"subscription": made.uid, "address": made.address, "kinds": chosen, "unit": made.unit_id}
    ledger.append(ledger.chain_for("sync.subscriptions"), act="sync.subscription.make", body=body, actor=actor, at=now)
    return made, secret


@transaction.atomic
def set_active(*, actor: Actor, uid: UUID, version: int, is_active: bool, now: datetime) -> WebhookSubscription:
    """Pause a subscription or take it up again; taken up, it hears of what happens from now on. Raises Stale, NotFound."""
    permissions.demand(actor, "sync.webhooks", at=now)
    held = _subscription(uid)
    if held.version != version:
        raise Stale(mine=version, theirs=held.version)
    held.is_active = is_active
    if is_active:
        held.since = now
    held.save(update_fields=["is_active", "since"])
    audit.record(actor, "sync.subscription.set_active", on=held, at=now, is_active=is_active)
    return held


@transaction.atomic
def redeliver(*, actor: Actor, uid: UUID, now: datetime) -> int:
    """Send a subscription's given-up deliveries again; returns how many. Raises NotAllowed, NotFound."""
    permissions.demand(actor, "sync.webhooks", at=now)
    held = _subscription(uid)
    count = WebhookDelivery.objects.filter(subscription=held, state=WebhookDelivery.State.DEAD).update(
        state=WebhookDelivery.State.WAITING, attempts=0, next_try_at=now
    )
    audit.record(actor, "sync.subscription.redeliver", on=held, at=now, count=count)
    return count


def _subscription(uid: UUID) -> WebhookSubscription:
    held = WebhookSubscription.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if held is None:
        raise NotFound()
    return held

