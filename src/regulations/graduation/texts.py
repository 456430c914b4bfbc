"""What a reader is told for each reason of the graduation exam: code to (Vietnamese, English).

A placeholder with `:h` is a whole number of hundredths, shown with two places.
"""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "results-cancelled": (
        "Kết quả thi đã bị hủy do vi phạm quy chế.",
        "The exam results were cancelled for a breach of the regulation.",
    ),
    "paper-not-above-fail-mark": (
        "Một bài thi hoặc môn thành phần đạt {got:h} điểm; mọi bài phải trên {limit:h} điểm.",
        "A paper or component subject scored {got:h}; each must be above {limit:h}.",
    ),
    "graduation-score-below": (
        "Điểm xét tốt nghiệp là {got:h}, chưa đủ {needed:h}.",
        "The graduation score is {got:h}; {needed:h} is needed.",
    ),
    "graduation-score-reached": (
        "Điểm xét tốt nghiệp là {got:h}, đủ mức {needed:h} và không có bài bị điểm liệt.",
        "The graduation score is {got:h}, at least {needed:h}, and no paper is at the fail mark.",
    ),
    "bonus-capped": (
        "Điểm khuyến khích cộng được {got:h}, chỉ tính tối đa {cap:h}.",
        "Bonus points came to {got:h}; at most {cap:h} count.",
    ),
    "grade-12-not-finished": (
        "Chưa học hết chương trình lớp 12.",
        "Grade 12 has not been finished.",
    ),
    "learning-too-low-for-exam": (
        "Kết quả học tập cả năm lớp 12 chưa đủ điều kiện dự thi.",
        "The learning result of grade 12 does not allow sitting the exam.",
    ),
    "conduct-too-low-for-exam": (
        "Kết quả rèn luyện (hạnh kiểm) cả năm lớp 12 chưa đủ điều kiện dự thi.",
        "The conduct result of grade 12 does not allow sitting the exam.",
    ),
    "may-sit-exam": ("Đủ điều kiện dự thi.", "The conditions for sitting the exam are met."),
    "remark-within-tolerance": (
        "Điểm chấm lại {remark:h} lệch điểm cũ {first:h} chưa đến {needed:h} nên giữ nguyên.",
        "The re-marking gave {remark:h} against {first:h}, less than {needed:h} apart: the mark stands.",
    ),
    "remark-adjusted": (
        "Điểm chấm lại {remark:h} lệch điểm cũ {first:h} từ {needed:h} trở lên nên được điều chỉnh.",
        "The re-marking gave {remark:h} against {first:h}, {needed:h} or more apart: the mark is adjusted.",
    ),
    "remark-needs-dialogue": (
        "Điểm lệch {difference:h}, từ {needed:h} trở lên: hai tổ chấm phải đối thoại và lập biên bản.",
        "The marks differ by {difference:h}, {needed:h} or more: the two panels must meet and keep a minute.",
    ),
    "essay-markings-equal": (
        "Hai lần chấm cho cùng {first:h} điểm.",
        "Both markings gave {first:h}.",
    ),
    "essay-to-agree": (
        "Hai lần chấm cho {first:h} và {second:h} điểm; hai cán bộ chấm cần thống nhất điểm.",
        "The markings gave {first:h} and {second:h}; the two markers must settle the mark.",
    ),
    "essay-agreed": (
        "Hai lần chấm cho {first:h} và {second:h} điểm; điểm đã được thống nhất.",
        "The markings gave {first:h} and {second:h}; the mark was settled between them.",
    ),
    "essay-needs-third-marker": (
        "Hai lần chấm lệch nhau {difference:h} điểm; cần người chấm thứ ba.",
        "The markings differ by {difference:h}; a third marker is needed.",
    ),
    "essay-two-of-three": (
        "Hai trong ba lần chấm cùng cho {third:h} điểm.",
        "Two of three markings gave {third:h}.",
    ),
    "essay-mean-of-three": (
        "Ba lần chấm cho {first:h}, {second:h} và {third:h} điểm; lấy trung bình {mean:h}.",
        "Three markings gave {first:h}, {second:h} and {third:h}; their mean is {mean:h}.",
    ),
    "essay-needs-panel": (
        "Ba lần chấm lệch nhau đến {spread:h} điểm; cần chấm tập thể.",
        "Three markings are {spread:h} apart; the whole panel must mark.",
    ),
    "essay-marked-by-panel": (
        "Ba lần chấm lệch nhau nhiều; lấy điểm chấm tập thể.",
        "Three markings were far apart; the panel's mark counts.",
    ),
}
