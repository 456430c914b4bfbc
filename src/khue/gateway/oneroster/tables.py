"""The standard's collections as SQL over our rows: what each yields, which fields may be filtered and sorted by.

Every statement is bound to the actor's schools twice: by %(schools)s here and by row-level security underneath. `year`
is the school year (2025 is 2025-2026), `day` the day statuses are of. sourcedIds are our outside identifiers; what we
have no row for (a class in one subject, the marks of a line) gets an id made of the rows it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TEXT, DAY, MOMENT, NUMBER, FLAG, MANY = "text", "date", "dateTime", "number", "boolean", "list"


@dataclass(frozen=True, slots=True)
class Table:
    """One collection: its SQL, the standard's field → (column, kind).

    plural, single  the names of the payload; ordered by `id`
    """

    plural: str
    single: str
    sql: str
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)


COMMON = {"sourcedId": ("id", TEXT), "status": ("status", TEXT), "dateLastModified": ("modified", MOMENT)}
_MINE = "(%(all)s or {column} = any(%(schools)s))"


def _mine(column: str) -> str:
    return _MINE.format(column=column)


_DATES = """
select y.year, coalesce(lower(s.valid), make_date(y.year, 9, 5)) as begins, coalesce(upper(s.valid) - 1, make_date(y.year + 1, 5, 31)) as ends,
       coalesce(s.second_term_on, make_date(y.year + 1, 1, 15)) as second_on, coalesce(s.changed_at, timestamptz '2000-01-01 00:00:00+00') as modified
  from (select %(year)s::int as year union select year from calendar_schoolyear where year <= %(year)s) y
  left join calendar_schoolyear s on s.year = y.year
"""
SESSIONS = f"""
select y.year::text as id, 'active' as status, y.modified, 'Năm học ' || y.year || '-' || (y.year + 1) as title, 'schoolYear' as type, y.begins as start_date,
       y.ends as end_date, null::text as parent, array[y.year || '-1', y.year || '-2'] as children, y.year + 1 as school_year from ({_DATES}) y
union all
select y.year || '-1', 'active', y.modified, 'Học kỳ I ' || y.year || '-' || (y.year + 1), 'semester', y.begins, y.second_on - 1, y.year::text, '{{}}', y.year + 1 from ({_DATES}) y
union all
select y.year || '-2', 'active', y.modified, 'Học kỳ II ' || y.year || '-' || (y.year + 1), 'semester', y.second_on, y.ends, y.year::text, '{{}}', y.year + 1 from ({_DATES}) y
"""

ORGS = """
select u.uid::text as id, case when u.valid @> %(day)s::date then 'active' else 'tobedeleted' end as status, u.changed_at as modified, u.name,
       case u.kind when 'ministry' then 'national' when 'province' then 'state' when 'district' then 'district' when 'commune' then 'local' else 'school' end as type,
       u.code as identifier, p.uid::text as parent
  from orgs_unit u
  left join orgs_unittie t on t.child_id = u.id and t.relation_no = 0 and t.valid @> %(day)s::date
  left join orgs_unit p on p.id = t.parent_id
 where u.kind <> 'college' and (%(all)s or u.id = any(%(schools)s) or exists (
   select 1 from orgs_unitreach r where r.ancestor_id = u.id and r.descendant_id = any(%(schools)s) and r.valid @> %(day)s::date))
"""

_SUBJECT = """coalesce((select i.name from codes_codeitem i join codes_codelist l on l.id = i.code_list_id
  where l.code = 'subjects' and i.code = a.subject_code and i.valid @> %(day)s::date limit 1), a.subject_code)"""

CLASSES = f"""
select g.uid::text as id, 'active' as status, g.changed_at as modified, g.name as title, g.code as class_code, 'homeroom' as type, g.grade,
       'khoi-' || g.grade as course, u.uid::text as school, array[g.school_year || '-1', g.school_year || '-2'] as terms, ''::text as subject, ''::text as subject_title,
       g.id as group_id
  from schooling_classgroup g join orgs_unit u on u.id = g.school_id
 where g.school_year = %(year)s and not (g.facts ? 'withdrawn') and {_mine("g.school_id")}
