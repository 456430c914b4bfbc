"""Every operation there is, what it takes, and a request for it that would succeed for whoever may.

An operation is a URL name or an operation of the API with its method; `name[variant]` where one address does
several things. `found()` reads them from the URL resolver, so a new one without a line here fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from khue.kernel.accounts.models import Account
from tests.access import fielding
from tests.access.world import FAMILY, MARKERS, PLACES, World, sheet

Target = dict[str, Any]
Payload = Callable[[World, Target], Any]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"
FILES = ("periods:statement", "sync:file", "oneroster:bundle", "transcripts:copy", "exchange:result", "exchange:ministry:package", "timetable:sheets", "timetable:feed")
"""Operations whose GET gives out a file instead of a page."""


@dataclass(frozen=True)
class Operation:
    """One operation: `thing` names the kind of id it takes, `data` its body, `query` its parameters."""

    name: str
    method: str
    thing: str = "none"
    data: Payload | None = None
    kwargs: dict[str, Any] = field(default_factory=dict)
    query: str = ""

    @property
    def base(self) -> str:
        """Return the name without its variant."""
        return self.name.partition("[")[0]

    @property
    def is_api(self) -> bool:
        """Return whether partner systems call it with their token."""
        return self.name.startswith(("api:", "oneroster:rostering", "oneroster:gradebook"))

    def path(self, target: Target) -> str:
        """Return the address for one target."""
        wanted = PARAMETERS.get(self.base, ())
        values = {name: target[name] for name in wanted if name in target}
        values |= {name: value.format(**target) if isinstance(value, str) else value for name, value in self.kwargs.items()}
        return reverse(self.base, kwargs=values) + self.query.format(**target)


# -- what there is -----------------------------------------------------------------------------------------


def _walk(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield space + (pattern.name or str(pattern.pattern)), pattern
        else:
            yield from _walk(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)


def _parameters() -> dict[str, tuple[str, ...]]:
    """Return the names of the parameters of each URL, those of the prefixes above it too."""
    resolver = get_resolver()
    found = {}
    for name, _pattern in _walk(resolver):
        space, _, last = name.rpartition(":")
        inner = resolver
        for part in filter(None, space.split(":")):
            inner = inner.namespace_dict[part][1]
        for possibility, *_rest in inner.reverse_dict.getlist(last):
            found[name] = tuple(possibility[0][1])
    return found


PARAMETERS = _parameters()


def found() -> dict[str, tuple[str, ...]]:
    """Return every URL name with the methods to ask it: the API says its own, the others are asked all."""
    from khue.web.api import api

    result = {name: METHODS for name, _pattern in _walk(get_resolver()) if not name.startswith("api:")}
    result |= {"api:openapi-json": ("GET",), "api:api-root": ("GET",)}
    for _prefix, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                result[f"api:{operation.operation_id or operation.view_func.__name__}"] = tuple(operation.methods)
    return result


# -- what they take ----------------------------------------------------------------------------------------


def targets(world: World, thing: str, role: str, account: Account | None) -> dict[str, list[Target]]:
    """Return the targets of one kind by letter, as they lie for this role; only letters that make sense."""
    if thing == "none":
        return {"o": [{"own_grant": _grant(account)}]}
    if thing == "reform":
        return {"o": [{"uid": world.reform.uid, "question": world.question.uid}]}
    if thing == "ministry file":
        return {"o": [{"uid": world.ministry.uid}]}
    if thing in ("law.compare", "law.recompute"):
        runs = world.laws[thing]
        return {"o": [{"uid": (runs[account.pk] if account else next(iter(runs.values()))).uid}]}
    if thing == "grant":
        other = next(held["now"] for name, held in world.accounts.items() if name != role)
        return {"o": [{"grant": _grant(account)}], "s": [{"grant": _grant(other)}]}
    if thing == "device":
        return {"s": [{"pk": world.device.pk}]}
    if thing in ("period", "open period", "channel", "sync file", "subscription"):
        row = world.places["o"].rows[thing]
        return {"o": [{"uid": row.uid, "version": getattr(row, "version", 0)}]}
    made = {letter: [one for one in _things(world, thing, letter, role, account) if one] for letter in PLACES}
    if role in FAMILY and thing in ("learner", "learner code") and made["o"]:
        classmate, own = made["o"][1:], made["o"][:1]
        made |= {"o": own, "s": [*classmate, *made["s"]]}
    elif thing in ("learner", "learner code"):
        made["o"] = made["o"][:1]
    if role == "subject_teacher" and thing in ("register", "line"):
        made["s"] += _things(world, f"other {thing}", "o", role, account)
    return {letter: some for letter, some in made.items() if some}


def _grant(account: Account | None) -> int:
    return account.grants.get().pk if account is not None else 0


def _things(world: World, thing: str, letter: str, role: str, account: Account | None) -> list[Target]:
    place = world.places[letter]
    rows, first = place.rows, place.learners[0]
    if thing == "class":
        return [{"uid": place.group.uid, "learner": first.uid, "post": rows["post"].uid}]
    if thing == "closed class":
        return [{"uid": place.closed.uid, "learner": first.uid}]
    if thing == "learner":
        return [{"uid": one.uid, "version": one.version} for one in place.learners]
    if thing == "learner code":
        return [{"code": one.code, "born_on": one.born_on} for one in place.learners]
    if thing in ("register", "line"):
        return [{"uid": rows["toan"].uid, "learner": first.uid}]
    if thing in ("other register", "other line"):
        return [{"uid": rows["ngu_van"].uid, "learner": first.uid}]
    if thing in ("asked correction", "checked correction"):
        return [{"uid": rows[thing.partition(" ")[0]].uid}]
    if thing == "transcript":
        return [{"uid": rows["sealed"].uid}]
    if thing == "draft transcript":
        return [{"uid": rows["draft"].uid}]
    if thing == "token":
        return [{"token": rows["sealed"].token}]
    if thing == "words":
        return [{"words": MARKERS[letter][:-2].lower(), "letter": letter}]
    if thing == "job":
        own = rows.get("jobs", {}).get(account.pk) if account else None
        return [{"uid": (own if letter == "o" and own else rows["job"]).uid}]
    if thing == "school with its classes":
        return [{"uid": place.school.uid}]
    if thing == "family change":
        return [{"uid": rows[thing].uid}]
    if thing == "own family change":
        return [{"uid": rows.get("own change", rows["family change"]).uid}]
    if thing in ("double", "merge", "done merge", "plan"):
        return [{"uid": rows[thing].uid}] if letter != "s" else []
    if thing == "assignment":
        return [{"uid": rows["assignment"].uid, "version": rows["assignment"].version}]
    if thing == "marks batch":
        if letter == "o":
            own = rows["own marks"].get(account.pk) if account else None
            return [{"uid": own.uid}] if own else []
        return [{"uid": (world.places["o"] if letter == "s" else place).rows["marks"].uid}]
    if thing in ("timetable", "draft timetable", "timetable room", "timetable rule", "teacher absence", "calendar link"):
        held = rows.get(thing)  # these are a school's own, so another class of it has none
        if held is None:
            return []
        return [{
            "uid": held.uid, "version": held.version, "token": getattr(held, "token", ""), "lesson": rows["lesson"].uid,
        }]  # fmt: skip
    if thing in fielding.THINGS:
        return fielding.targets(place, thing) if letter != "s" or thing not in ("data of a school", "taken file") else []
    if thing == "bundle":
        own = rows.get("bundles", {}).get(account.pk) if account else None
        return [{"uid": (own if letter == "o" and own else rows["bundle"]).uid}] if letter != "s" else []
    if letter == "s":
        return []
    if thing in ("submission", "waiting submission", "returned submission"):
        held = rows[{"submission": "submission", "waiting submission": "waiting", "returned submission": "returned"}[thing]]
        return [{"uid": held.uid, "version": held.version, "sha256": held.snapshot.sha256}]
    if thing == "board":
        return [{"uid": rows["period"].uid, "submission": rows["submission"].uid, "version": rows["submission"].version}]
    if thing == "commune":
        return [{"uid": place.school.parent_ties.get().parent.uid}]
    if thing == "unit":
        return [{"uid": place.school.uid, "code": place.school.code}]
    if thing == "batch":
        return [{"uid": rows["batch"].uid, "mapping": rows["batch"].mapping, "version": rows["batch"].version}]
    if thing == "transfer":
        return [{"uid": rows["transfer"].uid}]
    raise KeyError(thing)


def absent(target: Target) -> Target:
    """Return the target with an id nothing has."""
    return target | {"uid": uuid4()}


def of_another_kind(world: World, thing: str, target: Target) -> Target:
    """Return the target with the id of something else she may well know."""
    own = world.places["o"]
    return target | {"uid": own.group.uid if "class" not in thing else own.learners[0].uid}


# -- requests ----------------------------------------------------------------------------------------------


def _json(**values: Any) -> Payload:
    """Return a JSON body; a value that is callable gets (world, target)."""

    def body(world: World, target: Target) -> str:
        return json.dumps({name: value(world, target) if callable(value) else value for name, value in values.items()}, default=str)

    return body


def _form(**values: Any) -> Payload:
    """Return the fields of a form; a value that is callable gets (world, target)."""
    return lambda world, target: {name: value(world, target) if callable(value) else value for name, value in values.items()}


def _of(name: str) -> Payload:
    return lambda world, target: target.get(name, "")


def _elsewhere(world: World, target: Target) -> Any:
    return world.elsewhere.uid


def _other_class(world: World, target: Target) -> Any:
    return world.places["s"].group.uid


EMPTY = _form()
REASON = "Ghi sai điểm môn Toán"
CELLS = _form(l=_of("learner"), seen="0", **{"0-r1": "8"})
CONDUCT = _form(l=_of("learner"), v="0", **{"0-level": "tot"})
AWAY = _form(l=_of("learner"), **{"0-m": "K", "0-w": ""})
NEW_LEARNER = _form(name="Lê Văn Mới", born_on="05/09/2013", sex="1")


def _mapping(world: World, target: Target) -> dict[str, Any]:
    return {f"c{column}": code for column, code in target["mapping"].items()} | {"version": target["version"]}


def _pages(name: str, thing: str = "none", *, get: str | None = "", post: Payload | None = None, **kwargs: Any) -> list[Operation]:
    """Return the lines of one address: `get` its parameters (None: it has no GET), `post` its form."""
    variant, address = kwargs.pop("variant", ""), kwargs.pop("post_query", "")
    full = f"{name}[{variant}]" if variant else name
    lines = [Operation(full, "GET", thing, None, kwargs, get)] if get is not None else []
    return lines + ([Operation(full, "POST", thing, post, kwargs, address or get or "")] if post else [])


def _shell() -> list[Operation]:
    return [
        *_pages("home"), *_pages("search", "words", get="?q={words}"), *_pages("my-jobs"), *_pages("job", "job"),
        *_pages("job-stop", "job", get=None, post=EMPTY), *_pages("role", "grant", get=None, post=_form(grant=_of("grant"))),
        *_pages("language", get=None, post=_form(language="en")), *_pages("offline"), *_pages("worker"), *_pages("components"),
        *_pages("activate", post=_form(code="ABCD-EFGH-JKMN", password="mot-mat-khau-dai", again="mot-mat-khau-dai")),
        *_pages("api-unknown", get="", rest="khong-co"),
    ]  # fmt: skip


SIGN_IN = _form(login="khong-ai", password="khong-dung")


def _sign_in() -> list[Operation]:
    """Return the doors of sign-in, of one's own factors and devices, and of other systems."""
    both = (
        "account_change_password", "account_set_password", "account_reauthenticate", "mfa_authenticate", "mfa_reauthenticate",
        "mfa_activate_totp", "mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_add_webauthn",
        "mfa_reauthenticate_webauthn", "mfa_login_webauthn", "usersessions_list", "socialaccount_connections",
        "idp:oidc:authorization", "idp:oidc:device_authorization", "idp:oidc:logout", "idp:oidc:userinfo",
    )  # fmt: skip
    reading = (
        "account_inactive", "account_reset_password", "mfa_index", "mfa_view_recovery_codes", "mfa_download_recovery_codes",
        "mfa_list_webauthn", "socialaccount_login_cancelled", "socialaccount_login_error", "idp:oidc:configuration", "idp:oidc:jwks",
    )  # fmt: skip
    lines = [*_pages("account_login", post=SIGN_IN), *_pages("account_logout", post=EMPTY)]
    for name in both:
        lines += _pages(name, post=EMPTY)
    for name in reading:
        lines += _pages(name)
    for name in ("idp:oidc:token", "idp:oidc:revoke", "idp:oidc:device_code"):
        lines += _pages(name, get=None, post=EMPTY)
    for name in ("openid_connect_login", "openid_connect_callback"):
        lines += _pages(name, post=EMPTY, provider_id="khong-co")
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        lines += _pages(name, "device", post=EMPTY)
    return lines


