"""What the register tells of a person's time: places, transfers, family, posts, records, what was changed in the file."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from khue.kernel.timeline import PARTS, Part, Telling
from khue.register.fields import annex
from khue.register.people.models import Kinship
from khue.register.schooling.models import Closed, Opened, Transfer
from khue.register.staff.models import Position


def _year(first: int) -> str:
    return f"{first}–{first + 1}"


def _placed(facts: dict[str, Any]) -> Telling:
    what = _("%(why)s: lớp %(name)s") % {"why": Opened(facts["opened"]).label, "name": facts["class"]}
    return Telling(what, f"{facts['school']} · {_year(facts['year'])}", reverse("schooling:class", args=[facts["uid"]]))


def _left(facts: dict[str, Any]) -> Telling:
    why = Closed(facts["closed"]).label if facts["closed"] else _("Hết thời gian xếp lớp")
    return Telling(_("%(why)s: rời lớp %(name)s") % {"why": why, "name": facts["class"]}, facts["school"])


def _transferred(facts: dict[str, Any]) -> Telling:
    state = Transfer.State(facts["state"]).label
    what = _("Chuyển trường: %(first)s → %(second)s") % {"first": facts["from"], "second": facts["to"]}
    return Telling(what, str(state), reverse("schooling:transfer", args=[facts["uid"]]))


def _tied(facts: dict[str, Any]) -> Telling:
    what = _("Ghi phụ huynh: %(relation)s") % {"relation": Kinship.Relation(facts["relation"]).label}
    return Telling(what, facts["name"] or "")


def _posted(facts: dict[str, Any]) -> Telling:
    return Telling(_("Nhận vị trí: %(position)s") % {"position": Position(facts["position"]).label}, facts["school"])


def _unposted(facts: dict[str, Any]) -> Telling:
    return Telling(_("Thôi vị trí: %(position)s") % {"position": Position(facts["position"]).label}, facts["school"])


def _recorded(facts: dict[str, Any]) -> Telling:
    kind = annex.kinds()[facts["kind"]]
    fields = annex.table_of(kind.object).fields
    told = [str(value) for symbol, value in facts["body"].items() if symbol in fields and fields[symbol].type == "string" and value]
    return Telling(kind.title, "; ".join(told[:2]))


def _changed(facts: dict[str, Any]) -> Telling:
    symbols = facts["facts"].get("symbols") or facts["facts"].get("fields") or []
    what = {
        "people.person.create": _("Lập hồ sơ"), "people.person.update": _("Sửa hồ sơ"), "fields.write": _("Sửa các trường dữ liệu"),
    }.get(facts["act"], facts["act"])  # fmt: skip
    detail = _("%(actor)s, vai trò %(role)s") % {"actor": facts["actor"], "role": facts["role"]}
    return Telling(what, f"{detail}: {', '.join(symbols[:12])}" if symbols else detail)


_PLACES = (
    "from schooling_placement p join schooling_classgroup g on g.id = p.class_group_id join orgs_unit u on u.id = p.school_id"
    " where p.learner_id = %(person)s and p.is_main and p.closed <> 'undone' and not isempty(p.valid)"
)


def _records_of(privacy: str) -> str:
    kinds = ", ".join(f"'{kind.code}'" for kind in annex.kinds().values() if kind.is_personal and kind.privacy == privacy)
    return (
        "select lower(r.valid), jsonb_build_object('kind', r.kind, 'body', r.body) from fields_record r"
        f" where r.person_id = %(person)s and r.withdrawn_at is null and r.kind in ({kinds})"
    )


def declare() -> None:
    """Register what this layer tells."""
    PARTS.add("schooling.placed", Part(
        "select lower(p.valid), jsonb_build_object('opened', p.opened, 'class', g.name, 'uid', g.uid, 'school', u.name, 'year', p.school_year) "
        + _PLACES, _placed,
    ))  # fmt: skip
    PARTS.add("schooling.left", Part(
        "select upper(p.valid), jsonb_build_object('closed', p.closed, 'class', g.name, 'school', u.name) " + _PLACES
        + " and upper(p.valid) is not null", _left,
    ))  # fmt: skip
    PARTS.add("schooling.transferred", Part(
        "select t.effective_on, jsonb_build_object('from', a.name, 'to', b.name, 'state', t.state, 'uid', t.uid) from schooling_transfer t"
        " join orgs_unit a on a.id = t.from_school_id join orgs_unit b on b.id = t.to_school_id where t.learner_id = %(person)s", _transferred,
    ))  # fmt: skip
    PARTS.add("people.tied", Part(
        "select lower(k.valid), jsonb_build_object('name', x.name, 'relation', k.relation) from people_kinship k"
        " left join people_person x on x.id = k.guardian_id where k.learner_id = %(person)s", _tied,
    ))  # fmt: skip
    posts = "from staff_post o join orgs_unit u on u.id = o.school_id where o.person_id = %(person)s and not isempty(o.valid)"
    PARTS.add("staff.posted", Part(f"select lower(o.valid), jsonb_build_object('position', o.position, 'school', u.name) {posts}", _posted))
    PARTS.add("staff.unposted", Part(
        f"select upper(o.valid), jsonb_build_object('position', o.position, 'school', u.name) {posts} and upper(o.valid) is not null", _unposted,
    ))  # fmt: skip
    PARTS.add("fields.recorded", Part(_records_of("personal"), _recorded))
    PARTS.add("fields.restricted", Part(_records_of("restricted"), _recorded, right="fields.read_restricted"))
    PARTS.add("audit.changed", Part(
        "select (a.at at time zone 'Asia/Ho_Chi_Minh')::date, jsonb_build_object('act', a.act, 'actor', a.actor_name, 'role', a.role, 'facts', a.facts)"
        " from audit_act a where a.person_id = %(person)s and a.act in ('people.person.create', 'people.person.update', 'fields.write')", _changed,
        right="people.edit_file",
    ))  # fmt: skip


