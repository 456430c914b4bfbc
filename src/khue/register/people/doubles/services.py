"""Acts on two files that may be of one person: tell apart, propose to merge, decide, undo.

Who proposes does not decide. Both codes stay for ever; nothing sealed changes a value. Everything of a merge happens in
one transaction, and the same request twice does it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, faults, ledger, permissions, text
from khue.kernel.database import scope
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.people.doubles import finding, moving
from khue.register.people.events import PeopleMerged, PeopleParted
from khue.register.people.models import Double, Merge, Person, ToldApart

CHAIN = "people.merges"
OPEN = (Merge.State.PROPOSED, Merge.State.MOVING, Merge.State.DONE)


class CannotMerge(DomainError):
    """The two have what cannot lie in one file. Facts: why, and `choices` where the decision may name what stands."""

    code, status = "people.cannot-merge", 409
    title = _("Chưa gộp được hai hồ sơ này: %(why)s")
    advice = _("Hãy sửa điều đã nêu ở một trong hai hồ sơ, hoặc chọn chỗ học được giữ, rồi quyết định lại.")


class MergeUnderWay(DomainError):
    """One of the two is in an open proposal already, or was merged."""

    code, status = "people.merge-under-way", 409
    title = _("Một trong hai hồ sơ đang có đề nghị gộp hoặc đã được gộp.")
    advice = _("Hãy xem các đề nghị đang chờ trước.")


class OwnProposal(DomainError):
    """Who proposed a merge does not decide it."""

    code, status = "people.own-proposal", 409
    title = _("Người đề nghị gộp không được tự quyết định.")
    advice = _("Hãy nhờ người khác có quyền quyết định xem lại.")


class AlreadyDecided(DomainError):
    """The proposal was decided otherwise."""

    code, status = "people.merge-decided", 409
    title = _("Đề nghị này đã được quyết định.")


class NotMerged(DomainError):
    """Only a merge that stands can be undone, the latest first."""

    code, status = "people.not-merged", 409
    title = _("Chỉ tách lại được hồ sơ đang ở trạng thái đã gộp.")
    advice = _("Nếu hồ sơ giữ lại đã được gộp tiếp vào hồ sơ khác, hãy tách lần gộp sau trước.")


def _double(actor: Actor, uid: Any) -> Double:
    """Return one open pair of the actor's place, locked."""
    held = Double.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if held is None or not (actor.covers_school(held.first_school_id) or actor.covers_school(held.second_school_id)):
        raise NotFound()
    return held


def _own_school(actor: Actor, double: Double) -> int | None:
    return double.first_school_id if actor.covers_school(double.first_school_id) else double.second_school_id


@transaction.atomic
def note_candidate(*, actor: Actor, person: Person, other_id: int, now: datetime) -> Double:
    """Keep a candidate found for a person as a pair of the work-list and return it; the same pair is kept once.

    Raises NotFound for a file that is no candidate of hers.
    """
    permissions.demand(actor, "people.propose_merge", on=person, at=now)
    if not any(one.person_id == other_id for one in finding.candidates(person.pk)):
        raise NotFound()
    with scope.opened(everything=True):
        return keep(finding.weighed(person.pk, other_id), day=local_day(now))


def keep(pair: finding.Pair, *, day: Any) -> Double:
    """Keep a pair in the work-list; needs the scope of everything."""
    values = {
        "first_school_id": pair.schools[0], "second_school_id": pair.schools[1], "confidence": pair.confidence,
        "evidence": [[line.code, line.points] for line in pair.evidence], "lacks_number": pair.lacks_number, "gone_on": None,
    }  # fmt: skip
    made, _fresh = Double.objects.update_or_create(
        first_id=pair.first, second_id=pair.second, defaults=values, create_defaults={**values, "found_on": day}
    )
    return made