def _register() -> list[Operation]:
    return [
        *_pages("orgs:tree"), *_pages("orgs:counts"), *_pages("orgs:find", get="?q=truong"), *_pages("orgs:branch", "unit"),
        *_pages("orgs:unit", "unit"), *_pages("orgs:reform", "reform"),
        *_pages("orgs:open", "unit", post=_form(kind="school", name="Trường mới", on="15/11/2025", reason=REASON)),
        *_pages("orgs:rename", "unit", post=_form(name="Tên mới", on="15/11/2025", reason=REASON)),
        *_pages("orgs:move", "unit", post=_form(parent="99902", on="15/11/2025", reason=REASON)),
        *_pages("orgs:attributes", "unit", post=_form(levels="primary", address="Ấp 1", reason=REASON)),
        *_pages("orgs:close", "unit", post=_form(on="15/11/2025", reason=REASON)),
        *_pages("orgs:commune", "unit", post=_form(commune="99902", on="10/11/2025", reason=REASON)),
        *_pages("schooling:open-school", "commune", post=_form(template="thcs", name="Trường mới", classes="1", on="10/11/2025", reason=REASON)),
        *_pages("schooling:merge-school", "unit", post=_form(target=lambda world, target: world.elsewhere.code, on="10/11/2025", reason=REASON)),
        *_pages("schooling:plans"), *_pages("schooling:withdraw-plan", "plan", get=None, post=EMPTY),
        *_pages("schooling:split-school", "school with its classes", post=_form(name="Trường ba", levels="lower_secondary", on="10/11/2025", reason=REASON)),
        *_pages("orgs:decide", "reform", get=None, post=_form(commune=lambda world, target: world.question.options[0])),
        *_pages("people:doubles"), *_pages("people:without-number"), *_pages("people:search-doubles", get=None, post=EMPTY), *_pages("people:merges"),
        *_pages("people:candidates", "learner"), *_pages("people:double", "double", post=_form(keep="1", reason=REASON)),
        *_pages("people:apart", "double", get=None, post=_form(reason=REASON)),
        *_pages("people:merge", "merge", post=_form(act="decline", answer=REASON, version="1")),
        *_pages("people:undo-merge", "done merge", post=_form(reason=REASON, version="1")),
        *_pages("schooling:classes"), *_pages("schooling:new-class", post=_form(name="7 Mới", grade="7")),
        *_pages("schooling:as-known", "class", object_="lop"), *_pages("schooling:as-known", "learner", variant="learner", object_="hoc-sinh"),
        *_pages("schooling:as-known", "unit", variant="unit", object_="don-vi"),
        *_pages("schooling:class", "class"), *_pages("schooling:new-learner", "class", post=NEW_LEARNER),
        *_pages("schooling:class-codes", "class", post=EMPTY), *_pages("schooling:learner", "learner"),
        *_pages("schooling:invite-guardian", "learner", post=_form(name="Trần Thị Mới", relation="mother")),
        *_pages("schooling:ask-transfer", "learner", post=_form(to_school=_elsewhere, effective_on="20/11/2025", reason=REASON)),
        *_pages("schooling:change-class", "learner", post=_form(group=_other_class, on="10/11/2025", reason=REASON)),
        *_pages("schooling:leave", "learner", post=_form(on="10/11/2025", closed="leave", reason=REASON)),
        *_pages("schooling:transfers"), *_pages("schooling:find-learner"),
        *_pages("schooling:find-learner", "learner code", get=None, post=_form(
            code=_of("code"), born_on=lambda world, target: f"{target['born_on']:%d/%m/%Y}")),
        *_pages("schooling:transfer", "transfer"),
        *_pages("schooling:transfer", "transfer", get=None, variant="agree", post=_form(act="agree")),
        *_pages("schooling:transfer", "transfer", get=None, variant="refuse", post=_form(act="refuse", answer=REASON)),
    ]  # fmt: skip


