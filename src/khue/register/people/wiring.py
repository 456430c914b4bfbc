"""What this app registers with the kernel: whose files a guardian or learner sees, and the family relations."""

from khue.kernel import homes
from khue.kernel.database import guards
from khue.kernel.permissions import loading, relation
from khue.register.people import permissions  # noqa: F401 - declares the rights

homes.declare("people", __file__)

# The scope is being opened when this is asked, so it must read past it: a function of the owner's, which gives
# the ids of one guardian's wards and nothing else.
guards.AFTER_TABLES.append(
    """
    create or replace function khue_wards(guardian bigint, day date) returns setof bigint
      language plpgsql stable security definer set search_path = public, pg_temp as $f$
      begin
        return query select k.learner_id from people_kinship k
          where k.guardian_id = guardian and k.may_see and k.valid @> day;
      end $f$;
    revoke all on function khue_wards(bigint, date) from public;
    grant execute on function khue_wards(bigint, date) to khue_app;
    """
)
loading.PEOPLE_SQL = "select khue_wards(%(person)s, %(day)s::date) union all select %(person)s"

relation(
    "own_child",
    lambda actor, thing, at: thing is not None and getattr(thing, "learner_id", getattr(thing, "pk", None)) in actor.people,
)
