"""Events told to subscribers: signed, at least once, in a queue of their own; a subscriber that is down gets them later.

    Khue-Event: transcripts.sealed
    Khue-Delivery: 019…                         the same at every try; it is the signed body's "id" too: dedupe by that
    Khue-Signature: t=1761000000,v1=<hex>       HMAC-SHA256 of "<t>.<body>" with the subscription's secret

A receiver refuses a signature that does not fit, or a time more than five minutes away, and answers 2xx when it has it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import connection

from khue.gateway.sync.exposed import EXPOSED
from khue.gateway.sync.models import WebhookDelivery, WebhookSubscription
from khue.gateway.sync.transport import Denied, Link, Unreachable
from khue.kernel import faults, text
from khue.kernel.database import scope
from khue.kernel.events.models import Event
from khue.province.periods import vault
from khue.register.orgs.models import UnitReach

WAITS = (
    timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=3), timedelta(hours=6),
    timedelta(hours=12), timedelta(hours=24),
)  # fmt: skip
LOOKS_BACK = timedelta(days=3)
KEPT = timedelta(days=30)
TIMEOUT = 10.0
TOLERANCE = 300
"""Seconds a signature's time may be away."""


def new_secret() -> str:
    """Return a fresh secret: 32 random bytes as text."""
    return "khs_" + secrets.token_urlsafe(32)


def signature(secret: str, body: bytes, *, at: int) -> str:
    """Return the signature header of a body sent at `at` (Unix seconds)."""
    told = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={told}"


def is_signed(secret: str, body: bytes, header: str, *, at: int) -> bool:
    """Return whether a header signs this body within the tolerance: what a receiver does, and our tests."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    when = text.whole(parts.get("t", ""), high=10**10 - 1)
    if when is None or abs(at - when) > TOLERANCE:
        return False
    return hmac.compare_digest(signature(secret, body, at=when).encode(), header.encode("utf-8", "replace"))


def fan_out(*, now: datetime, limit: int = 1000) -> int:
    """Make a delivery of every new event for whoever subscribed to it; in the caller's transaction; returns how many.

    An event is matched once a subscription, however often this runs and in whatever order events were committed.
    """
    made = 0
    for held in WebhookSubscription.objects.filter(is_active=True).order_by("pk"):
        known = WebhookDelivery.objects.filter(subscription=held).values("event_id")
        fresh = Event.objects.filter(kind__in=held.kinds, stored_at__gte=max(held.since, now - LOOKS_BACK)).exclude(pk__in=known)
        rows = []
        for event in fresh.order_by("pk")[:limit]:
            told = EXPOSED.get(event.kind)
            if told is None:
                continue
            is_hers = held.unit_id is None or _lies_in(held.unit_id, [pk for pk in told.schools(event.body) if pk], now)
            rows.append(WebhookDelivery(
                subscription=held, event_id=event.pk, kind=event.kind, payload=told.payload(event.body) if is_hers else {}, next_try_at=now,
                state=WebhookDelivery.State.WAITING if is_hers else WebhookDelivery.State.TAKEN, answer="" if is_hers else "elsewhere",
            ))  # fmt: skip
            made += is_hers
        WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    return made


def _lies_in(unit_id: int, schools: list[int], now: datetime) -> bool:
    day = now.date()
    return UnitReach.objects.filter(ancestor_id=unit_id, descendant_id__in=schools, valid__contains=day).exists()


def document(delivery: WebhookDelivery) -> bytes:
    """Return the body of a delivery: the same bytes at every try."""
    told = {"id": str(delivery.uid), "kind": delivery.kind, "made_at": delivery.created_at.isoformat(), "data": delivery.payload}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def deliver(*, now: datetime) -> bool:
    """Send the delivery whose turn it is, in the caller's transaction; False where none is."""
    held = (
        WebhookDelivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("subscription")
        .filter(state=WebhookDelivery.State.WAITING, next_try_at__lte=now, subscription__is_active=True).order_by("next_try_at", "pk").first()
    )  # fmt: skip
    if held is None:
        return False
    body = document(held)
    held.attempts += 1
    try:
        held.answer = f"status {_post(held, body, now)}"
        is_taken = held.answer.startswith("status 2")
    except (Unreachable, Denied) as error:
        held.answer, is_taken = f"{type(error).__name__.lower()}: {error}"[:200], False
    except (ValueError, OSError) as error:  # what cannot be sent waits by itself and holds nobody up
        held.answer, is_taken = f"denied: {type(error).__name__}", False
    faults.hit("sync.webhook.after_answer")
    if is_taken:
        held.state, held.taken_at = WebhookDelivery.State.TAKEN, now
    elif held.attempts > len(WAITS):
        held.state = WebhookDelivery.State.DEAD
    else:
        held.next_try_at = now + WAITS[held.attempts - 1]
    held.save(update_fields=["attempts", "answer", "state", "taken_at", "next_try_at"])
    return True


def _post(held: WebhookDelivery, body: bytes, now: datetime) -> int:
    parts = urlsplit(held.subscription.address)
    secret = vault.get(held.subscription.secret).decode()
    headers = {
        "Khue-Event": held.kind, "Khue-Delivery": str(held.uid), "Khue-Signature": signature(secret, body, at=int(now.timestamp())),
        "User-Agent": "Khue-Webhook/1",
    }  # fmt: skip
    with Link(f"{parts.scheme}://{parts.netloc}", timeout=TIMEOUT) as link:
        return link.send("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), raw=body, headers=headers).status


def run(*, now: Callable[[], datetime], limit: int = 500) -> int:
    """Turn new events into deliveries, then send what is due, each in a transaction of its own; returns how many were tried."""
    with scope.everything():
        fan_out(now=now())
    tried = 0
    while tried < limit:
        with scope.everything():
            if not deliver(now=now()):
                return tried
        tried += 1
    return tried


def sweep(*, now: datetime) -> int:
    """Forget deliveries that were taken, or were not hers, a month ago; dead ones stay until they are sent again."""
    with connection.cursor() as cursor:
        cursor.execute("delete from sync_webhookdelivery where state = 'taken' and created_at < %s", [now - KEPT])
        return cursor.rowcount