def _teaching() -> list[Operation]:
    form = _form(post=_of("post"), periods="4", from_day="2025-11-10")
    return [
        *_pages("teaching:board"), *_pages("teaching:assign", "class", post=form, subject="toan"),
        *_pages("teaching:change", "assignment", post=_form(version=_of("version"), periods="5")),
    ]  # fmt: skip


def _timetable() -> list[Operation]:
    week = {f"{letter}{day}": str(5 if letter == "m" and day < 5 else 0) for letter in "ma" for day in range(7)}
    version = _of("version")
    day = "2025-11-10"
    return [
        *_pages("timetable:index"), *_pages("timetable:checklist"),
        *_pages("timetable:week", post=_form(from_day=day, minutes="45", **week)),
        *_pages("timetable:rooms", post=_form(name="Phòng mới", kind="lab", capacity="40", holds="1", is_open="on")),
        *_pages("timetable:room", "timetable room", post=_form(name="Tên mới", kind="lab", capacity="40", holds="1", version=version)),
        *_pages("timetable:rules"), *_pages("timetable:usual-rules", get=None, post=EMPTY),
        *_pages("timetable:new-rule", post=_form(number="2", weight="50"), kind="teacher_max_gaps"),
        *_pages("timetable:rule", "timetable rule", post=_form(number="3", weight="60", version=version)),
        *_pages("timetable:relax-rule", "timetable rule", get=None, post=EMPTY), *_pages("timetable:drop-rule", "timetable rule", get=None, post=EMPTY),
        *_pages("timetable:draft", post=_form(title="Bản mới", on=day)),
        *_pages("timetable:whole", "timetable"), *_pages("timetable:whole", "draft timetable", variant="draft"),
        *_pages("timetable:board", "timetable"), *_pages("timetable:board", "draft timetable", variant="draft"),
        *_pages("timetable:move", "draft timetable", get=None, post=_form(key="thu.1", place="1-0-1", version=version)),
        *_pages("timetable:pin", "draft timetable", get=None, post=_form(key="thu.1", pinned="1", version=version)),
        *_pages("timetable:undo", "draft timetable", get=None, post=_form(version=version)),
        *_pages("timetable:refresh", "draft timetable", get=None, post=_form(version=version)),
        *_pages("timetable:solve", "draft timetable", get=None, post=_form(seconds="20", seed="1", version=version)),
        *_pages("timetable:broken", "draft timetable"), *_pages("timetable:compare", "timetable"),
        *_pages("timetable:chains", "draft timetable", post=_form(move="thu.1=2-0-2", version=version)),
        *_pages("timetable:publish", "draft timetable", post=_form(on="2025-12-01", version=version)),
        *_pages("timetable:sheets", "timetable", by="lop", kind="xlsx"),
        *_pages("timetable:absences", post=_form(post=lambda world, target: world.places["o"].rows["teaching post"].uid, first=day, last=day)),
        *_pages("timetable:absence", "teacher absence", post=_form(lesson=_of("lesson"), on=day, choice="free:")),
        *_pages("timetable:withdraw", "teacher absence", get=None, post=EMPTY),
        *_pages("timetable:my-day"),
        *_pages("timetable:links", post=_form(thing=lambda world, target: f"class_group:{world.places['o'].group.uid}")),
        *_pages("timetable:close-link", "calendar link", get=None, post=EMPTY),
        *_pages("timetable:feed", "calendar link"),
    ]  # fmt: skip


