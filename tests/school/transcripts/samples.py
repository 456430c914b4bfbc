"""Contents of transcripts for tests: invented learners, all parts filled."""

from __future__ import annotations

from typing import Any

from regulations.curriculum import COMPETENCES, QUALITIES

NOTHING = {"code": "", "text": ""}
LONG_NAME = "Công Tằng Tôn Nữ Nguyễn Thị Thanh Hoàng Phương Khuê Trinh Uyên"


def subject(code: str, name: str, **values: str) -> dict[str, str]:
    """Return one subject's row; what is not given is empty."""
    parts = ("kind", "term1", "term2", "year", "retest", "level", "mark", "comment", "teacher")
    return {"code": code, "name": name} | {part: values.get(part, "") for part in parts}


def secondary(**changes: Any) -> dict[str, Any]:
    """Return the content of a grade 7 transcript."""
    tot, kha = {"code": "tot", "text": "Tốt"}, {"code": "kha", "text": "Khá"}
    content: dict[str, Any] = {
        "uid": "019aa7c2-6d1e-7c30-9b52-3f0c2a4d8e11",
        "version": 1,
        "supersedes": None,
        "instrument": "22/2021/TT-BGDĐT",
        "rule_set": "secondary.tt22-2021",
        "rule_version": 1,
        "level": "lower_secondary",
        "school_year": 2025,
        "authority": "Sở Giáo dục và Đào tạo tỉnh Vĩnh Long",
        "school": {
            "code": "86000501",
            "name": "Trường THCS Lê Quí Đôn",
            "commune": "Xã Tân Long Hội",
            "province": "tỉnh Vĩnh Long",
        },
        "class_group": {"name": "7A2", "grade": 7},
        "learner": {
            "code": "8600050112345",
            "name": "Nguyễn Thị Hoàng Yến",
            "sex": "Nữ",
            "born_on": "2013-09-05",
            "birth_place": "Vĩnh Long",
            "ethnic_group": "Kinh",
            "nationality": "Việt Nam",
            "policy": "",
            "address": "Số 12/4, ấp Tân Hoà, xã Tân Long Hội, tỉnh Vĩnh Long",
            "family": [
                {"relation": "Cha", "name": "Nguyễn Văn Được", "occupation": "Nông dân"},
                {"relation": "Mẹ", "name": "Trần Thị Ngọc Ẩn", "occupation": ""},
            ],
        },
        "history": [
            {"school_year": 2024, "class_group": "6A2", "school": "Trường THCS Lê Quí Đôn, tỉnh Vĩnh Long"},
            {"school_year": 2025, "class_group": "7A2", "school": "Trường THCS Lê Quí Đôn, tỉnh Vĩnh Long"},
        ],
        "subjects": [
            subject(
                "ngu_van",
                "Ngữ văn",
                kind="score",
                term1="7.8",
                term2="8.1",
                year="8.0",
                comment="Nắm vững kiến thức; cần rèn cách trình bày.",
                teacher="Phạm Thị Ngọc Bích",
            ),
            subject("toan", "Toán", kind="score", term1="9.0", term2="10.0", year="9.7"),
            subject("giao_duc_the_chat", "Giáo dục thể chất", kind="comment", term1="Đ", term2="Đ", year="Đ"),
            subject(
                "giao_duc_dia_phuong",
                "Nội dung giáo dục của địa phương",
                kind="comment",
                term1="Đ",
                term2="CĐ",
                year="CĐ",
                retest="Đ",
            ),
        ],
        "qualities": [],
        "learning": {"term1": tot, "term2": tot, "year": kha, "retest": NOTHING},
        "conduct": {"term1": tot, "term2": tot, "year": tot, "retest": NOTHING},
        "absences": {"excused": 3, "unexcused": 1},
        "award": NOTHING,
        "promotion": {"code": "len_lop", "text": "Lên lớp"},
        "completion": "",
        "certificates": "",
        "special_comment": "",
        "homeroom_comment": "Em ngoan, lễ phép, chăm học. Cần mạnh dạn hơn khi phát biểu.",
        "approval": "",
        "signers": {"homeroom": "Nguyễn Thị Tuyết Mai", "principal": "Trần Văn Đại"},
        "principal_title": "Hiệu trưởng",
        "place": "Tân Long Hội",
        "drawn_on": "2026-05-29",
    }
    return content | changes


def primary(**changes: Any) -> dict[str, Any]:
    """Return the content of a grade 4 transcript."""
    nothing = {"term1": NOTHING, "term2": NOTHING, "retest": NOTHING}
    content = secondary(
        instrument="27/2020/TT-BGDĐT",
        rule_set="primary.tt27-2020",
        level="primary",
        class_group={"name": "4B", "grade": 4},
        subjects=[
            subject("tieng_viet", "Tiếng Việt", kind="level_and_test", level="T", mark="9"),
            subject("toan", "Toán", kind="level_and_test", level="H", mark="10", comment="Tính toán nhanh."),
            subject("dao_duc", "Đạo đức", kind="level", level="T"),
        ],
        qualities=[
            {"code": item.code, "name": item.name_vi, "kind": item.kind, "level": "Đ", "comment": ""}
            for item in QUALITIES + COMPETENCES
        ],
        learning=nothing | {"year": {"code": "hoan_thanh_tot", "text": "Hoàn thành tốt"}},
        conduct=nothing | {"year": NOTHING},
    )
    return content | changes


def long(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content with everything as long as it may get, and superseding another version."""
    words = "Nắm vững kiến thức, vận dụng tốt; cần rèn thêm cách trình bày khi làm bài. "
    return content | {
        "version": 2,
        "supersedes": {
            "uid": "019aa7c2-0000-7c30-9b52-3f0c2a4d8e11",
            "version": 1,
            "content_sha256": "a" * 64,
            "reason": "Sửa điểm cuối kỳ II theo biên bản ngày 12/6/2026",
        },
        "learner": content["learner"] | {"name": LONG_NAME},
        "school": content["school"]
        | {
            "name": "Trường Trung học cơ sở và Trung học phổ thông Nguyễn Thị Minh Khai – Cơ sở Tân Quới Trung"
        },
        "subjects": [row | {"comment": (words * 13).strip()[:1000]} for row in content["subjects"]] * 3,
        "homeroom_comment": (words * 14).strip()[:1000],
        "special_comment": (words * 14).strip()[:1000],
    }
