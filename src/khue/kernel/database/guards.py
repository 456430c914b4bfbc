"""Make the database hold what the models declare: triggers, grants and row-level security.

Runs as the owner after every `migrate` (and may run at any time): everything is create-or-replace, so it is
also the repair. The application role gets SELECT, INSERT and UPDATE on our tables, no UPDATE on append-only
ones, DELETE only where a model says so, and never TRUNCATE or DDL.
"""

from __future__ import annotations

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from khue.kernel.database.rows import Guard, Row, Scope

APP_ROLE = "khue_app"

FUNCTIONS = r"""
create or replace function khue_fold(t text) returns text
  language sql immutable parallel safe strict as $f$
  select replace(regexp_replace(normalize(lower(normalize(t, NFC)), NFD), '[\u0300-\u036f]', '', 'g'), 'đ', 'd') $f$;

create or replace function khue_all() returns boolean language sql stable parallel safe as
  $f$ select coalesce(current_setting('khue.all', true), '') = 'on' $f$;
create or replace function khue_schools() returns bigint[] language sql stable parallel safe as
  $f$ select string_to_array(nullif(current_setting('khue.schools', true), ''), ',')::bigint[] $f$;
create or replace function khue_people() returns bigint[] language sql stable parallel safe as
  $f$ select string_to_array(nullif(current_setting('khue.people', true), ''), ',')::bigint[] $f$;
create or replace function khue_account() returns bigint language sql stable parallel safe as
  $f$ select nullif(current_setting('khue.account', true), '')::bigint $f$;

create or replace function khue_touch() returns trigger language plpgsql as $f$
begin
  new.version := old.version + 1; new.changed_at := clock_timestamp(); return new;
end $f$;

create or replace function khue_refuse() returns trigger language plpgsql as $f$
begin
  raise exception 'khue: % on % is refused: %', tg_op, tg_table_name, tg_argv[0] using errcode = 'KH001';
end $f$;

create or replace function khue_keep_codes() returns trigger language plpgsql as $f$
declare col text; was text;
begin
  foreach col in array tg_argv loop
    was := to_jsonb(old) ->> col;
    if was is not null and was <> '' and (to_jsonb(new) ->> col) is distinct from was then
      raise exception 'khue: column % of % never changes', col, tg_table_name using errcode = 'KH001';
    end if;
  end loop;
  return new;
end $f$;

-- A row changes its person only along a merge of two files that is being done or undone in this transaction.
create or replace function khue_keep_person() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $f$
declare col text := tg_argv[0]; was bigint := (to_jsonb(old) ->> col)::bigint; wanted bigint := (to_jsonb(new) ->> col)::bigint;
begin
  if was is not null and was is distinct from wanted and not exists (
    select from people_merge m where m.state = 'moving'
       and ((m.absorbed_id = was and m.survivor_id = wanted) or (m.absorbed_id = wanted and m.survivor_id = was))) then
    raise exception 'khue: column % of % changes only when files are merged', col, tg_table_name using errcode = 'KH001';
  end if;
  return new;
end $f$;

create sequence if not exists khue_person_code;
"""

AFTER_TABLES: list[str] = []
"""SQL of higher apps that needs their tables: functions that read past the row-level scope, run at each sync."""


def guarded_models() -> list[type[models.Model]]:
    """Return our concrete, managed models."""
    return [m for m in apps.get_models() if m.__module__.startswith("khue.") and m._meta.managed]


def guard_of(model: type[models.Model]) -> Guard:
    """Return the guard of a model; history tables of pghistory are append-only."""
    if hasattr(model, "pgh_tracked_model"):
        tracked = guard_of(model.pgh_tracked_model)
        scope = tracked.scope
        return Guard(append_only=True, scope=scope and Scope(scope.school, scope.person))
    return getattr(model, "guard", Guard())


def _using(model: type[models.Model], scope: Scope, *, reading: bool) -> str:
    parts = ["(select khue_all())"]
    for column in filter(None, (scope.school, *scope.others)):
        parts.append(f"{column} = any ((select khue_schools())::bigint[])")
    if scope.account:
        parts.append(f"{scope.account} = (select khue_account())")
    if scope.person and (reading or not scope.school):
        parts.append(f"{scope.person} = any ((select khue_people())::bigint[])")
    if scope.person and scope.is_portable and reading:
        table = model._meta.db_table
        parts.append(
            "exists (select 1 from people_person khue_p where khue_p.id = "
            f'"{table}".{scope.person} and khue_p.school_id = any ((select khue_schools())::bigint[]))'
        )
    return " or ".join(parts)


