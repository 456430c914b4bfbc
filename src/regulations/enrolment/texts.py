"""What a reader is told for each reason of enrolment: code to (Vietnamese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "entry-age-right": (
        "Đúng {expected} tuổi vào lớp {grade}.",
        "Aged {expected}, the age for grade {grade}.",
    ),
    "entry-age-under": (
        "Mới {age} tuổi, chưa đủ {expected} tuổi để vào lớp {grade}.",
        "Aged {age}, below the {expected} years for grade {grade}.",
    ),
    "entry-age-over-needs-ground": (
        "Đã {age} tuổi, quá tuổi vào lớp {grade}; cần căn cứ thuộc diện được vào học muộn.",
        "Aged {age}, over the age for grade {grade}; a listed ground is needed.",
    ),
    "entry-age-over-with-ground": (
        "Đã {age} tuổi, có căn cứ nên được vào lớp {grade} đến {most} tuổi.",
        "Aged {age}; the ground shown allows grade {grade} up to {most}.",
    ),
    "entry-age-needs-decision": (
        "Đã {age} tuổi, quá {most} tuổi; cần người có thẩm quyền quyết định.",
        "Aged {age}, beyond {most}; the authority must decide.",
    ),
    "class-too-large": (
        "Lớp có {got} học sinh, vượt mức {most}.",
        "The class has {got} learners; at most {most} are allowed.",
    ),
    "class-within-size": (
        "Lớp có {got} học sinh, không quá {most}.",
        "The class has {got} learners, within the {most} allowed.",
    ),
    "too-many-disabled-in-class": (
        "Lớp hòa nhập có {got} học sinh khuyết tật, vượt mức {most}; hiệu trưởng có thể quyết định nhận thêm.",
        "The inclusive class has {got} disabled learners, over {most}; the principal may allow more.",
    ),
    "too-many-grades-in-class": (
        "Lớp ghép có {got} trình độ, vượt mức {most}.",
        "The class joins {got} grades; at most {most} are allowed.",
    ),
    "repeated-too-often": (
        "Đã lưu ban {got} lần trong cấp học; nhiều nhất {most} lần.",
        "Repeated {got} times in this level; at most {most}.",
    ),
    "may-repeat": (
        "Đã lưu ban {got} lần trong cấp học, chưa quá {most} lần.",
        "Repeated {got} times in this level, within the {most} allowed.",
    ),
    "child-without-place": (
        "Chưa có chỗ học; xã phải bố trí trường cho trẻ.",
        "Has no place yet; the commune must provide one.",
    ),
    "child-placed": ("Được nhận vào trường {school}.", "Admitted to school {school}."),
}