def _gradebook() -> list[Operation]:
    return [
        *_pages("gradebook:index"), *_pages("gradebook:register", "register"), *_pages("gradebook:save", "register", get=None, post=CELLS),
        *_pages("gradebook:line", "line"),
        *_pages("gradebook:ask-correction", "line", get=None, post=_form(slot="mid", value="9", reason=REASON)),
        *_pages("gradebook:corrections"), *_pages("gradebook:check-correction", "asked correction", get=None, post=EMPTY),
        *_pages("gradebook:decide-correction", "checked correction", get=None, post=_form(decision="refuse", answer=REASON)),
        *_pages("gradebook:classes"), *_pages("gradebook:open-registers", get=None, post=EMPTY),
        *_pages("gradebook:homeroom", "class", get="?ky=1"), *_pages("gradebook:rate", "class", get=None, post=CONDUCT, post_query="?ky=1"),
        *_pages("gradebook:close", "class", get="?ky=1", post=EMPTY), *_pages("gradebook:close-year", post=EMPTY),
        *_pages("gradebook:decide-year", "closed class", post=_form(revision="1", **{"retest-toan": "6"}, reason=REASON)),
        *_pages("gradebook:exempt", "line", get=None, post=_form(exempt="1", reason=REASON)),
        *_pages("gradebook:attendance-list"),
        *_pages("gradebook:attendance", "class", get="?ngay=2025-11-10&buoi=s", post=AWAY),
    ]  # fmt: skip


