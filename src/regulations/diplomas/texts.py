"""What a reader is told for each reason of diplomas: code to (Vietnamese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "entry-numbers-missing": (
        "Sổ gốc thiếu {count} số vào sổ: {numbers}.",
        "{count} entry numbers are missing from the register: {numbers}.",
    ),
    "entry-numbers-twice": (
        "Có {count} số vào sổ bị dùng hai lần: {numbers}.",
        "{count} entry numbers are used twice: {numbers}.",
    ),
    "entry-numbers-low": (
        "Có {count} số vào sổ nhỏ hơn 1: {numbers}.",
        "{count} entry numbers are below 1: {numbers}.",
    ),
    "entry-numbers-run-on": (
        "{count} số vào sổ liên tục từ 1.",
        "{count} entry numbers run on from 1.",
    ),
    "blanks-do-not-balance": (
        "Phôi không khớp: có {came_in}, đã tính được {accounted}, chênh {difference}.",
        "Blanks do not balance: {came_in} came in, {accounted} are accounted for, {difference} apart.",
    ),
    "blanks-balance": (
        "Phôi khớp: {came_in} phôi đều có nơi đến.",
        "Blanks balance: all {came_in} are accounted for.",
    ),
    "issuers-error-reissue": (
        "Sai do cơ quan cấp: cấp lại bằng phôi mới, thu hồi và hủy bản cũ.",
        "The issuer's error: a new blank is issued, the old one recovered and cancelled.",
    ),
    "correction-papers-lacking": (
        "Hồ sơ chỉnh sửa còn thiếu: {papers}.",
        "The file still lacks: {papers}.",
    ),
    "correction-by-decision": (
        "Ra quyết định chỉnh sửa và ghi sổ gốc; văn bằng giữ nguyên, dùng kèm quyết định.",
        "A decision corrects and the register notes it; the diploma stands and is used with the decision.",
    ),
    "revoked-on-ground": (
        "Thu hồi, hủy bỏ văn bằng theo quyết định.",
        "The diploma is revoked by decision.",
    ),
}
