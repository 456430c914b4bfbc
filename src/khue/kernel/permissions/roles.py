"""The roles every installation begins with. They are data: a province renames, widens or narrows them."""

from __future__ import annotations

DEFAULT_ROLES: tuple[tuple[str, str, str, int], ...] = (
    # code, name, tier, order in which a person's first role is chosen
    ("subject_teacher", "Giáo viên bộ môn", "school", 10),
    ("homeroom_teacher", "Giáo viên chủ nhiệm", "school", 11),
    ("group_head", "Tổ trưởng chuyên môn", "school", 12),
    ("vice_principal", "Phó hiệu trưởng", "school", 4),
    ("principal", "Hiệu trưởng", "school", 3),
    ("clerk", "Văn thư, giáo vụ", "school", 5),
    ("accountant", "Kế toán trường", "school", 20),
    ("nurse", "Nhân viên y tế", "school", 21),
    ("librarian", "Thư viện, thiết bị", "school", 22),
    ("it_focal", "Đầu mối công nghệ thông tin", "school", 23),
    ("commune_officer", "Chuyên viên xã, phường", "commune", 6),
    ("province_officer", "Chuyên viên Sở", "province", 2),
    ("province_director", "Lãnh đạo Sở", "province", 1),
    ("data_steward", "Quản trị dữ liệu ngành", "province", 7),
    ("inspector", "Thanh tra, kiểm tra", "province", 8),
    ("ministry_reader", "Bộ Giáo dục và Đào tạo (xem)", "ministry", 30),
    ("operator", "Kỹ thuật vận hành", "system", 40),
    ("partner_system", "Hệ thống đối tác", "system", 41),
    ("guardian", "Phụ huynh", "family", 50),
    ("learner", "Học sinh", "family", 51),
)


def ensure_roles() -> None:
    """Create the roles that are missing; what a province changed stays."""
    from khue.kernel.permissions.models import Role

    for code, name, tier, sort in DEFAULT_ROLES:
        Role.objects.get_or_create(code=code, defaults={"name": name, "tier": tier, "sort": sort})