def _transcripts() -> list[Operation]:
    lines = [
        *_pages("transcripts:index", get="?nam=2024"), *_pages("transcripts:class", "closed class"),
        *_pages("transcripts:prepare", "closed class", get=None, post=EMPTY), *_pages("transcripts:transcript", "transcript"),
        *_pages("transcripts:correct", "transcript", post=_form(reason=REASON)),
        *_pages("transcripts:send-back", "transcript", post=_form(reason=REASON)),
        *_pages("transcripts:revoke", "transcript", post=_form(reason=REASON)),
    ]  # fmt: skip
    for step in ("homeroom", "principal", "seal"):
        lines += _pages("transcripts:approve", "closed class", post=EMPTY, variant=step, step=step)
    for kind in ("pdf", "xml"):
        lines += _pages("transcripts:copy", "transcript", variant=kind, kind=kind)
    lines += _pages("transcripts:transcript", "draft transcript", variant="draft")
    return lines


def _gateway() -> list[Operation]:
    batch = "batch"
    return [
        *_pages("contactbook:children"), *_pages("contactbook:child", "learner"),
        *_pages("contactbook:details", "learner", post=_form(phone="0912345678")), *_pages("contactbook:withdraw", "own family change", get=None, post=EMPTY),
        *_pages("contactbook:changes"), *_pages("contactbook:change", "family change", post=_form(act="return", remark=REASON, version="1")),
        *_pages("exchange:batches"),
        *_pages("exchange:batches", get=None, post=lambda world, target: {
            "kind": "learners", "school_year": "2025", "school_code": world.places["o"].school.code, "file": sheet()}),
        *_pages("exchange:batch", batch), *_pages("exchange:batch", "marks batch", variant="marks"),
        *_pages("exchange:result", "marks batch", variant="marks"), *_pages("exchange:columns", batch, post=_mapping),
        *_pages("exchange:check", batch, get=None, post=EMPTY), *_pages("exchange:apply", batch, get=None, post=EMPTY),
        *_pages("exchange:undo", batch, post=_form(why=REASON)), *_pages("exchange:result", batch, post=EMPTY),
        *_pages("exchange:ministry:index", post=_form(school_year="2024", xlsx="on")),
        *_pages("exchange:ministry:report", "ministry file"), *_pages("exchange:ministry:package", "ministry file"),
        *_pages("portal:enter"), *_pages("portal:enter", "token", get=None, post=_form(code=_of("token"))),
        *_pages("portal:verify", "token", post=lambda world, target: {"file": sheet()}),
    ]  # fmt: skip


