"""Building the actor of a request: one statement reads her grants, her place and opens the row-level scope.

What lies within a unit and who is whose child are facts of higher apps; they register the SQL for it
(`SCHOOLS_SQL`, `PEOPLE_SQL`) in their AppConfig.ready().
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from khue.kernel.permissions.actors import Actor

SCHOOLS_SQL = "select null::bigint where false and %(unit)s is null and %(day)s is null"
"""A select of the ids of the schools within unit `g.unit_id` on `%(day)s`; set by register.orgs."""

PEOPLE_SQL = "select null::bigint where false and %(person)s is null and %(day)s is null"
"""A select of the ids of the people whose files `account.person_id` may see in a family role; set by register.people."""

_STATEMENT = """
with mine as (
  select g.id, r.code, r.name as role_name, r.tier, r.sort, g.unit_id, g.unit_name, a.name, a.person_id,
         r.added_rights, r.removed_rights, a.password,
         case when r.tier in ('province', 'ministry') then null
              when r.tier in ('school', 'commune') or r.code = 'partner_system' then coalesce((select array_agg(s) from ({schools}) as t(s)), '{{}}')
              else '{{}}' end as schools,
         case when r.tier = 'family' then coalesce((select array_agg(p) from ({people}) as t(p)), '{{}}')
              else '{{}}' end as people
    from permissions_grant g
    join permissions_role r on r.id = g.role_id
    join accounts_account a on a.id = g.account_id
   where g.account_id = %(account)s and g.valid @> %(day)s::date and a.is_active
),
chosen as (select * from mine order by (id = %(grant)s) desc, sort, id limit 1),
scope as (
  select set_config('khue.all', case when schools is null then 'on' else '' end, {local}) as a,
         set_config('khue.schools', coalesce(array_to_string(schools, ','), ''), {local}) as b,
         set_config('khue.people', coalesce(array_to_string(people, ','), ''), {local}) as c,
         set_config('khue.account', %(account)s::text, {local}) as d
    from chosen
)
select mine.*, mine.id = chosen.id from mine, chosen{scope} order by mine.sort, mine.id
"""


class StaleSession(Exception):
    """The session was opened with a password the account no longer has."""


def _is_current(password: str, session_hash: str) -> bool:
    """Return whether a session's hash is the one of this password, as `django.contrib.auth` makes it."""
    from khue.kernel.accounts.models import Account

    return constant_time_compare(Account(password=password).get_session_auth_hash(), session_hash)


def local_day(at: datetime) -> date:
    """Return the day in Vietnam at this moment."""
    return timezone.localtime(at).date()


def load(
    account_id: int, grant_id: int | None, *, at: datetime, is_strong: bool, request_id: str = "",
    open_scope: bool = False, session_hash: str | None = None,
) -> tuple[Actor | None, list[Actor]]:  # fmt: skip
    """Return (the actor she acts as, all she may act as); (None, []) when she holds no role today.

    grant_id    the grant she chose; where it ended or is not hers, the first of hers by the roles' order
    open_scope  set the row-level scope of the open transaction to the chosen grant's
    session_hash  what the session keeps of the password; raises StaleSession when the password is another now
    """
    day = local_day(at)
    statement = _STATEMENT.format(
        schools=SCHOOLS_SQL.replace("%(unit)s", "g.unit_id"),
        people=PEOPLE_SQL.replace("%(person)s", "a.person_id"),
        local="true",
        scope=", scope" if open_scope else "",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"account": account_id, "grant": grant_id or 0, "day": day})
        rows = cursor.fetchall()
    if rows and session_hash is not None and not _is_current(rows[0][11], session_hash):
        raise StaleSession
    actors, chosen = [], None
    for row in rows:
        actor = Actor(
            account_id=account_id, grant_id=row[0], role=row[1], role_name=row[2], unit_id=row[5], unit_name=row[6],
            name=row[7], person_id=row[8], added_rights=frozenset(row[9]), removed_rights=frozenset(row[10]),
            schools=None if row[12] is None else frozenset(row[12]), people=frozenset(row[13]),
            is_strong=is_strong, request_id=request_id,
        )  # fmt: skip
        actors.append(actor)
        if row[14]:
            chosen = actor
    return chosen, actors


def actor_of_grant(account_id: int, grant_id: int | None, *, at: datetime, is_strong: bool) -> Actor | None:
    """Return the actor of exactly this grant, or None when it does not hold now."""
    actor, _ = load(account_id, grant_id, at=at, is_strong=is_strong)
    return actor if actor is not None and (grant_id is None or actor.grant_id == grant_id) else None
