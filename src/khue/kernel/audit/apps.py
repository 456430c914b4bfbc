"""Who did what, when, why."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """Acts and looks."""

    name = "khue.kernel.audit"
    label = "audit"
    verbose_name = _("Nhật ký")

    def ready(self) -> None:
        """Offer the function that counts looks."""
        from khue.kernel.database import guards

        guards.AFTER_TABLES.append(LOOKED)


# Who looks need not be able to read who else looked, so the owner's function counts; it adds and nothing else.
LOOKED = """
create or replace function khue_looked(account bigint, actor text, acting_role text, moment timestamptz, day date,
                                       people bigint[], parts text[], schools bigint[])
  returns void language plpgsql security definer set search_path = public, pg_temp as $f$
  begin
    insert into audit_look as l (account_id, actor_name, role, person_id, school_id, what, "on", first_at, last_at, count)
    select account, actor, acting_role, t.p, t.s, t.w, day, moment, moment, 1 from unnest(people, parts, schools) as t(p, w, s)
    on conflict (person_id, account_id, role, what, "on")
    do update set last_at = excluded.last_at, count = l.count + 1;
  end $f$;
revoke all on function khue_looked(bigint, text, text, timestamptz, date, bigint[], text[], bigint[]) from public;
grant execute on function khue_looked(bigint, text, text, timestamptz, date, bigint[], text[], bigint[]) to khue_app;
"""