union all
select g.uid || '.' || a.subject_code, 'active', greatest(g.changed_at, max(a.changed_at)), g.name || ' ' || max({_SUBJECT}), g.code, 'scheduled', g.grade,
       a.subject_code || '-' || g.grade, u.uid::text, array[g.school_year || '-1', g.school_year || '-2'], a.subject_code, max({_SUBJECT}), g.id
  from schooling_classgroup g join orgs_unit u on u.id = g.school_id join teaching_assignment a on a.class_group_id = g.id and not isempty(a.valid)
 where g.school_year = %(year)s and not (g.facts ? 'withdrawn') and {_mine("g.school_id")}
 group by g.id, g.uid, g.changed_at, g.name, g.code, g.grade, g.school_year, u.uid, a.subject_code
"""

COURSES = f"""
select c.course as id, 'active' as status, max(c.modified) as modified,
       case when c.subject = '' then 'Lớp chủ nhiệm khối ' || c.grade else max(c.subject_title) || ' ' || c.grade end as title, c.course as course_code, c.grade,
       c.subject, max(c.subject_title) as subject_title, max((select coalesce(p.uid, u.uid)::text from orgs_unit u
         left join orgs_unitreach r on r.descendant_id = u.id and r.valid @> %(day)s::date
         left join orgs_unit p on p.id = r.ancestor_id and p.kind = 'province' where u.uid::text = c.school order by p.id nulls last limit 1)) as org
  from ({CLASSES}) c group by c.course, c.grade, c.subject
"""

_ABSORBED = """select a.id, a.changed_at, v.row_id from people_merge m join people_person a on a.id = m.absorbed_id and a.merged_into_id is not null
    join people_mergemove v on v.merge_id = m.id and v."table" = '{table}' and v."column" = '{column}' and v.before is null where m.state = 'done'"""
"""Files that went into another, with the rows they brought there: a system that knows one by its sourcedId is told it is gone."""

_ROLES = f"""
select p.learner_id as person_id, 'student' as role, p.school_id, lower(p.valid) as begins, upper(p.valid) - 1 as ends, p.changed_at as modified,
       (p.valid @> %(day)s::date or lower(p.valid) > %(day)s::date) and p.closed not in ('undone', 'transfer', 'dropout', 'died') as is_active, g.grade
  from schooling_placement p join schooling_classgroup g on g.id = p.class_group_id
 where p.school_year = %(year)s and p.is_main and {_mine("p.school_id")}
union all
select p.person_id, case p.position when 'teacher' then 'teacher' when 'principal' then 'principal' when 'vice_principal' then 'siteAdministrator' else 'aide' end,
       p.school_id, lower(p.valid), upper(p.valid) - 1, p.changed_at, p.valid @> %(day)s::date, null
  from staff_post p where p.valid && daterange(make_date(%(year)s, 8, 1), make_date(%(year)s + 1, 8, 1)) and {_mine("p.school_id")}
union all
select k.guardian_id, case k.relation when 'guardian' then 'guardian' else 'parent' end, p.school_id, lower(k.valid), upper(k.valid) - 1,
       greatest(k.changed_at, p.changed_at), k.valid @> %(day)s::date and p.closed not in ('undone', 'transfer', 'dropout', 'died'), null
  from people_kinship k join schooling_placement p on p.learner_id = k.learner_id
 where p.school_year = %(year)s and p.is_main and {_mine("p.school_id")}
union all
select b.id, 'student', p.school_id, lower(p.valid), upper(p.valid) - 1, b.changed_at, false, g.grade
  from ({_ABSORBED.format(table="schooling_placement", column="learner_id")}) b join schooling_placement p on p.id = b.row_id
  join schooling_classgroup g on g.id = p.class_group_id where p.school_year = %(year)s and p.is_main and {_mine("p.school_id")}
