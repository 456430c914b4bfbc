"""What a reader is told for each reason of admission: code to (Vietnamese, English); `:h` is hundredths."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "admission-papers": (
        "Tổng điểm {count} bài thi là {total:h}.",
        "The {count} papers come to {total:h}.",
    ),
    "admission-priority": (
        "Được cộng {points:h} điểm ưu tiên (chỉ tính diện cao nhất).",
        "{points:h} priority points are added (the highest group only).",
    ),
    "admission-incentive": (
        "Được cộng {points:h} điểm khuyến khích (chỉ tính giải cao nhất).",
        "{points:h} incentive points are added (the best prize only).",
    ),
    "paper-below-minimum": (
        "Một bài thi được {got:h} điểm, thấp hơn mức tối thiểu {needed:h}.",
        "A paper scored {got:h}, below the minimum of {needed:h}.",
    ),
    "zero-paper-disqualifies": (
        "Có bài thi bị điểm 0 nên không đủ điều kiện trúng tuyển.",
        "A paper scored 0, which bars admission.",
    ),
    "direct-admission": (
        "Thuộc diện tuyển thẳng.",
        "Belongs to a group admitted directly.",
    ),
    "admission-by-score": (
        "Không thuộc diện tuyển thẳng; xét theo điểm.",
        "Not of a group admitted directly; decided by score.",
    ),
    "third-subject-too-often": (
        "Môn này đã được chọn làm môn thứ ba {years} năm liên tiếp; không chọn quá {most} năm liên tiếp.",
        "This subject was the third paper {years} years running; at most {most} are allowed.",
    ),
    "third-subject-allowed": (
        "Môn này đã được chọn {years} năm liên tiếp, chưa quá {most} năm.",
        "This subject was the third paper {years} years running, within the {most} allowed.",
    ),
    "specialised-score": (
        "Các bài chung {common:h} điểm, bài môn chuyên {special:h} điểm nhân hệ số {coefficient}.",
        "Common papers {common:h}, specialised paper {special:h} times {coefficient}.",
    ),
    "specialised-paper-not-above-floor": (
        "Một bài thi được {got:h} điểm; mọi bài phải trên {limit:h} điểm.",
        "A paper scored {got:h}; each must be above {limit:h}.",
    ),
    "specialised-year-below": (
        "Có năm học ở cấp trung học cơ sở chưa đạt mức Khá về học tập hoặc rèn luyện.",
        "A lower-secondary year is below Khá in learning or conduct.",
    ),
    "not-eligible-for-admission": (
        "Không đủ điều kiện xét tuyển.",
        "Does not meet the conditions for admission.",
    ),
    "wish-granted": (
        "Nguyện vọng {wish}: trúng tuyển {school} với {score:h} điểm (điểm chuẩn {cutoff:h}).",
        "Wish {wish}: admitted to {school} with {score:h} (cut-off {cutoff:h}).",
    ),
    "wish-below-cutoff": (
        "Nguyện vọng {wish}: {school} lấy từ {cutoff:h} điểm, em có {score:h} điểm.",
        "Wish {wish}: {school} admitted from {cutoff:h}; the score is {score:h}.",
    ),
    "wish-tie-lost": (
        "Nguyện vọng {wish}: bằng điểm chuẩn {cutoff:h} của {school} nhưng xếp sau theo tiêu chí phụ đã công bố.",
        "Wish {wish}: equal to the cut-off {cutoff:h} of {school} but behind by the published tie rules.",
    ),
    "wish-below-floor": (
        "Nguyện vọng {wish}: chưa đạt điểm sàn của {school}.",
        "Wish {wish}: below the least score {school} admits.",
    ),
    "wish-no-places": (
        "Nguyện vọng {wish}: {school} không nhận được ai (không có chỉ tiêu hoặc bằng điểm quá chỉ tiêu).",
        "Wish {wish}: {school} admitted nobody (no places, or equals beyond them).",
    ),
    "no-wish-granted": (
        "Không nguyện vọng nào trong {wishes} nguyện vọng được xét trúng tuyển.",
        "None of the {wishes} wishes was granted.",
    ),
}
