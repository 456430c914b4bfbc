"""Words of the catalogue: sections of forms, classes of privacy, terms of keeping, groups of data, levels, objects."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SECTIONS = {
    "identity": _("Thông tin định danh"), "general": _("Thông tin chung"), "contact": _("Liên hệ, địa điểm"),
    "conditions": _("Điều kiện dạy học"), "quality": _("Chất lượng, kiểm định"), "programme": _("Chương trình, thời lượng"),
    "features": _("Đặc điểm của lớp"), "family": _("Gia đình"), "study": _("Học tập, đoàn thể"), "policy": _("Chính sách, hỗ trợ"),
    "health": _("Sức khoẻ"), "employment": _("Tuyển dụng, công tác"), "teaching": _("Giảng dạy"), "pay": _("Ngạch, lương, phụ cấp"),
    "qualification": _("Trình độ, bồi dưỡng"), "rating": _("Đánh giá, danh hiệu"), "lists": _("Các danh sách kèm theo"),
}  # fmt: skip
PRIVACY = {"open": _("công khai"), "internal": _("nội bộ"), "personal": _("cá nhân"), "restricted": _("hạn chế")}
RETENTION = {
    "permanent": _("vĩnh viễn"), "staff": _("70 năm"), "register": _("20 năm"), "finance": _("10 năm"),
    "schooling": _("đến khi thôi học 5 năm"), "sensitive": _("đến khi thôi học, rồi huỷ"),
}  # fmt: skip
"""Terms of keeping; K but for the permanent record (NĐ 88/2026/NĐ-CP, Art. 8): the annex of TT 08/2025/TT-BGDĐT decides."""
TOPICS = {
    1: _("Hệ thống tổ chức"), 2: _("Giáo dục mầm non"), 3: _("Giáo dục phổ thông"), 4: _("Giáo dục thường xuyên"),
    5: _("Giáo dục nghề nghiệp"), 6: _("Giáo dục đại học"), 7: _("Giáo dục quốc phòng và an ninh"),
    8: _("Giáo dục dân tộc, người khuyết tật"), 9: _("Xoá mù chữ, dạy tiếng dân tộc"), 10: _("Bảo đảm và kiểm định chất lượng"),
    11: _("Cơ sở vật chất, thiết bị"), 12: _("Nhà giáo, cán bộ quản lý"), 13: _("Người học, học tập suốt đời"), 14: _("Học liệu"),
    15: _("Khoa học, công nghệ"), 16: _("Hợp tác quốc tế"), 17: _("Tài chính"), 18: _("Y tế trường học"), 19: _("Thanh tra, kiểm tra"),
    20: _("Thủ tục hành chính"), 21: _("Hồ sơ, lưu trữ"),
}  # fmt: skip
"""The 21 groups of data of NĐ 88/2026/NĐ-CP, Art. 5."""
LEVELS = {
    "preschool": _("Mầm non"), "primary": _("Tiểu học"), "lower_secondary": _("Trung học cơ sở"),
    "upper_secondary": _("Trung học phổ thông"), "continuing": _("Giáo dục thường xuyên"), "higher": _("Đại học, cao đẳng"),
}  # fmt: skip
OBJECTS = {
    "school": _("Trường, trung tâm"), "class": _("Lớp"), "staff": _("Nhân sự"), "learner": _("Học sinh, học viên"), "result": _("Kết quả học tập"),
    "class_subject": _("Môn học của lớp"), "subject_mark": _("Điểm môn"),
}  # fmt: skip
TYPES = {
    "string": _("chữ"), "enum": _("danh mục"), "boolean": _("có/không"), "integer": _("số nguyên"), "decimal": _("số thập phân"),
    "date": _("ngày"), "list": _("danh sách"), "": _("tiêu đề"),
}  # fmt: skip
OWNERS = {
    "orgs": _("Đơn vị"), "people": _("Con người"), "staff": _("Đội ngũ"), "schooling": _("Lớp và học sinh"), "fields": _("Bản ghi theo danh mục"),
    "teaching": _("Phân công giảng dạy"), "gradebook": _("Sổ điểm"),
}  # fmt: skip