@transaction.atomic
def tell_apart(*, actor: Actor, uid: Any, reason: str, now: datetime) -> ToldApart:
    """Say that two files are of two people: remembered, never proposed again. Twice is harmless."""
    double = _double(actor, uid)
    permissions.demand(actor, "people.propose_merge", on=_own_school(actor, double), at=now)
    reason = text.clean(reason)[:300]
    if len(reason) < 5:
        raise Invalid(fields={"reason": [str(_("Hãy ghi ngắn gọn vì sao là hai người khác nhau."))]})
    with scope.opened(everything=True):
        if Merge.objects.filter(_of(double.first_id, double.second_id), state__in=OPEN).exists():
            raise MergeUnderWay()
        made, fresh = ToldApart.objects.get_or_create(
            first_id=double.first_id, second_id=double.second_id,
            defaults={
                "first_school_id": double.first_school_id, "second_school_id": double.second_school_id,
                "account_id": actor.account_id, "account_name": actor.name[:120], "reason": reason,
            },
        )  # fmt: skip
        Double.objects.filter(pk=double.pk, gone_on=None).update(gone_on=local_day(now))
    if fresh:
        audit.record(
            actor, "people.double.apart", on=double, at=now, reason=reason, school_id=_own_school(actor, double),
            first=double.first_id, second=double.second_id,
        )  # fmt: skip
    return made


def _of(first: int, second: int) -> Q:
    return Q(absorbed_id=first, survivor_id=second) | Q(absorbed_id=second, survivor_id=first)


@transaction.atomic
def propose(*, actor: Actor, uid: Any, keep_first: bool, reason: str, now: datetime) -> Merge:
    """Propose to merge a pair, naming the file to keep; the same proposal twice is one.

    Raises MergeUnderWay, Invalid without a reason.
    """
    double = _double(actor, uid)
    permissions.demand(actor, "people.propose_merge", on=_own_school(actor, double), at=now)
    reason = text.clean(reason)[:300]
    if len(reason) < 5:
        raise Invalid(fields={"reason": [str(_("Hãy ghi căn cứ của đề nghị, ví dụ giấy khai sinh đã đối chiếu."))]})
    survivor, absorbed = (double.first_id, double.second_id) if keep_first else (double.second_id, double.first_id)
    with scope.opened(everything=True):
        people = {p.pk: p for p in Person.objects.select_for_update(of=("self",)).filter(pk__in=[survivor, absorbed]).order_by("pk")}
        standing = Merge.objects.filter(_of(survivor, absorbed), state__in=OPEN).first()
        if standing is not None and standing.survivor_id == survivor:
            return standing
        if any(p.merged_into_id for p in people.values()):
            raise MergeUnderWay()
        weighed = finding.weighed(survivor, absorbed)
        try:
            with transaction.atomic():
                made = Merge.objects.create(
                    absorbed_id=absorbed, survivor_id=survivor, school_id=_own_school(actor, double),
                    absorbed_school_id=people[absorbed].school_id, survivor_school_id=people[survivor].school_id,
                    confidence=weighed.confidence, evidence=[[line.code, line.points] for line in weighed.evidence], reason=reason,
                    proposed_by=actor.account_id, proposed_name=actor.name[:120], proposed_at=now,
                )  # fmt: skip
        except IntegrityError as error:
            raise MergeUnderWay() from error
        audit.record(
            actor, "people.merge.propose", on=made, at=now, reason=reason, school_id=made.school_id, person_id=absorbed,
            survivor=survivor, confidence=made.confidence,
        )  # fmt: skip
    return made


def _held(actor: Actor, uid: Any, now: datetime) -> Merge:
    """Return the merge, locked, if the actor decides over both files; needs her right at both schools."""
    merge = Merge.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if merge is None:
        raise NotFound()
    for school in {merge.absorbed_school_id, merge.survivor_school_id}:
        permissions.demand(actor, "people.decide_merge", on=school, at=now)
    return merge