union all
select b.id, case p.position when 'teacher' then 'teacher' when 'principal' then 'principal' when 'vice_principal' then 'siteAdministrator' else 'aide' end,
       p.school_id, lower(p.valid), upper(p.valid) - 1, b.changed_at, false, null
  from ({_ABSORBED.format(table="staff_post", column="person_id")}) b join staff_post p on p.id = b.row_id
 where p.valid && daterange(make_date(%(year)s, 8, 1), make_date(%(year)s + 1, 8, 1)) and {_mine("p.school_id")}
union all
select b.id, case k.relation when 'guardian' then 'guardian' else 'parent' end, p.school_id, lower(k.valid), upper(k.valid) - 1, b.changed_at, false, null
  from ({_ABSORBED.format(table="people_kinship", column="guardian_id")}) b join people_kinship k on k.id = b.row_id
  join schooling_placement p on p.learner_id = k.learner_id where p.school_year = %(year)s and p.is_main and {_mine("p.school_id")}
"""

_STATUS = "case when p.merged_into_id is null and bool_or(r.is_active) then 'active' else 'tobedeleted' end"
_MERGED_INTO = "case when p.merged_into_id is not null then khue_survivor(p.uid)::text end"

USERS = f"""
select p.uid::text as id, {_STATUS} as status, greatest(p.changed_at, max(r.modified)) as modified,
       p.name, p.code as identifier, {_STATUS} = 'active' as enabled, {_MERGED_INTO} as merged_into, array_agg(distinct r.role) as role_names, array_agg(distinct u.uid::text) as orgs,
       min(u.uid::text) filter (where r.is_active) as primary_org, array_remove(array_agg(distinct r.grade), null) as grades,
       case when bool_or(r.role not in ('student', 'parent', 'guardian')) then p.email else '' end as email,
       jsonb_agg(distinct jsonb_build_object('role', r.role, 'org', u.uid, 'begins', r.begins, 'ends', r.ends)) as roles,
       case when bool_or(r.role = 'student') then (select array_agg(distinct g.uid::text) from people_kinship k join people_person g on g.id = k.guardian_id
         where k.learner_id = p.id and k.valid @> %(day)s::date)
       else (select array_agg(distinct l.uid::text) from people_kinship k join people_person l on l.id = k.learner_id
         where k.guardian_id = p.id and k.valid @> %(day)s::date) end as agents
  from ({_ROLES}) r join people_person p on p.id = r.person_id join orgs_unit u on u.id = r.school_id
 where not (p.facts ? 'withdrawn') group by p.id
"""

DEMOGRAPHICS = f"""
select p.uid::text as id, {_STATUS} as status, greatest(p.changed_at, max(r.modified)) as modified, {_MERGED_INTO} as merged_into,
       case when p.born_precision = 'day' then p.born_on end as birth_date,
       case p.sex when '1' then 'male' when '2' then 'female' else 'unspecified' end as sex, p.birth_place, p.nationality
  from ({_ROLES}) r join people_person p on p.id = r.person_id
 where r.role not in ('parent', 'guardian') and not (p.facts ? 'withdrawn') group by p.id
"""

ENROLLMENTS = f"""
select p.uid::text as id, case when p.closed in ('undone', 'transfer', 'dropout', 'died', 'move') then 'tobedeleted' else 'active' end as status, p.changed_at as modified,
       l.uid::text as user_id, g.uid::text as class_id, u.uid::text as school, 'student' as role, false as is_primary, lower(p.valid) as begin_date, upper(p.valid) - 1 as end_date
  from schooling_placement p join schooling_classgroup g on g.id = p.class_group_id join orgs_unit u on u.id = p.school_id join people_person l on l.id = p.learner_id
 where p.school_year = %(year)s and {_mine("p.school_id")}
union all
select p.uid || '.' || s.subject_code, case when p.closed in ('undone', 'transfer', 'dropout', 'died', 'move') then 'tobedeleted' else 'active' end,
       greatest(p.changed_at, s.modified), l.uid::text, g.uid || '.' || s.subject_code, u.uid::text, 'student', false, lower(p.valid), upper(p.valid) - 1
  from schooling_placement p join schooling_classgroup g on g.id = p.class_group_id join orgs_unit u on u.id = p.school_id join people_person l on l.id = p.learner_id
  join (select a.class_group_id, a.subject_code, max(a.changed_at) as modified from teaching_assignment a where a.school_year = %(year)s and not isempty(a.valid)
         group by 1, 2) s on s.class_group_id = g.id
 where p.school_year = %(year)s and {_mine("p.school_id")}
