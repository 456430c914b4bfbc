"""What is in a database, as checksums that come out the same after a faithful restore."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import psycopg
from psycopg import sql

SETTINGS = """
set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'iso_8601'; set extra_float_digits = 1;
set bytea_output = 'hex'; set client_encoding = 'UTF8'; set row_security = off; set search_path = public;
"""

TABLES = """
select c.relname, coalesce((
    select array_agg(a.attname::text order by k.position)
    from pg_index i cross join unnest(i.indkey::int2[]) with ordinality as k(number, position)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
    where i.indrelid = c.oid and i.indisprimary), '{}')
from pg_class c
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
order by c.relname collate "C"
"""

SEQUENCES = (
    "select sequencename from pg_sequences where schemaname = 'public' order by sequencename collate \"C\""
)

SCHEMA = {
    "columns": """
        select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated::text,
               a.attidentity::text, pg_get_expr(d.adbin, d.adrelid)
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0
              and not a.attisdropped""",
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and contype <> 'n'""",
    "indexes": "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'",
    "triggers": """
        select t.tgrelid::regclass::text, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text from pg_trigger t
        join pg_class c on c.oid = t.tgrelid
        where not t.tgisinternal and c.relnamespace = 'public'::regnamespace""",
    "policies": """
        select tablename, policyname, permissive, roles::text, cmd, qual, with_check from pg_policies
        where schemaname = 'public'""",
    "row security": """
        select relname, relrowsecurity, relforcerowsecurity from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')""",
    "grants": """
        select c.relname, g.grantee::regrole::text, g.privilege_type from pg_class c, aclexplode(c.relacl) g
        where c.relnamespace = 'public'::regnamespace and g.grantee <> c.relowner and g.grantee <> 0""",
    "functions": """
        select proname, pg_get_function_arguments(oid), pg_get_functiondef(oid) from pg_proc
        where pronamespace = 'public'::regnamespace and prokind in ('f', 'p')""",
    "partitions": """
        select inhparent::regclass::text, inhrelid::regclass::text, pg_get_expr(c.relpartbound, c.oid)
        from pg_inherits join pg_class c on c.oid = inhrelid where c.relispartition and c.relkind = 'r'""",
}


def describe(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Return the checksums of what the connection's transaction sees: tables, sequences, schema.

    The connection is the owner's: row-level security must not hide a row, and the server refuses
    (`row_security = off`) where it would.
    """
    connection.execute(SETTINGS)
    tables = {name: _table(connection, name, key) for name, key in connection.execute(TABLES).fetchall()}
    schema = {
        kind: _digest(_plain(kind, connection.execute(query).fetchall())) for kind, query in SCHEMA.items()
    }
    return {"tables": tables, "sequences": sequences(connection), "schema": schema}


def sequences(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """Return where each sequence stands now; sequences know no snapshot, they only go on."""
    found = {}
    for (name,) in connection.execute(SEQUENCES).fetchall():
        query = sql.SQL("select last_value, is_called from {}").format(sql.Identifier("public", name))
        found[name] = list(connection.execute(query).fetchone() or ())
    return found


def _table(connection: psycopg.Connection[Any], name: str, key: list[str]) -> dict[str, Any]:
    """Return number of rows and SHA-256 over the rows in the order of the primary key, as COPY writes them."""
    order: list[sql.Composable] = [sql.Identifier(column) for column in key] or [sql.SQL("t::text")]
    query = sql.SQL("copy (select * from {} t order by {}) to stdout").format(
        sql.Identifier(name), sql.SQL(", ").join(order)
    )
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        with cursor.copy(query) as copy:
            for block in copy:
                digest.update(block)
        return {"rows": cursor.rowcount, "sha256": digest.hexdigest()}


def _plain(kind: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows without the casts and brackets that the server puts anew when it reads an expression.

    A list of texts comes back as `ARRAY[('a')::text]` where `(ARRAY['a'])::text[]` was; functions and
    names are kept to the letter.
    """
    if kind == "functions":
        return rows
    return [tuple(_noise.sub("", v) if isinstance(v, str) else v for v in row) for row in rows]


_noise = re.compile(r"::(character varying|text|bpchar)(\[\])?|[()\s]")


def _digest(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    lines = sorted(json.dumps(row, ensure_ascii=True, default=str) for row in rows)
    return {"rows": len(lines), "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return a line for each table, sequence or part of the schema that is not what it was.

    A sequence may stand further than it did: numbers were drawn while the backup was made.
    """
    lines = []
    for part in ("tables", "sequences", "schema"):
        for name in sorted(expected[part].keys() | found[part].keys()):
            was, now = expected[part].get(name), found[part].get(name)
            went_on = part == "sequences" and None not in (was, now) and now >= was
            if was != now and not went_on:
                lines.append(f"{part} {name}: {_short(was)} became {_short(now)}")
    return lines


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['rows']} rows {value['sha256'][:12]}"
    return "nothing" if value is None else str(value)
