"""What this app registers with the kernel: whose files a guardian or learner sees, and the family relations."""

from khue.kernel.permissions import loading, relation
from khue.register.people import permissions  # noqa: F401 - declares the rights

loading.PEOPLE_SQL = (
    "select k.learner_id from people_kinship k"
    " where k.guardian_id = %(person)s and k.may_see and k.valid @> %(day)s::date"
    " union all select %(person)s"
)

relation(
    "own_child",
    lambda actor, thing, at: thing is not None and getattr(thing, "learner_id", getattr(thing, "pk", None)) in actor.people,
)
