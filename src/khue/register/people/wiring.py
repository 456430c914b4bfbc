"""What this app registers with the kernel: whose files a guardian or learner sees, and the family relations."""

from django.utils.translation import gettext_lazy as _

from khue.kernel import homes, menus
from khue.kernel.database import guards
from khue.kernel.database.known import known_row_sql
from khue.kernel.permissions import loading, relation
from khue.register.people import permissions  # noqa: F401 - declares the rights
from khue.register.people.doubles import finding, moving, ties, work  # noqa: F401 - work declares its kind of job
from khue.register.people.models import Kinship

homes.declare("people", __file__)
guards.AFTER_TABLES.append(finding.FUNCTIONS)
moving.COLUMNS.add("accounts_account", "person_id")
moving.COLUMNS.add("files_storedfile", "person_id")

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
# A guardian with children in two schools has her file in one of them: who sees a learner's file sees the names of all
# her guardians, and how they are related to her, by this.
guards.AFTER_TABLES.append(
    """
    create or replace function khue_ties(who bigint) returns jsonb
      language plpgsql stable security definer set search_path = public, pg_temp as $f$
      begin
        return (select coalesce(jsonb_agg(jsonb_build_object('name', g.name, 'relation', k.relation) order by k.relation, k.id), '[]')
          from people_kinship k join people_person g on g.id = k.guardian_id
         where k.learner_id = who and (khue_all() or who = any (khue_people())
            or exists (select 1 from people_person p where p.id = who and p.school_id = any (khue_schools()))));
      end $f$;
    revoke all on function khue_ties(bigint) from public;
    grant execute on function khue_ties(bigint) to khue_app;
    """
)
# The same as it was known at a moment beside what is known now, for the page of a file under two dates.
guards.AFTER_TABLES.append(
    f"""
    create or replace function khue_ties_known(who bigint, moment timestamptz) returns jsonb
      language plpgsql stable security definer set search_path = public, pg_temp as $f$
      begin
        return (select coalesce(jsonb_agg(jsonb_build_object(
            'uid', k.uid, 'name', g.name, 'relation', k.relation, 'may_see', k.may_see, 'valid', k.valid::text, 'learner', k.learner_id,
            'then', case when h.id is not null then jsonb_build_object(
              'name', coalesce((select p.name from people_personhistory p where p.pgh_obj_id = h.guardian_id and p.pgh_created_at < moment
                                 order by p.pgh_id desc limit 1), g.name),
              'relation', h.relation, 'may_see', h.may_see, 'valid', h.valid::text, 'learner', h.learner_id) end) order by k.id), '[]')
          from people_kinship k join people_person g on g.id = k.guardian_id
          left join lateral {known_row_sql(Kinship, "id, guardian_id, learner_id, relation, may_see, valid", "k", "moment")} h on true
         where k.learner_id = who and (khue_all() or who = any (khue_people())
            or exists (select 1 from people_person p where p.id = who and p.school_id = any (khue_schools()))));
      end $f$;
    revoke all on function khue_ties_known(bigint, timestamptz) from public;
    grant execute on function khue_ties_known(bigint, timestamptz) to khue_app;
    """
)
loading.PEOPLE_SQL = "select khue_wards(%(person)s, %(day)s::date) union all select %(person)s"

relation(
    "own_child",
    lambda actor, thing, at: thing is not None and getattr(thing, "learner_id", getattr(thing, "pk", None)) in actor.people,
)
menus.MENU.add("doubles", menus.Entry(_("Hồ sơ nghi trùng"), "people:doubles", "users", "people.propose_merge", sort=62))