def _policies(model: type[models.Model], scope: Scope) -> list[str]:
    table = model._meta.db_table
    statements = [f'alter table "{table}" enable row level security']
    for name in ("khue_read", "khue_insert", "khue_update", "khue_delete"):
        statements.append(f'drop policy if exists {name} on "{table}"')
    reading, writing = _using(model, scope, reading=True), _using(model, scope, reading=False)
    statements += [
        f'create policy khue_read on "{table}" for select using ({reading})',
        f'create policy khue_insert on "{table}" for insert with check ({"true" if scope.is_log else writing})',
        f'create policy khue_update on "{table}" for update using ({writing}) with check ({writing})',
        f'create policy khue_delete on "{table}" for delete using ({writing})',
    ]
    return statements


def _trigger(table: str, name: str, when: str, function: str, *, each: str = "row") -> list[str]:
    return [
        f'drop trigger if exists {name} on "{table}"',
        f'create trigger {name} before {when} on "{table}" for each {each} execute function {function}',
    ]


def person_columns(model: type[models.Model]) -> list[str]:
    """Return the columns that name whom a kept row is about: they change only when two files are merged."""
    guard = guard_of(model)
    if guard.append_only or model._meta.app_label == "people":  # merges themselves never change whom they are about
        return []
    return [
        field.column
        for field in model._meta.concrete_fields
        if field.column is not None
        and field.remote_field is not None
        and getattr(field.remote_field.model, "_meta", None) is not None
        and field.remote_field.model._meta.label == "people.Person"
        and (field.column in guard.coded or guard.frozen)
    ]


def statements_for(model: type[models.Model]) -> list[str]:
    """Return the SQL that makes one table keep its guard; run twice it changes nothing."""
    guard, table = guard_of(model), model._meta.db_table
    people = person_columns(model)
    rights = ["select", "insert"]
    if not guard.append_only:
        rights.append("update")
    if guard.deletable:
        rights.append("delete")
    result = [
        f'revoke all on "{table}" from {APP_ROLE}',
        f'grant {", ".join(rights)} on "{table}" to {APP_ROLE}',
    ]
    # Trigger names sort by when they must fire: refuse first, touch last.
    if guard.append_only:
        result += _trigger(table, "khue_1_append_only", "update or delete", "khue_refuse('rows are only added')")
        result += _trigger(table, "khue_1_truncate", "truncate", "khue_refuse('rows are only added')", each="statement")
    if guard.coded:
        columns = ", ".join(f"'{column}'" for column in guard.coded if column not in people)
        result += _trigger(table, "khue_1_delete", "delete", "khue_refuse('a coded row is never deleted')")
        result += _trigger(table, "khue_1_truncate", "truncate", "khue_refuse('a coded row is never deleted')", each="statement")
        result += _trigger(table, "khue_2_codes", "update", f"khue_keep_codes({columns})")
    for column in people:
        result += [
            f'drop trigger if exists khue_2_{column} on "{table}"',
            f'create trigger khue_2_{column} before update on "{table}" for each row'
            f" when (old.{column} is distinct from new.{column}) execute function khue_keep_person('{column}')",
        ]
    if guard.frozen:
        kept = ["version", "changed_at", *guard.thawed, *people]
        old = "to_jsonb(old)" + "".join(f" - '{name}'" for name in kept)
        new = "to_jsonb(new)" + "".join(f" - '{name}'" for name in kept)
        function = f"khue_frozen_{table}"
        result.append(
            f"create or replace function {function}() returns trigger language plpgsql as $f$ begin "
            f"if {guard.frozen} and (tg_op = 'DELETE' or {old} is distinct from {new}) then "
            f"raise exception 'khue: a sealed row of {table} does not change' using errcode = 'KH001'; end if; "
            "if tg_op = 'DELETE' then return old; end if; return new; end $f$"
        )
        result += _trigger(table, "khue_3_frozen", "update or delete", f"{function}()")
    if issubclass(model, Row):
        result += _trigger(table, "khue_9_touch", "update", "khue_touch()")
    if guard.scope is not None:
        result += _policies(model, guard.scope)
    else:
        result.append(f'alter table "{table}" disable row level security')
    return result


def sync(connection: BaseDatabaseWrapper) -> None:
    """Apply all guards. The connection must be the owner's; role `khue_app` must exist."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('lock_timeout', '10s', false)")
        cursor.execute(FUNCTIONS)
        cursor.execute(f"grant usage on schema public to {APP_ROLE}")
        cursor.execute(f"grant usage, select on all sequences in schema public to {APP_ROLE}")
        present = set(connection.introspection.table_names(cursor))
        ours = guarded_models()
        theirs = present - {model._meta.db_table for model in ours} - {"django_migrations"}
        for table in sorted(theirs):  # sessions, sign-in, task queue: their libraries know what they do
            cursor.execute(f'grant select, insert, update, delete on "{table}" to {APP_ROLE}')
        if "django_migrations" in present:
            cursor.execute(f"grant select on django_migrations to {APP_ROLE}")
        for model in ours:
            if model._meta.db_table in present:
                for statement in statements_for(model):
                    cursor.execute(statement)
        for statement in AFTER_TABLES:
            cursor.execute(statement)
