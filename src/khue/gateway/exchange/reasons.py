"""What is said about a row or a cell: one code, one sentence a clerk understands."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(NamedTuple):
    """Why a row is refused, asked about or noted: a code of TEXTS, the column it is about, its facts."""

    code: str
    field: str = ""
    facts: tuple[tuple[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the form kept in the database."""
        return {"code": self.code, "field": self.field, "facts": dict(self.facts)}


def reason(code: str, field: str = "", /, **facts: Any) -> Reason:
    """Return a Reason; the code must be known."""
    assert code in TEXTS, code
    return Reason(code, field, tuple(facts.items()))


def sentence(code: str, facts: dict[str, Any]) -> str:
    """Return the sentence of a reason in the reader's language."""
    text = str(TEXTS[code])
    try:
        return text % facts
    except (KeyError, TypeError, ValueError):
        return text


TEXTS: dict[str, str | Promise] = {
    # cells
    "missing": _("Thiếu %(title)s."),
    "too-long": _("%(title)s dài quá %(most)s ký tự."),
    "not-a-name": _("“%(text)s” không giống họ tên người."),
    "not-a-date": _("“%(text)s” không phải ngày; hãy ghi dạng ngày/tháng/năm, ví dụ 05/09/2012."),
    "date-future": _("Ngày sinh %(text)s ở tương lai."),
    "date-too-old": _("Ngày sinh %(text)s quá xa."),
    "date-partial": _("Ngày sinh mới có %(known)s; sẽ ghi là chưa đủ."),
    "not-a-sex": _("“%(text)s” không rõ là Nam hay Nữ."),
    "not-a-number": _("Số định danh cá nhân phải có đúng 12 chữ số; ô này có “%(text)s”."),
    "number-padded": _("Excel đã bỏ số 0 ở đầu số định danh; đã thêm lại."),
    "number-doubt": _("Số định danh không khớp với %(what)s; hãy đối chiếu giấy khai sinh."),
    "not-a-phone": _("“%(text)s” không phải số điện thoại."),
    "not-an-email": _("“%(text)s” không phải địa chỉ thư điện tử."),
    "not-in-list": _("“%(text)s” không có trong danh mục %(list)s."),
    "not-whole": _("“%(text)s” không phải số nguyên."),
    "not-a-code": _("“%(text)s” không phải mã định danh hợp lệ (sai số kiểm tra)."),
    "mark": _("%(cell)s: %(text)s"),
    "formula": _("Ô %(cell)s là công thức; đã lấy giá trị lưu lần cuối."),
    # rows
    "twin-code": _("Trùng mã định danh với dòng %(row)s."),
    "twin-number": _("Trùng số định danh cá nhân với dòng %(row)s."),
    "twin-name": _("Trùng họ tên, ngày sinh và lớp với dòng %(row)s."),
    "twin-row": _("Cùng chỉ một hồ sơ với dòng %(row)s."),
    "twin-class": _("Trùng tên lớp với dòng %(row)s."),
    "no-class": _("Năm học này trường chưa có lớp “%(text)s”; hãy nhập danh sách lớp trước."),
    "grade-outside": _("Trường không dạy khối %(grade)s."),
    "no-grade": _("Không biết lớp “%(text)s” thuộc khối nào; hãy thêm cột Khối."),
    "grade-changed": _("Lớp %(text)s đã có ở khối %(grade)s; khối của lớp không đổi được."),
    "age": _("Học sinh %(age)s tuổi, thường học khối %(grade)s ở tuổi %(usual)s; hãy xem lại ngày sinh."),
    "code-unknown": _("Mã định danh %(code)s không có trong tỉnh."),
    "code-other-province": _("Mã định danh %(code)s của tỉnh khác. Nếu đúng là học sinh mới chuyển đến, hãy chọn “Giữ mã của tỉnh khác”."),
    "code-other-school": _("Mã định danh %(code)s đang thuộc %(school)s; hãy làm thủ tục chuyển trường."),
    "number-other-school": _("Số định danh cá nhân này đang thuộc một hồ sơ của %(school)s; nếu là cùng một em, hãy làm thủ tục chuyển trường."),
    "number-differs": _("Số định danh cá nhân khác với số đã lưu của %(code)s; hãy sửa ở trang hồ sơ."),
    "number-of-other": _("Số định danh cá nhân này là của %(code)s, không phải của mã trong dòng."),
    "same-name": _("Trường đã có em cùng họ tên, ngày sinh ở lớp %(group)s (mã %(code)s). Nếu là một em, hãy ghi mã vào dòng này."),
    "several": _("Có %(count)s hồ sơ cùng họ tên, ngày sinh; hãy ghi mã định danh vào dòng này."),
    "merged": _("Hồ sơ %(code)s đã được gộp vào hồ sơ khác."),
    "moved-meanwhile": _("Trong lúc chờ, hồ sơ của dòng này đã được người khác sửa; hãy kiểm tra lại tệp."),
    "left": _("%(code)s đã rời lớp (%(why)s); hãy xếp lớp lại ở trang hồ sơ."),
    "no-teacher": _("Chưa có giáo viên “%(text)s” ở trường; hãy nhập danh sách đội ngũ, hoặc chọn “Tạo giáo viên còn thiếu”."),
    "several-teachers": _("Trường có %(count)s người tên “%(text)s”; hãy ghi mã định danh."),
    "homeroom-twice": _("%(name)s đã chủ nhiệm lớp %(group)s."),
    "no-subject": _("Không nhận ra môn “%(text)s”; hãy chọn môn tương ứng ở bước ghép."),
    "subject-not-in-grade": _("Chương trình khối %(grade)s không có môn %(subject)s."),
    "not-periods": _("“%(text)s” không phải danh sách lớp (số tiết), ví dụ 10A1(2), 10A2(2)."),
    "class-twice": _("Lớp %(group)s ghi hai lần; đã cộng số tiết (%(sum)s)."),
    "position-kept": _("Người này đang giữ chức vụ %(position)s."),
    "teacher-elsewhere": _("Mã định danh %(code)s đang công tác ở %(school)s."),
    "no-learner": _("Lớp không có học sinh “%(text)s”."),
    "several-learners": _("Lớp có %(count)s em tên “%(text)s”; hãy ghi mã định danh."),
    "register-locked": _("Sổ điểm đã khoá; hãy làm đề nghị sửa điểm."),
    "nothing-to-write": _("Dòng này không có ô nào để ghi."),
    # the file as a whole
    "other-year": _("Tệp ghi năm học %(said)s, còn bạn đang nhập cho năm học %(chosen)s."),
    "other-school": _("Tệp ghi “%(said)s”, còn bạn đang nhập cho %(school)s."),
    "other-code": _("Tệp có %(count)s dòng mang mã trường %(said)s, không phải mã của %(school)s."),
    "column-unread": _("Cột %(title)s: %(count)s trên %(total)s dòng không đọc được; có thể các cột bị ghép nhầm hoặc đổi chỗ."),
    "column-same": _("Cột %(title)s: %(count)s trên %(total)s dòng cùng ghi “%(text)s”; có thể các cột bị ghép nhầm hoặc đổi chỗ."),
    "names-shifted": _("%(count)s trên %(total)s người đã có hồ sơ mang họ tên khác trong tệp; có thể một cột bị sắp xếp riêng hoặc lệch dòng."),
    "part-of-class": _("Lớp %(group)s đang có %(count)s em, tệp thiếu %(absent)s em; các em không có trong tệp được giữ nguyên."),
    # undo
    "changed-since": _("Đã có thay đổi sau khi nhập, giữ nguyên: %(fields)s."),
    "has-marks": _("Đã có điểm, không hoàn tác được."),
    "in-use": _("Đang được dùng ở %(what)s, không hoàn tác được."),
}
