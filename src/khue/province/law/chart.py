"""The shift between levels as a picture: a column of levels before, one after, bands as wide as the learners that went.

Whole numbers of a drawing 900 wide and about 300 high; the colours stand in law.css, and the same numbers in a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from khue.province.law.comparing import COARSE
from khue.school.gradebook.explain import label

WIDTH, HEIGHT, GAP, BAR = 900, 260, 10, 14
LEFT, RIGHT = 290, WIDTH - 290
ORDER = (
    "hoan_thanh_xuat_sac", "hoan_thanh_tot", "hoan_thanh", "chua_hoan_thanh", "tot", "gioi", "kha", "dat", "trung_binh",
    "chua_dat", "yeu", "kem", "hoc_sinh_xuat_sac", "hoc_sinh_gioi", "hoc_sinh_tien_tien", "hoc_sinh_tieu_bieu",
    "hoan_thanh_xuat_sac_noi_dung", "thanh_tich_vuot_troi", "khong", "len_lop", "kiem_tra_lai", "ren_luyen_he",
    "danh_gia_bo_sung", "hieu_truong_quyet_dinh", "o_lai_lop", "khong_xep_loai", "",
)  # fmt: skip
"""Best first."""


@dataclass(frozen=True, slots=True)
class Block:
    """One level of a side: where it lies, its name and how many learners."""

    x: int
    y: int
    height: int
    text_x: int
    text_y: int
    anchor: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Band:
    """Learners who went from one level to another: the path, "up", "down" or "same", and a sentence's facts."""

    path: str
    way: str
    before: str
    after: str
    count: int


@dataclass(frozen=True, slots=True)
class Shift:
    """The picture and its table. `cells`: rows of (name, counts by column, total)."""

    height: int
    blocks: tuple[Block, ...]
    bands: tuple[Band, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[str, tuple[tuple[str, int, str], ...], int], ...]
    width: int = WIDTH


def place(code: str) -> int:
    """Return where a level stands among all, best first."""
    return ORDER.index(code) if code in ORDER else len(ORDER)


def way(before: str, after: str) -> str:
    """Return whether a learner goes "up", "down" or stays the "same"; a level with another name for the same stays."""
    one, other = place(COARSE.get(before, before) if before in COARSE else before), place(COARSE.get(after, after) if after in COARSE else after)
    if before == after or one == other or COARSE.get(before, before) == COARSE.get(after, after):
        return "same"
    return "up" if other < one else "down"


def shift(counts: Mapping[str, int]) -> Shift | None:
    """Return the picture of `{"from>to": learners}`, None for nobody."""
    moved = {tuple(key.split(">")): count for key, count in counts.items() if count}
    total = sum(moved.values())
    if not total:
        return None
    sides = [sorted({key[side] for key in moved}, key=place) for side in (0, 1)]
    room = HEIGHT - GAP * (max(map(len, sides)) - 1)
    tops: list[dict[str, int]] = [{}, {}]
    blocks = []
    for side, x in ((0, LEFT), (1, RIGHT - BAR)):
        y = 0
        for code in sides[side]:
            count = sum(some for key, some in moved.items() if key[side] == code)
            height = max(2, room * count // total)
            tops[side][code] = y
            text_x, anchor = (x - 8, "end") if side == 0 else (x + BAR + 8, "start")
            blocks.append(Block(x, y, height, text_x, y + height // 2 + 5, anchor, label(code) or "–", count))
            y += max(height, 18) + GAP
    bands = [
        _band(before, after, moved[before, after], tops, room, total)
        for before in sides[0]
        for after in sides[1]
        if (before, after) in moved
    ]
    cells = tuple(
        (label(before) or "–", tuple((label(after) or "–", moved.get((before, after), 0), way(before, after)) for after in sides[1]),
         sum(some for key, some in moved.items() if key[0] == before))
        for before in sides[0]
    )  # fmt: skip
    height = max(block.y + max(block.height, 18) for block in blocks) + 6
    return Shift(height, tuple(blocks), tuple(bands), tuple(label(code) or "–" for code in sides[1]), cells)


def _band(before: str, after: str, count: int, tops: list[dict[str, int]], room: int, total: int) -> Band:
    height = max(1, room * count // total)
    left, right = tops[0][before], tops[1][after]
    tops[0][before] += height
    tops[1][after] += height
    x1, x2, middle = LEFT + BAR, RIGHT - BAR, (LEFT + RIGHT) // 2
    path = (
        f"M{x1} {left}C{middle} {left} {middle} {right} {x2} {right}V{right + height}"
        f"C{middle} {right + height} {middle} {left + height} {x1} {left + height}Z"
    )
    return Band(path, way(before, after), label(before) or "–", label(after) or "–", count)
