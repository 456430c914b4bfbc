"""What this app registers with the kernel: which schools lie within a unit on a day."""

from khue.kernel.permissions import loading

loading.SCHOOLS_SQL = (
    "select u.descendant_id from orgs_unitreach u"
    " where u.ancestor_id = %(unit)s and u.is_school and u.valid @> %(day)s::date"
)
