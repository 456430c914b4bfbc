"""The standard's scopes this platform gives; a token names those its client was granted."""

SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
CORE, FULL, DEMOGRAPHIC, MARKS = (SCOPE + name for name in ("roster-core.readonly", "roster.readonly", "roster-demographics.readonly", "gradebook.readonly"))
SCOPES = {
    CORE: "Đọc trường, lớp, người và xếp lớp (OneRoster)", FULL: "Đọc mọi dữ liệu xếp lớp (OneRoster)",
    DEMOGRAPHIC: "Đọc ngày sinh, giới tính (OneRoster)", MARKS: "Đọc điểm (OneRoster)",
}  # fmt: skip
