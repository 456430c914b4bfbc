"""What this app registers with the kernel: its rights, and which schools lie within a unit on a day."""

from khue.kernel.permissions import loading
from khue.register.orgs import permissions  # noqa: F401 - declares the rights

loading.SCHOOLS_SQL = (
    "select u.descendant_id from orgs_unitreach u"
    " where u.ancestor_id = %(unit)s and u.is_school and u.valid @> %(day)s::date"
)
