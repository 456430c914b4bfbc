"""Why an act on a register is refused."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import DomainError


class RegisterLocked(DomainError):
    """The term's register is closed; a correction goes by the correction procedure."""

    code, status = "gradebook.register-locked", 409
    title = _("Sổ này đã khoá, không sửa trực tiếp được nữa.")
    advice = _("Hãy bấm vào ô cần sửa và chọn “Đề nghị sửa”; giáo viên chủ nhiệm kiểm tra, hiệu trưởng duyệt.")


class RegisterOpen(DomainError):
    """The register is still open: the mark can simply be changed."""

    code, status = "gradebook.register-open", 409
    title = _("Sổ này chưa khoá.")
    advice = _("Hãy sửa thẳng trong sổ.")


class TermClosed(DomainError):
    """The class's term is closed: conduct, comments and absences of it stand."""

    code, status = "gradebook.term-closed", 409
    title = _("Học kỳ này của lớp đã khoá.")
    advice = _("Nếu có sai sót, hãy báo hiệu trưởng để làm thủ tục sửa.")


class Incomplete(DomainError):
    """Something the closing needs is missing. Facts: count, missing (a list of what, see `judging.Missing`)."""

    code, status = "gradebook.incomplete", 409
    title = _("Chưa khoá được: còn thiếu %(count)s mục.")
    advice = _("Danh sách bên dưới ghi rõ em nào, môn nào, còn thiếu gì và ai phụ trách.")


class TermsOpen(DomainError):
    """The year is closed after both terms. Facts: classes."""

    code, status = "gradebook.terms-open", 409
    title = _("Chưa khoá được năm học: còn %(count)s lớp chưa khoá đủ hai học kỳ.")
    advice = _("Các lớp còn thiếu: %(names)s.")


class NothingAssessed(DomainError):
    """No circular assesses this grade in this year here."""

    code, status = "gradebook.no-rules", 422
    title = _("Chưa có quy định đánh giá cho khối %(grade)s năm học này nên chưa mở sổ được.")


class SamePerson(DomainError):
    """A correction is asked, checked and approved by different people."""

    code, status = "gradebook.same-person", 409
    title = _("Người đề nghị, người kiểm tra và người duyệt phải là những người khác nhau.")


class CorrectionEnded(DomainError):
    """The correction does not wait for this step any more."""

    code, status = "gradebook.correction-ended", 409
    title = _("Đề nghị sửa này không còn chờ bước vừa chọn.")
    advice = _("Hãy tải lại trang để xem trạng thái mới.")


class CorrectionOpen(DomainError):
    """The cell has a correction under way."""

    code, status = "gradebook.correction-open", 409
    title = _("Ô này đang có một đề nghị sửa chờ duyệt.")


class SameValue(DomainError):
    """The value asked for is the one there is."""

    code, status = "gradebook.same-value", 422
    title = _("Giá trị mới giống giá trị đang có.")


class TooManyCells(DomainError):
    """One save has more cells than a class has."""

    code, status = "gradebook.too-many-cells", 422
    title = _("Một lần lưu nhiều nhất %(most)s ô; lần này có %(count)s ô.")