def _handing() -> list[Operation]:
    plan = _form(
        kind="ad_hoc", name="Kỳ thử", school_year="2025", reference_on="2025-11-01", freezes_at="2025-11-20T23:00", due_school="2025-11-25",
        levels=["lower_secondary"], objects=["school", "learner"], version=_of("version"),
    )  # fmt: skip
    channel = _form(
        code="moi", name="Kênh mới", adapter="xlsx", levels=["lower_secondary"], objects=["school"], batch_size="10", version=_of("version"), is_active="on",
    )  # fmt: skip
    reason = _form(version=_of("version"), reason="Đã đọc lại từng lớp")
    held, open_ = "submission", "open period"
    return [
        *_pages("periods:index"), *_pages("periods:new", post=plan), *_pages("periods:board", "period", get="?tt=checking"), *_pages("periods:edit", open_, post=plan),
        *_pages("periods:freeze", open_, get=None, post=EMPTY), *_pages("periods:close", "period", get=None, post=EMPTY),
        *_pages("periods:confirm", "board", get=None, post=_form(n=lambda world, target: [f"{target['submission']}@{target['version']}"], reason="Thay cho xã")),
        *_pages("periods:submission", held), *_pages("periods:difference", held, get="?lan=2"), *_pages("periods:statement", held),
        *_pages("periods:sign", "waiting submission", get=None, post=_form(sha256=_of("sha256"))),
        *_pages("periods:act", held, get=None, post=reason, variant="confirm", what="xac-nhan"), *_pages("periods:act", held, get=None, post=reason, variant="return", what="tra-lai"),
        *_pages("periods:act", held, get=None, post=reason, variant="ask", what="xin-mo"), *_pages("periods:act", held, get=None, post=reason, variant="compare", what="so-lai"),
        *_pages("periods:act", held, get=None, post=reason, variant="unlock", what="mo"),
        *_pages("periods:act", "returned submission", get=None, post=reason, variant="refreeze", what="chot-lai"),
        *_pages("sync:index"), *_pages("sync:new", post=channel), *_pages("sync:channel", "channel"), *_pages("sync:edit", "channel", post=channel),
        *_pages("sync:run", "channel", get=None, post=EMPTY), *_pages("sync:reconcile", "channel", get=None, post=EMPTY),
        *_pages("sync:check", "channel", get=None, post=EMPTY), *_pages("sync:resend", "channel", get=None, post=_form(**{"tat-ca": "1"})),
        *_pages("sync:file", "sync file"),
        *_pages("sync:subscriptions", post=_form(name="Hệ thống", address="https://vi-du.vn/nghe", kinds=["periods.frozen"], unit_code="")),
        *_pages("sync:subscription-state", "subscription", get=None, post=_form(version=_of("version"), dung="khong")),
        *_pages("sync:redeliver", "subscription", get=None, post=EMPTY),
        *_pages("oneroster:rostering", variant="students", rest="students"), *_pages("oneroster:rostering", "learner", variant="student", rest="students/{uid}"),
        *_pages("oneroster:rostering", "learner", variant="demographics", rest="demographics/{uid}"), *_pages("oneroster:rostering", "class", variant="class", rest="classes/{uid}/students"),
        *_pages("oneroster:gradebook", "class", variant="marks", rest="classes/{uid}/results"), *_pages("oneroster:gradebook", variant="results", rest="results"),
        *_pages("oneroster:index", post=lambda world, target: {"file": sheet(), "school_code": world.places["o"].school.code}),
        *_pages("oneroster:ask", "unit", get=None, post=_form(school_code=_of("code"))), *_pages("oneroster:bundle", "bundle"),
        *_pages("opendata:index"), *_pages("opendata:catalogue"), *_pages("opendata:notice"), *_pages("opendata:schools", form="csv"),
        *_pages("opendata:list", code="thu", form="json"),
    ]  # fmt: skip