union all
select a.uid::text, case when upper(a.valid) <= %(day)s::date then 'tobedeleted' else 'active' end, a.changed_at, t.uid::text, g.uid || '.' || a.subject_code,
       u.uid::text, 'teacher', true, lower(a.valid), upper(a.valid) - 1
  from teaching_assignment a join schooling_classgroup g on g.id = a.class_group_id join orgs_unit u on u.id = a.school_id
  join staff_post o on o.id = a.post_id join people_person t on t.id = o.person_id
 where a.school_year = %(year)s and not isempty(a.valid) and {_mine("a.school_id")}
union all
select g.uid || '.chu-nhiem', 'active', g.changed_at, t.uid::text, g.uid::text, u.uid::text, 'teacher', true, null, null
  from schooling_classgroup g join orgs_unit u on u.id = g.school_id join staff_post o on o.id = g.homeroom_id join people_person t on t.id = o.person_id
 where g.school_year = %(year)s and not (g.facts ? 'withdrawn') and {_mine("g.school_id")}
"""

CATEGORIES = """
select * from (values ('regular', 'Đánh giá thường xuyên', 1), ('midterm', 'Đánh giá giữa kỳ', 2), ('final', 'Đánh giá cuối kỳ', 3), ('average', 'Trung bình môn học kỳ', 0))
  as c(id, title, weight) cross join (select 'active' as status, timestamptz '2000-01-01 00:00:00+00' as modified) m
"""
_SLOTS = """
select r.id as register_id, r.uid, r.class_group_id, r.school_id, r.subject_code, r.term, r.changed_at, r.locked_at, k.slot, k.category, k.n
  from gradebook_register r cross join lateral (
    select 'r' || i as slot, 'regular' as category, i as n from generate_series(1, r.regular_count) i
    union all select 'm', 'midterm', 0 union all select 'f', 'final', 0 union all select 'a', 'average', 0) k
 where r.school_year = %(year)s and r.kind in ('score', 'level_and_test')
"""
LINE_ITEMS = f"""
select s.uid || '.' || s.slot as id, 'active' as status, s.changed_at as modified,
       (case s.category when 'regular' then 'Thường xuyên ' || s.n when 'midterm' then 'Giữa kỳ' when 'final' then 'Cuối kỳ' else 'Trung bình' end)
         || ', học kỳ ' || s.term as title, s.category, g.uid || '.' || s.subject_code as class_id, u.uid::text as school, %(year)s::text || '-' || s.term as period,
       lower(b.days) as assign_date, upper(b.days) - 1 as due_date
  from ({_SLOTS}) s join schooling_classgroup g on g.id = s.class_group_id join orgs_unit u on u.id = s.school_id
  join lateral (select case when s.term = 1 then daterange(y.begins, y.second_on) else daterange(y.second_on, y.ends + 1) end as days
                  from ({_DATES}) y where y.year = %(year)s) b on true
 where {_mine("s.school_id")}
"""
RESULTS = f"""
select l.uid || '.' || s.slot as id, 'active' as status, l.changed_at as modified, s.uid || '.' || s.slot as line_item, p.uid::text as student,
       g.uid || '.' || s.subject_code as class_id, (l.changed_at at time zone 'Asia/Ho_Chi_Minh')::date as score_date, v.mark as tenths,
       case when v.mark is not null then case when s.locked_at is not null then 'fully graded' else 'partially graded' end
            when l.is_exempt then 'exempt' else 'not submitted' end as score_status
  from ({_SLOTS}) s join gradebook_line l on l.register_id = s.register_id join people_person p on p.id = l.learner_id
  join schooling_classgroup g on g.id = s.class_group_id
  join lateral (select case s.category when 'regular' then l.regular[s.n] when 'midterm' then l.midterm when 'final' then l.final else l.average end as mark) v on true
 where {_mine("l.school_id")} and (v.mark is not null or l.is_exempt)
