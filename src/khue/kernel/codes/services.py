"""Loading a version of a list: what is new is added, what is gone is closed, a new name begins on its day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db import connection, transaction

from khue.kernel.codes.models import CodeItem, CodeList, CodeListVersion
from khue.kernel.codes.shipped import Item, Listing, listings
from khue.kernel.database.fields import period


@dataclass(frozen=True, slots=True)
class Difference:
    """What loading a version changed: codes added, closed and renamed; `version` 0 where nothing did."""

    code: str
    version: int
    items: int
    added: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether the list was already so."""
        return self.version == 0


def digest(listing: Listing) -> str:
    """Return the SHA-256 of a list's content: equal lists are loaded once."""
    body = [listing.name, str(listing.since), str(listing.until), [asdict(item) for item in listing.items]]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def load(listing: Listing, *, now: datetime, effective_on: date | None = None) -> Difference:
    """Bring one list to the content of `listing`, as of `effective_on` (the list's first day by default).

    Items are closed on that day, never deleted; a new name is a new row from that day, or mends the row
    that begins on it. Loading the same content again changes nothing.
    """
    seal = digest(listing)
    head, fresh = CodeList.objects.get_or_create(
        code=listing.code,
        defaults={"name": listing.name, "source": listing.source, "is_verified": listing.is_verified},
    )
    head = CodeList.objects.select_for_update(of=("self",)).get(pk=head.pk)
    last = head.versions.order_by("-number").first()
    if last is not None and last.digest == seal:
        return Difference(listing.code, 0, len(listing.items))
    if not fresh:
        CodeList.objects.filter(pk=head.pk).update(name=listing.name, source=listing.source, is_verified=listing.is_verified)
    day = effective_on or (listing.since if last is None else max(listing.since, last.effective_on))
    added, closed, renamed = _apply(head, listing, day)
    number = last.number + 1 if last is not None else 1
    CodeListVersion.objects.create(
        code_list=head, number=number, digest=seal, effective_on=day, loaded_at=now,
        added=added, closed=closed, renamed=renamed,
    )  # fmt: skip
    return Difference(listing.code, number, len(listing.items), tuple(added), tuple(closed), tuple(renamed))


def _apply(head: CodeList, listing: Listing, day: date) -> tuple[list[str], list[str], list[str]]:
    known = {item.code: item for item in head.items.filter(valid__endswith=listing.until).order_by("valid")}
    wanted = {item.code: item for item in listing.items}
    added = [code for code in wanted if code not in known]
    gone = [item for code, item in known.items() if code not in wanted]
    renamed = [code for code, item in wanted.items() if code in known and known[code].name != item.name]
    for item in gone:
        _close(item, day)
    fresh = [_row(head, wanted[code], listing, day) for code in added]
    for code, entry in wanted.items():
        if code in known and not _same(known[code], entry):
            if code in renamed and known[code].valid.lower < day:
                _close(known[code], day)
                fresh.append(_row(head, entry, listing, day))
            else:
                CodeItem.objects.filter(pk=known[code].pk).update(**_values(entry))
    CodeItem.objects.bulk_create(fresh, batch_size=2000)
    return added, [item.code for item in gone], renamed


def _close(item: CodeItem, day: date) -> None:
    """End an item before `day`; one that began on it or later keeps its first day only."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update codes_codeitem set valid = daterange(lower(valid), greatest(%s, lower(valid) + 1)) where id = %s",
            [day, item.pk],
        )


def _values(item: Item) -> dict[str, object]:
    return {
        "name": item.name, "name_en": item.name_en, "sort": item.sort, "parent_code": item.parent_code,
        "external": item.external, "facts": item.facts,
    }  # fmt: skip


def _same(row: CodeItem, item: Item) -> bool:
    return all(getattr(row, name) == value for name, value in _values(item).items())


def _row(head: CodeList, item: Item, listing: Listing, day: date) -> CodeItem:
    return CodeItem(code_list=head, code=item.code, valid=period(day, listing.until), **_values(item))


def load_shipped(*, now: datetime, only: Iterable[str] = ()) -> list[Difference]:
    """Load every list that comes with the platform, or those named; each in a transaction of its own."""
    chosen = set(only)
    return [load(listing, now=now) for listing in listings() if not chosen or listing.code in chosen]
