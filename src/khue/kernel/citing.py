"""What of the platform rests on an instrument of law: forms, files it hands over, code lists, pages.

An app registers its own in its wiring; the legal shelf shows them, and their pages link back to it.

    citing.rests("transcripts.secondary", "form", _("Học bạ trung học"), ("22/2021/TT-BGDĐT#18",), "transcripts:index")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel.registries import Registry
from regulations import shelf

Kind = Literal["form", "file", "codes", "page"]

KINDS: dict[str, str | Promise] = {
    "form": _("Biểu mẫu"), "file": _("Tệp trao đổi"), "codes": _("Danh mục mã"), "page": _("Màn hình"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resting:
    """One thing that rests on law.

    places    as results keep them: `22/2021/TT-BGDĐT#18`, the instrument alone where the whole of it matters
    url_name  its screen, "" for none; only people who have the right see it
    """

    code: str
    kind: Kind
    title: str | Promise
    places: tuple[str, ...]
    url_name: str = ""

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return the numbers of the instruments."""
        return tuple(dict.fromkeys(place.partition("#")[0] for place in self.places))


RESTING: Registry[Resting] = Registry("things that rest on law")


def rests(code: str, kind: Kind, title: str | Promise, places: tuple[str, ...], url_name: str = "") -> Resting:
    """Register a thing; every instrument must stand on the shelf. Raises UnknownValue for one that does not."""
    found = Resting(code, kind, title, places, url_name)
    for number in found.instruments:
        shelf.instrument(number)
    return RESTING.get(code) or RESTING.add(code, found)


def resting_on(number: str) -> list[Resting]:
    """Return what rests on an instrument, in the order it was registered."""
    return [one for one in RESTING.values() if number in one.instruments]