"""
SCALES = """
select '10' as id, 'active' as status, timestamptz '2000-01-01 00:00:00+00' as modified, 'Thang điểm 10' as title
"""

TABLES: dict[str, Table] = {one.plural: one for one in (
    Table("academicSessions", "academicSession", SESSIONS, {
        **COMMON, "title": ("title", TEXT), "type": ("type", TEXT), "startDate": ("start_date", DAY), "endDate": ("end_date", DAY),
        "parent.sourcedId": ("parent", TEXT), "schoolYear": ("school_year", NUMBER), "children": ("children", MANY),
    }),
    Table("orgs", "org", ORGS, {
        **COMMON, "name": ("name", TEXT), "type": ("type", TEXT), "identifier": ("identifier", TEXT), "parent.sourcedId": ("parent", TEXT),
    }),
    Table("classes", "class", CLASSES, {
        **COMMON, "title": ("title", TEXT), "classCode": ("class_code", TEXT), "classType": ("type", TEXT), "course.sourcedId": ("course", TEXT),
        "school.sourcedId": ("school", TEXT), "terms": ("terms", MANY), "subjectCodes": ("subject", TEXT), "grades": ("grade", NUMBER), "subjects": ("subject_title", TEXT),
    }),
    Table("courses", "course", COURSES, {
        **COMMON, "title": ("title", TEXT), "courseCode": ("course_code", TEXT), "org.sourcedId": ("org", TEXT), "subjectCodes": ("subject", TEXT), "grades": ("grade", NUMBER), "subjects": ("subject_title", TEXT),
    }),
    Table("users", "user", USERS, {
        **COMMON, "identifier": ("identifier", TEXT), "enabledUser": ("enabled", FLAG), "familyName": ("split_part(x.name, ' ', 1)", TEXT),
        "givenName": ("regexp_replace(x.name, '^.* ', '')", TEXT), "email": ("email", TEXT), "role": ("role_names", MANY), "roles.role": ("role_names", MANY),
        "grades": ("grades", MANY), "primaryOrg.sourcedId": ("primary_org", TEXT), "username": ("''::text", TEXT), "middleName": ("x.name", TEXT),
    }),
    Table("demographics", "demographics", DEMOGRAPHICS, {**COMMON, "birthDate": ("birth_date", DAY), "sex": ("sex", TEXT), "cityOfBirth": ("birth_place", TEXT)}),
    Table("enrollments", "enrollment", ENROLLMENTS, {
        **COMMON, "role": ("role", TEXT), "primary": ("is_primary", FLAG), "beginDate": ("begin_date", DAY), "endDate": ("end_date", DAY),
        "user.sourcedId": ("user_id", TEXT), "class.sourcedId": ("class_id", TEXT), "school.sourcedId": ("school", TEXT),
    }),
    Table("categories", "category", CATEGORIES, {**COMMON, "title": ("title", TEXT), "weight": ("weight", NUMBER)}),
    Table("lineItems", "lineItem", LINE_ITEMS, {
        **COMMON, "title": ("title", TEXT), "category.sourcedId": ("category", TEXT), "class.sourcedId": ("class_id", TEXT), "school.sourcedId": ("school", TEXT),
        "gradingPeriod.sourcedId": ("period", TEXT), "assignDate": ("assign_date", DAY), "dueDate": ("due_date", DAY),
    }),
    Table("results", "result", RESULTS, {
        **COMMON, "lineItem.sourcedId": ("line_item", TEXT), "student.sourcedId": ("student", TEXT), "class.sourcedId": ("class_id", TEXT),
        "score": ("x.tenths / 10.0", NUMBER), "scoreStatus": ("score_status", TEXT), "scoreDate": ("score_date", DAY),
    }),
    Table("scoreScales", "scoreScale", SCALES, {**COMMON, "title": ("title", TEXT)}),
)}  # fmt: skip