def _law() -> list[Operation]:
    slug = "22-2021-tt-bgddt"
    sides = _form(before="secondary.tt22-2021", after="secondary.tt58-2011", year="2024")
    return [
        *_pages("law:shelf", get="?q=hoc"), *_pages("law:shelf-data"), *_pages("law:instrument", slug=slug), *_pages("law:instrument-data", slug=slug),
        *_pages("law:circulars"), *_pages("law:examples", slug=slug),
        *_pages("law:compare", post=sides), *_pages("law:comparison", "law.compare"),
        *_pages("law:recompute", post=_form(year="2024")), *_pages("law:recomputation", "law.recompute"),
        *_pages("gradebook:explain", "learner", get="?nam=2025"),
    ]  # fmt: skip


def _fields() -> list[Operation]:
    version, day = _of("version"), "2025-09-05"
    school, group, post, learner = "data of a school", "data of a class", "file of a post", "file of a learner"
    extension = _form(object_="learner", symbol="CO_MAY_TINH", name="Có máy tính", type_="boolean", privacy="personal", retention="register", section="study", topic="13")
    upload = _form(school_year="2025", level="primary", file=lambda world, target: SimpleUploadedFile("learner.json", fielding.RECORDS))
    return [
        *_pages("fields:catalogue"), *_pages("fields:extend", post=extension), *_pages("fields:records", kind="learner_reward"),
        *_pages("fields:whole", school), *_pages("fields:school", school),
        *_pages("fields:edit-school", school, post=_form(IS_DIEN_LUOI="1", version=version), section="conditions"),
        *_pages("fields:add-school", school, post=_form(TEN="Điểm lẻ", since=day), kind="site"),
        *_pages("fields:class", group), *_pages("fields:edit-class", group, post=_form(IS_BAN_TRU="1", version=version), section="features"),
        *_pages("fields:staff", post), *_pages("fields:timeline-staff", post),
        *_pages("fields:edit-staff", post, post=_form(MA_BAC_LUONG="1", version=version, person_version=_of("person_version")), section="pay"),
        *_pages("fields:add-staff", post, post=_form(NOI_DUNG="Bằng khen", since=day), kind="staff_reward"),
        *_pages("fields:learner", learner), *_pages("fields:timeline-learner", learner),
        *_pages("fields:edit-learner", learner, post=_form(BIET_BOI="có", version=version), section="study"),
        *_pages("fields:add-learner", learner, post=_form(NOI_DUNG="Giỏi", since=day), kind="learner_reward"),
        *_pages("fields:add-learner", learner, post=_form(CHIEU_CAO="150", since=day), kind="health", variant="health"),
        *_pages("fields:change-record", "record", post=_form(NOI_DUNG="Khá", since=day, version=version)),
        *_pages("fields:withdraw-record", "record", post=_form(reason="Nhầm", version=version)),
        *_pages("quality:index"), *_pages("quality:run", get=None, post=EMPTY), *_pages("quality:entering"), *_pages("quality:numbers"),
        *_pages("quality:deadline", post=_form(term="1", stage="lock", due_on="2026-01-20")),
        *_pages("quality:rule", code="learner-number-missing"),
        *_pages("quality:edit-rule", post=_form(severity="error", is_on="on", reason=REASON, version="1"), code="no-contact"),
        *_pages("exchange:ministry:take", post=upload), *_pages("exchange:ministry:taken", "taken file"),
    ]  # fmt: skip


