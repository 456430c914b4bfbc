"""What a reader is told for each reason of universal education: code to (Vietnamese, English)."""

from __future__ import annotations

SHARES = {
    "preschool-at-school": ("trẻ đến lớp", "children at school"),
    "preschool-finished": ("trẻ hoàn thành chương trình mầm non", "children who finished preschool"),
    "primary-entered": ("trẻ 6 tuổi vào lớp 1", "six-year-olds in grade 1"),
    "primary-finished-at-14": (
        "trẻ 14 tuổi hoàn thành tiểu học",
        "fourteen-year-olds who finished primary",
    ),
    "primary-finished-at-11": ("trẻ 11 tuổi hoàn thành tiểu học", "eleven-year-olds who finished primary"),
    "primary-others-in-class": (
        "trẻ 11 tuổi đã hoàn thành hoặc đang học tiểu học",
        "eleven-year-olds finished or in primary classes",
    ),
    "lower-secondary-completed": (
        "người 15 đến 18 tuổi hoàn thành trung học cơ sở",
        "of ages 15 to 18 who completed lower secondary",
    ),
    "in-upper-secondary": (
        "người 15 đến 18 tuổi đang học trung học phổ thông hoặc nghề nghiệp",
        "of ages 15 to 18 in upper secondary or vocational education",
    ),
    "literacy-1": ("người biết chữ mức độ 1", "literate on level 1"),
    "literacy-2": ("người biết chữ mức độ 2", "literate on level 2"),
    "units-recognised": ("đơn vị được công nhận", "units recognised"),
}
"""Code of a share to what it counts, in Vietnamese and English."""

REACHED = (
    "{{part}}/{{whole}} {}, đạt mức {{needed}}%.",
    "{{part}} of {{whole}} {}: {{needed}} % is reached.",
)
BELOW = ("{{part}}/{{whole}} {}, chưa đạt mức {{needed}}%.", "{{part}} of {{whole}} {}: below {{needed}} %.")

TEXTS: dict[str, tuple[str, str]] = {
    f"{code}-{end}": (patterns[0].format(names[0]), patterns[1].format(names[1]))
    for code, names in SHARES.items()
    for end, patterns in (("reached", REACHED), ("below", BELOW))
} | {
    "primary-standard-reached": (
        "Đã đạt chuẩn phổ cập giáo dục tiểu học mức độ {level}.",
        "Universal primary education of level {level} is recognised.",
    ),
    "primary-standard-below": (
        "Chưa đạt chuẩn phổ cập giáo dục tiểu học mức độ 1.",
        "Universal primary education of level 1 is not recognised.",
    ),
    "literacy-standard-reached": (
        "Đã đạt chuẩn xóa mù chữ mức độ {level}.",
        "Literacy of level {level} is recognised.",
    ),
    "literacy-standard-below": (
        "Chưa đạt chuẩn xóa mù chữ mức độ 1.",
        "Literacy of level 1 is not recognised.",
    ),
}