@transaction.atomic
def decide(*, actor: Actor, uid: Any, version: int, accept: bool, answer: str, now: datetime, standing: str = "") -> Merge:
    """Carry a proposed merge out, or decline it and remember that the two are different people.

    standing  uid of the placement that stands where both are placed on the same days in different classes

    Raises OwnProposal, Stale, CannotMerge with the sentence and the choices, AlreadyDecided. Deciding the same twice is
    harmless.
    """
    merge = _held(actor, uid, now)
    if merge.state == (Merge.State.DONE if accept else Merge.State.DECLINED):
        return merge
    if merge.state != Merge.State.PROPOSED:
        raise AlreadyDecided()
    if merge.version != version:
        raise Stale(theirs=merge.version, mine=version)
    if merge.proposed_by is not None and merge.proposed_by == actor.account_id:
        raise OwnProposal()
    merge.answer, merge.decided_name, merge.decided_at = text.clean(answer)[:300], actor.name[:120], now
    with scope.opened(everything=True):
        if accept:
            _merge(actor, merge, standing, now)
        else:
            _decline(actor, merge, now)
    merge.refresh_from_db()
    return merge


def _decline(actor: Actor, merge: Merge, now: datetime) -> None:
    if len(merge.answer) < 5:
        raise Invalid(fields={"answer": [str(_("Hãy ghi vì sao không gộp."))]})
    merge.state = Merge.State.DECLINED
    merge.save()
    _remember(actor, merge, merge.answer, now)
    audit.record(
        actor, "people.merge.decline", on=merge, at=now, reason=merge.answer, school_id=merge.absorbed_school_id, person_id=merge.absorbed_id
    )


def _remember(actor: Actor, merge: Merge, reason: str, now: datetime) -> None:
    """Never propose the two again."""
    first, second = sorted((merge.absorbed_id, merge.survivor_id))
    schools = {merge.absorbed_id: merge.absorbed_school_id, merge.survivor_id: merge.survivor_school_id}
    ToldApart.objects.get_or_create(
        first_id=first, second_id=second,
        defaults={
            "first_school_id": schools[first], "second_school_id": schools[second], "account_id": actor.account_id,
            "account_name": actor.name[:120], "reason": reason,
        },
    )  # fmt: skip
    Double.objects.filter(first_id=first, second_id=second, gone_on=None).update(gone_on=local_day(now))


def _locked(merge: Merge) -> tuple[Person, Person]:
    """Return (absorbed, survivor), locked in order of primary key."""
    held = {p.pk: p for p in Person.objects.select_for_update(of=("self",)).filter(pk__in=[merge.absorbed_id, merge.survivor_id]).order_by("pk")}
    return held[merge.absorbed_id], held[merge.survivor_id]


def _merge(actor: Actor, merge: Merge, standing: str, now: datetime) -> None:
    absorbed, survivor = _locked(merge)
    if absorbed.merged_into_id or survivor.merged_into_id:
        raise MergeUnderWay()
    found = moving.conflicts(absorbed, survivor, standing)
    if found:
        raise CannotMerge(why=" ".join(str(one.sentence) for one in found), choices=[list(pair) for one in found for pair in (one.choices or {}).items()])
    merge.state, merge.standing = Merge.State.MOVING, standing
    merge.save()
    faults.hit("people.merge.after_lock")
    for cut in moving.CUTS.values():
        cut(merge, standing)
    faults.hit("people.merge.after_cut")
    try:
        moved = moving.move(merge)
    except moving.CannotMove as error:
        raise CannotMerge(why=str(_("cả hai đều có %(what)s không thể nằm chung một hồ sơ.")) % {"what": moving.names()[error.table]}, choices=[]) from error
    faults.hit("people.merge.after_move")
    absorbed.merged_into = survivor
    absorbed.save(update_fields=["merged_into"])
    merge.taken = moving.fill(survivor, absorbed)
    merge.taken["last"] = moving.last_rows(survivor.pk)
    _custody(survivor, absorbed, merge, local_day(now))
    survivor.save()
    merge.state = Merge.State.DONE
    merge.save()
    Double.objects.filter(Q(first_id=absorbed.pk) | Q(second_id=absorbed.pk), gone_on=None).update(gone_on=local_day(now))
    faults.hit("people.merge.after_person")
    _note(actor, merge, "people.merge", moved, now, {"absorbed": absorbed, "survivor": survivor}, reason=merge.answer)
    events.publish(PeopleMerged(merge.pk, absorbed.pk, survivor.pk), at=now)
    faults.hit("people.merge.before_commit")