def _api() -> list[Operation]:
    def reads(name: str, thing: str = "none", query: str = "", **kwargs: Any) -> Operation:
        return Operation(f"api:{name}", "GET", thing, None, kwargs, query)

    def writes(operation: str, thing: str, method: str = "POST", /, **values: Any) -> Operation:
        return Operation(f"api:{operation}", method, thing, _json(**values))

    return [
        reads("openapi-json"), reads("api-root"), reads("list_units"), reads("get_unit", "unit"), reads("list_unit_successors", "unit"),
        reads("list_unit_predecessors", "unit", "?day=2025-01-01"), reads("get_tree"), reads("list_classes", query="?school_year=2025"),
        reads("list_class_learners", "class"), reads("list_learners"), reads("get_learner", "learner"),
        reads("get_as_known", "learner", "?on=2025-11-10&known_on=2025-11-10", object_="learners"),
        writes("create_learner", "class", class_uid=_of("uid"), name="Lê Văn Mới", born_on="2013-05-06", from_day="2025-11-10",
               until="2026-06-01"),
        writes("update_learner", "learner", "PATCH", version=_of("version"), address="Ấp 3"),
        reads("list_transfers"),
        writes("ask_transfer", "learner code", code=_of("code"), born_on=_of("born_on"), to_school=_elsewhere,
               effective_on="2025-11-20", reason=REASON),
        writes("agree_transfer", "transfer"), writes("refuse_transfer", "transfer", answer=REASON),
        reads("list_assignments", query="?school_year=2025"),
        writes("make_assignment", "class", class_uid=_of("uid"), post=_of("post"), subject="toan", periods=4, from_day="2025-11-10",
               until="2026-06-01"),
        writes("change_assignment", "assignment", "PATCH", version=_of("version"), periods=5),
        reads("list_registers"), reads("get_register", "register"),
        writes("save_cells", "register", "PATCH", changes=lambda world, target: [
            {"learner": str(target["learner"]), "slot": "r1", "value": "8", "seen": 0}]),
        reads("get_class_results", "class"),
        reads("list_transcripts", "closed class"), writes("prepare_transcripts", "closed class"),
        writes("approve_transcripts", "closed class", step="homeroom"), reads("get_transcript", "transcript"),
        Operation("api:get_transcript_file[pdf]", "GET", "transcript", None, {"kind": "pdf"}),
        Operation("api:get_transcript_file[xml]", "GET", "transcript", None, {"kind": "xml"}),
        writes("correct_transcript", "transcript", reason=REASON), writes("revoke_transcript", "transcript", reason=REASON),
    ]  # fmt: skip


PARTS: dict[str, Callable[[], list[Operation]]] = {
    "shell": _shell, "sign-in": _sign_in, "register": _register, "teaching": _teaching, "timetable": _timetable, "gradebook": _gradebook, "transcripts": _transcripts,
    "gateway": _gateway, "handing": _handing, "law": _law, "fields": _fields, "api": _api,
}  # fmt: skip


def catalogue() -> list[Operation]:
    """Return every operation we know how to ask, in the order of the matrix."""
    return [operation for part in PARTS.values() for operation in part()]
