"""Refusals: one class a reason, with a code, a status, a sentence and what to do next.

The API answers with problem details (RFC 9457) and pages with the same sentences; see `khue.web.errors`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal a person can understand. Subclasses set the four class attributes; `facts` fill the texts.

    title and advice are translated sentences with %(name)s for facts.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    title: ClassVar[str | Promise] = _("Việc này chưa thực hiện được.")
    advice: ClassVar[str | Promise] = ""

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code

    @property
    def sentence(self) -> str:
        """Return the title with its facts filled in."""
        return self._fill(self.title)

    @property
    def next_step(self) -> str:
        """Return what to do next, or an empty string."""
        return self._fill(self.advice)

    def _fill(self, text: str | Promise) -> str:
        try:
            return str(text) % self.facts if self.facts else str(text)
        except (KeyError, ValueError, TypeError):
            return str(text)


class NotFound(DomainError):
    """Absent, or not hers to see: both look the same."""

    code, status = "not-found", 404
    title = _("Không tìm thấy trang hoặc hồ sơ này.")
    advice = _("Hãy kiểm tra lại đường dẫn, hoặc tìm theo tên ở ô tìm kiếm phía trên.")


class NotAllowed(DomainError):
    """She may see it but not do this."""

    code, status = "not-allowed", 403
    title = _("Vai trò đang chọn không có quyền làm việc này.")
    advice = _("Hãy đổi vai trò ở góc trên bên phải, hoặc hỏi lãnh đạo trường.")


class SecondFactorNeeded(DomainError):
    """The act needs a sign-in with a second factor."""

    code, status = "second-factor-needed", 403
    title = _("Việc này cần xác thực hai bước.")
    advice = _("Hãy bật xác thực hai bước trong trang Tài khoản rồi đăng nhập lại.")


class Stale(DomainError):
    """Somebody else changed it in between. Facts: mine, theirs, who, when."""

    code, status = "stale", 409
    title = _("Người khác vừa thay đổi nội dung này.")
    advice = _("Hãy xem giá trị mới rồi quyết định giữ giá trị nào.")


class Invalid(DomainError):
    """The input breaks a rule. Facts: `fields` maps a field to its sentences."""

    code, status = "invalid", 422
    title = _("Một số nội dung chưa đúng.")
    advice = _("Hãy sửa các ô được đánh dấu.")


class Busy(DomainError):
    """A lock was not to be had in time; repeating the same request is harmless."""

    code, status = "busy", 503
    title = _("Hệ thống đang bận ở đúng chỗ này.")
    advice = _("Hãy bấm lại sau vài giây; nội dung đã nhập vẫn còn.")