def _custody(survivor: Person, absorbed: Person, merge: Merge, day: Any) -> None:
    """Let the school of the survivor's latest place hold her file; where she has none, the one that holds it."""
    with connection.cursor() as cursor:  # placements are above people: only the id of the school is read
        cursor.execute(
            "select school_id from schooling_placement where learner_id = %s and is_main and not isempty(valid)"
            " order by valid @> %s::date desc, upper(valid) desc nulls first limit 1",
            [survivor.pk, day],
        )
        row = cursor.fetchone()
    school = row[0] if row else survivor.school_id or absorbed.school_id
    if school != survivor.school_id:
        merge.taken["school_id"] = survivor.school_id
        survivor.school_id = school


def _note(
    actor: Actor, merge: Merge, act: str, moved: Mapping[str, int], now: datetime, people: Mapping[str, Person], *, reason: str
) -> None:
    body = {
        "merge": merge.uid, "absorbed": people["absorbed"].uid, "absorbed_code": people["absorbed"].code,
        "survivor": people["survivor"].uid, "survivor_code": people["survivor"].code, "rows": dict(sorted(moved.items())),
        "evidence": merge.evidence, "confidence": merge.confidence, "proposed_by": merge.proposed_by or 0, "standing": merge.standing,
    }  # fmt: skip
    ledger.append(ledger.chain_for(CHAIN), act=act, body=body, actor=actor, at=now, person_id=merge.survivor_id)
    for person in people.values():
        audit.record(
            actor, act, on=merge, at=now, reason=reason, school_id=person.school_id, person_id=person.pk, rows=dict(moved),
            absorbed=merge.absorbed_id, survivor=merge.survivor_id,
        )  # fmt: skip


@transaction.atomic
def undo(*, actor: Actor, uid: Any, version: int, reason: str, now: datetime, also: frozenset[str] = frozenset()) -> tuple[Merge, int]:
    """Take a merge apart: what was re-pointed goes back exactly, and of the later rows those named in `also`.

    also  keys of `moving.Later` that belong to the file that comes back; every other later row stays with the survivor

    Returns the merge and how many places could not be put back because somebody changed them since. Raises NotMerged,
    Stale, Invalid without a reason. Undoing twice is harmless.
    """
    merge = _held(actor, uid, now)
    if merge.state == Merge.State.UNDONE:
        return merge, 0
    reason = text.clean(reason)[:300]
    if len(reason) < 5:
        raise Invalid(fields={"reason": [str(_("Hãy ghi vì sao phải tách lại."))]})
    if merge.version != version:
        raise Stale(theirs=merge.version, mine=version)
    with scope.opened(everything=True):
        absorbed, survivor = _locked(merge)
        if merge.state != Merge.State.DONE or absorbed.merged_into_id != survivor.pk or survivor.merged_into_id:
            raise NotMerged()
        chosen: dict[moving.Column, list[int]] = {}
        for one in moving.later(merge):
            if one.key in also:
                chosen.setdefault((one.table, one.column), []).append(one.row_id)
        merge.state = Merge.State.MOVING
        merge.save()
        faults.hit("people.undo.after_lock")
        moving.empty(survivor, absorbed, merge.taken)
        if "school_id" in merge.taken:
            survivor.school_id = merge.taken["school_id"]
        survivor.save()
        try:
            moved, left = moving.put_back(merge, also=chosen)
        except moving.CannotMove as error:
            raise CannotMerge(why=str(_("%(what)s của hồ sơ giữ lại cản việc tách.")) % {"what": moving.names()[error.table]}, choices=[]) from error
        faults.hit("people.undo.after_move")
        absorbed.merged_into = None
        absorbed.save(update_fields=["merged_into"])
        merge.state, merge.undone_name, merge.undone_at, merge.undone_why = Merge.State.UNDONE, actor.name[:120], now, reason
        merge.save()
        _remember(actor, merge, reason, now)
        _note(actor, merge, "people.part", moved, now, {"absorbed": absorbed, "survivor": survivor}, reason=reason)
        events.publish(PeopleParted(merge.pk, absorbed.pk, survivor.pk), at=now)
        faults.hit("people.undo.before_commit")
    merge.refresh_from_db()
    return merge, len(left)
