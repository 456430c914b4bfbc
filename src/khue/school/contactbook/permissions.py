"""Who opens the family pages."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

OPEN = right("contactbook.open_family", _("Xem việc học của con"), {"guardian": "any", "learner": "any"})
