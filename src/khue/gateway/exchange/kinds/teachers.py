"""Finding a teacher a file names: by code, by the school's short name, by name; making the missing ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds.base import Context, Option
from khue.gateway.exchange.reasons import Reason, reason
from khue.kernel import text
from khue.register.people import bulk as people
from khue.register.staff import bulk as staff

CREATE = "create_staff"
CREATE_OPTION = Option(
    CREATE, _("Tạo giáo viên còn thiếu"),
    _("Người có tên trong tệp mà trường chưa có vị trí công tác sẽ được lập hồ sơ giáo viên, chỉ có họ tên."),
)  # fmt: skip


@dataclass(slots=True)
class Posts:
    """The posts of a school, by everything a file may call their holders."""

    rows: list[dict[str, Any]]
    by_code: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_short: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    by_name: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    made: dict[str, int] = field(default_factory=dict)
    """Compared name to the post made for it in this batch."""

    def __post_init__(self) -> None:
        for row in self.rows:
            self.by_code[row["code"]] = row
            if row["short_name"]:
                self.by_short[text.fold(row["short_name"])].append(row)
            self.by_name[people.fold(text.clean(row["name"]))].append(row)


def posts_of(context: Context) -> Posts:
    """Return the posts of the batch's school that hold on its day, read once a batch."""
    if "posts" not in context.data:
        context.data["posts"] = Posts(staff.posts_of(context.school_id, on=max(context.today, context.from_day)))
    return context.data["posts"]


def full(name: str, mark: str) -> str:
    """Return a numbered name as the file wrote it."""
    return f"{name} ({mark})" if mark else name


def find(posts: Posts, name: str, mark: str = "", *, code: str = "") -> tuple[dict[str, Any] | None, Reason | None]:
    """Return (the open post a name means, None), (None, None) where there is none, or (None, why it is not clear)."""
    if code:
        row = posts.by_code.get(code)
        return (row, None) if row is not None and row["is_open"] else (None, None)
    short = [row for row in posts.by_short.get(text.fold(full(name, mark)), ()) if row["is_open"]]
    if mark and not short:
        short = [row for row in posts.by_short.get(text.fold(mark), ()) if row["is_open"]]
    if len(short) == 1:
        return short[0], None
    same = [row for row in posts.by_name.get(people.fold(name), ()) if row["is_open"]]
    if mark:  # a number tells equal names apart: one with another number is another person
        same = [row for row in same if not _is_numbered(row["short_name"]) or row["short_name"].endswith(f"({mark})")]
    if len(same) > 1:
        return None, reason("several-teachers", "teacher", count=len(same), text=name)
    return (same[0], None) if same else (None, None)


def _is_numbered(short_name: str) -> bool:
    return short_name.endswith(")") and "(" in short_name


def make_missing(context: Context, names: Sequence[tuple[str, str]]) -> None:
    """Enter teachers of whom only the name is known and open their posts; `Posts.made` says where they are.

    A post an undone import emptied is opened again for the same name, so that codes do not multiply.
    """
    posts = posts_of(context)
    wanted = [pair for pair in dict.fromkeys(names) if text.fold(full(*pair)) not in posts.made]
    again: list[tuple[tuple[str, str], dict[str, Any]]] = []
    fresh: list[tuple[str, str]] = []
    for pair in wanted:
        left = [row for row in posts.by_name.get(people.fold(pair[0]), ()) if not row["is_open"] and row["short_name"] in ("", full(*pair))]
        if left:
            again.append((pair, left[0]))
        else:
            fresh.append(pair)
    staff.reopen_posts([(row["post_id"], row["post_version"]) for _pair, row in again], from_day=context.from_day)
    people.revive([row["id"] for _pair, row in again])
    made = people.create([{"name": pair[0]} for pair in fresh], school_id=context.school_id)
    opened = staff.open_posts(
        [
            {"person_id": person.id, "position": "teacher", "short_name": full(*pair)[:60] if pair[1] else ""}
            for pair, person in zip(fresh, made, strict=True)
        ],
        school_id=context.school_id, from_day=context.from_day,
    )  # fmt: skip
    for pair, row in again:
        posts.made[text.fold(full(*pair))] = row["post_id"]
        context.data.setdefault("created", {})[text.fold(full(*pair))] = (row["id"], row["post_id"], row["code"])
    for pair, person in zip(fresh, made, strict=True):
        posts.made[text.fold(full(*pair))] = opened[person.id]
        context.data.setdefault("created", {})[text.fold(full(*pair))] = (person.id, opened[person.id], person.code)
