"""Rights over channels and subscriptions: the province's, with a second factor for what moves data."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

VIEW = right("sync.view", _("Xem tình trạng đồng bộ dữ liệu"), {"province_officer": "any", "province_director": "any", "data_steward": "any"})
MANAGE = right("sync.manage", _("Đặt kênh đồng bộ, gửi, gửi lại"), {"province_officer": "any", "data_steward": "any"}, needs_second_factor=True)
HOOKS = right("sync.webhooks", _("Đăng ký hệ thống nhận sự kiện"), {"data_steward": "any"}, needs_second_factor=True)
