"""Events: news going up. An app publishes a frozen dataclass in its transaction; who registered for its
kind is called after commit by the worker, at least once, so every listener is harmless to call twice.

    @dataclass(frozen=True)
    class MarkSet(Fact):
        kind = "gradebook.mark-set"
        register_id: int
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

LISTENERS: dict[str, list[Callable[[dict[str, Any]], None]]] = defaultdict(list)


@dataclass(frozen=True)
class Fact:
    """The base of what apps announce; `kind` is stable, the fields are ids and codes."""

    kind: ClassVar[str] = ""


def publish(fact: Fact, *, at: datetime) -> None:
    """Store the fact in the outbox, in the caller's transaction."""
    from khue.kernel.events.models import Event

    Event.objects.create(kind=fact.kind, body=asdict(fact), at=at)


def publish_many(facts: Iterable[Fact], *, at: datetime) -> None:
    """Store facts in the outbox in their order, in the caller's transaction, by one statement a thousand."""
    from khue.kernel.events.models import Event

    Event.objects.bulk_create(
        [Event(kind=fact.kind, body=asdict(fact), at=at) for fact in facts], batch_size=1000
    )


def on(kind: str) -> Callable[[Callable[[dict[str, Any]], None]], Callable[[dict[str, Any]], None]]:
    """Register a listener: it gets the body, after commit, maybe more than once."""

    def add(function: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        if function not in LISTENERS[kind]:
            LISTENERS[kind].append(function)
        return function

    return add


def deliver(*, now: datetime, limit: int = 1000) -> int:
    """Deliver waiting events in order and return how many; a failing listener leaves its event waiting."""
    from django.db import transaction

    from khue.kernel.database import scope
    from khue.kernel.events.models import Event

    delivered = 0
    while delivered < limit:
        with scope.opened(everything=True):
            event = (
                Event.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(delivered_at=None).order_by("id").first()
            )  # fmt: skip
            if event is None:
                return delivered
            with transaction.atomic():
                for listener in LISTENERS.get(event.kind, []):
                    listener(event.body)
            Event.objects.filter(pk=event.pk).update(delivered_at=now)
        delivered += 1
    return delivered
