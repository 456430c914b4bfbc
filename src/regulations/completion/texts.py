"""What a reader is told for each reason of lower-secondary completion: code to (Vietnamese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "completed-by-diploma": (
        "Đã có bằng tốt nghiệp trung học cơ sở số {number}.",
        "Holds lower-secondary diploma no. {number}.",
    ),
    "completed-by-confirmation": (
        "Học bạ đã xác nhận hoàn thành chương trình trung học cơ sở, số {number}.",
        "The transcript confirms completion of lower secondary, no. {number}.",
    ),
    "evidence-of-wrong-year": (
        "Giấy tờ số {number} không đúng loại dùng cho năm học bắt đầu từ {year}.",
        "Paper no. {number} is not the kind used for the school year beginning in {year}.",
    ),
    "no-evidence-of-completion": (
        "Chưa có bằng hoặc xác nhận hoàn thành chương trình trung học cơ sở.",
        "There is neither a diploma nor a confirmation of lower secondary.",
    ),
    "completion-conditions-met": (
        "Đủ các điều kiện công nhận hoàn thành trung học cơ sở.",
        "All conditions of completing lower secondary are met.",
    ),
    "lower-secondary-rank": (
        "Xếp loại tốt nghiệp theo hạnh kiểm và học lực lớp 9.",
        "The rank follows grade 9's conduct and learning.",
    ),
    "lower-secondary-levels-too-low": (
        "Kết quả học tập hoặc rèn luyện (hạnh kiểm) lớp 9 chưa đạt yêu cầu.",
        "Learning or conduct of grade 9 is too low.",
    ),
    "too-old-to-complete": (
        "Đã {got} tuổi; không quá {most} tuổi theo năm xét.",
        "Aged {got}; at most {most} in the year of recognition.",
    ),
    "too-young-to-complete": (
        "Mới {got} tuổi; học viên giáo dục thường xuyên phải từ {least} tuổi.",
        "Aged {got}; learners of continuing education must be at least {least}.",
    ),
    "no-more-rounds": (
        "Mỗi năm xét nhiều nhất {most} lần.",
        "There are at most {most} rounds a year.",
    ),
    "programme-not-completed": (
        "Chưa học hết chương trình trung học cơ sở.",
        "The lower-secondary programme is not completed.",
    ),
    "dossier-incomplete": ("Hồ sơ chưa đầy đủ.", "The file is not complete."),
    "absences-bar-completion": (
        "Nghỉ {got} buổi trong năm lớp 9; không được quá {most} buổi.",
        "{got} sessions of grade 9 missed; at most {most} are allowed.",
    ),
    "failed-subjects-bar-completion": (
        "Còn {got} môn Chưa đạt.",
        "{got} subjects are still not passed.",
    ),
}
