"""What this app registers with the kernel: that its public look-up rests on law; its pages are for everybody."""

from django.utils.translation import gettext_lazy as _

from khue.kernel import citing

citing.rests("portal.verify", "page", _("Xác minh học bạ"), ("70/2026/TT-BGDĐT",), "portal:enter")
