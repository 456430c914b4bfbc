"""Asking: one request in a transaction that is undone, and what it did meanwhile."""

from __future__ import annotations

import io
import re
import zipfile
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from khue.kernel.database import scope
from khue.kernel.database.guards import guarded_models
from tests.access.operations import Operation, Target, absent, of_another_kind, targets
from tests.access.world import FAMILY, MARKERS, World

SAFE = ("GET", "HEAD", "OPTIONS")
LETTERS = "osxcen"
NOISE = (
    (re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"), "uid"),
    (re.compile(r'(name="csrfmiddlewaretoken" value|nonce|data-khue-csrf|content)="[^"]{20,}"'), r"\1"),
    (re.compile(r"X-CSRFToken[^}]*}"), "csrf"),
)  # fmt: skip


@lru_cache
def _ways_to_sign_in() -> tuple[str, ...]:
    return reverse("account_login"), reverse("account_reauthenticate"), reverse("mfa_reauthenticate")


@dataclass
class Answer:
    """What came back: status, where to, text, markers in it; of a refusal, the tables it changed all the same."""

    status: int
    location: str
    text: str
    markers: set[str]
    changed: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def is_refused(self) -> bool:
        """Return whether the door stayed shut: a refusal, another method, or the way to sign in (again)."""
        return self.status in (401, 403, 404, 405) or self.location.startswith(_ways_to_sign_in())

    @property
    def is_broken(self) -> bool:
        """Return whether the server failed; 503 with a sentence is an answer."""
        return self.status >= 500 and self.status != 503


@dataclass(frozen=True)
class Kept:
    """What is kept of an answer: the same question has it again, for whatever a request does is undone."""

    is_refused: bool
    status: int
    size: int
    markers: frozenset[str]


class Tables:
    """What the tables held before, so that a request that was refused can be seen to have changed nothing."""

    def __init__(self) -> None:
        self.names = sorted(model._meta.db_table for model in guarded_models())
        with connection.cursor() as cursor:
            cursor.execute("select oid, relname from pg_class where relname = any(%s) and relkind in ('r', 'p')", [self.names])
            self.oids = dict(cursor.fetchall())
        self.before = {name: self._digest(name) for name in self.names}

    @staticmethod
    def _digest(name: str) -> tuple[Any, ...]:
        with scope.everything(), connection.cursor() as cursor:
            cursor.execute(f'select count(*), sum(hashtextextended(t::text, 0)) from "{name}" t')
            return tuple(cursor.fetchone())

    def changed(self) -> list[str]:
        """Return the tables whose rows differ now from what they were; only those touched are read again."""
        with connection.cursor() as cursor:
            cursor.execute(
                "select c.oid from pg_class c where c.oid = any(%s::oid[]) and pg_stat_get_xact_tuples_inserted(c.oid)"
                " + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) > 0",
                [list(self.oids)],
            )
            touched = [self.oids[oid] for (oid,) in cursor.fetchall()]
        return sorted(name for name in touched if self._digest(name) != self.before[name])


def readable(content: bytes) -> str:
    """Return the text of an answer; a workbook's members are unpacked."""
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b"\n".join(book.read(name) for name in book.namelist())
    return content.decode("utf-8", "replace")


def send(
    tables: Tables, client: Client, method: str, path: str, data: Any = None, headers: dict[str, str] | None = None, *,
    always: bool = False,
) -> Answer:  # fmt: skip
    """Send one request and undo whatever it did, cookies and cache too; `always` compares the tables of any answer."""
    kept, client.raise_request_exception = deepcopy(client.cookies), False
    with transaction.atomic():
        if method not in SAFE:
            cache.clear()
        options: dict[str, Any] = {"headers": headers or {}}
        if isinstance(data, str):
            options |= {"data": data, "content_type": "application/json"}
        elif method == "POST" or data:
            options |= {"data": data or {}}
        response = getattr(client, method.lower())(path, **options)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        text = readable(content)
        folded = text.lower()
        answer = Answer(
            response.status_code, response.get("Location", "") or response.get("HX-Redirect", ""), text,
            {letter for letter, marker in MARKERS.items() if marker.lower() in folded},
            error=repr(response.exc_info[1])[:300] if getattr(response, "exc_info", None) else "",
        )  # fmt: skip
        if method not in SAFE and (answer.is_refused or always):
            answer.changed = tables.changed()
        transaction.set_rollback(True)
    client.cookies = kept
    return answer


def without_noise(text: str) -> str:
    """Return a text without what differs in every answer: ids, tokens, nonces."""
    for pattern, word in NOISE:
        text = pattern.sub(word, text)
    return text


def kept(answer: Answer) -> Kept:
    """Return what is kept of an answer; its size without what differs in every answer, and of a refusal only."""
    return Kept(answer.is_refused, answer.status, len(without_noise(answer.text)) if answer.is_refused else 0, frozenset(answer.markers))


@dataclass
class Cell:
    """What one role may do with one operation, measured; `faults` are sentences that no cell can allow."""

    letters: str
    faults: list[str]


class Trial:
    """Asks operations as roles and judges what comes back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tables = Tables()
        self.asked = 0
        self._targets: dict[tuple[str, str, str], dict[str, list[Target]]] = {}
        self._kept: dict[tuple[str, str, str, str], Kept] = {}

    def targets(self, thing: str, role: str, when: str = "now") -> dict[str, list[Target]]:
        """Return what there is to ask for, looked up once: whatever a request does is undone."""
        key = thing, role, when
        if key not in self._targets:
            account = self.world.accounts[role][when] if role != "anonymous" else None
            self._targets[key] = targets(self.world, thing, role, account)
        return self._targets[key]

    def ask(
        self, operation: Operation, role: str, when: str, target: Target, method: str | None = None, *, as_page: bool = False
    ) -> Answer:
        """Send the operation as one account; refusals come as problem details, or `as_page`, which takes longer."""
        self.asked += 1
        token = self.world.headers.get((role, when), {}) if operation.is_api else {}
        client = Client() if token else self.world.clients[role, when]
        headers = token if as_page else {"Accept": "application/json", **token}
        data = operation.data(self.world, target) if operation.data and method is None else None
        path = operation.path(target)
        answer = send(self.tables, client, method or operation.method, path, data, headers, always=method is not None)
        if method is None and when == "now" and not as_page:
            self._kept[operation.name, operation.method, role, path] = kept(answer)
        return answer

    def known(self, operation: Operation, role: str, target: Target, *, as_page: bool = False) -> Kept:
        """Return what is known of an answer, asking where nobody has."""
        before = None if as_page else self._kept.get((operation.name, operation.method, role, operation.path(target)))
        return before or kept(self.ask(operation, role, "now", target, as_page=as_page))

    def cell(self, operation: Operation, role: str) -> Cell:
        """Measure one cell of the matrix."""
        faults: list[str] = []
        reached: set[str] = set()
        seen: set[str] = set()
        times = [("now", None), ("ended", "e"), ("future", "n")] if role != "anonymous" else [("now", None)]
        for when, mark in times:
            if mark and "o" not in reached:
                continue  # what she may not do while she has the role, nobody asks of her before or after it
            for letter, some in self.targets(operation.thing, role, when).items():
                if mark and letter != "o":
                    continue
                for target in some:
                    answer = self.ask(operation, role, when, target)
                    shown = {self._of(role, one) for one in answer.markers}
                    faults += self._wrong(answer, f"{when} {letter}")
                    if not self._is_reached(operation, answer, target, shown):
                        continue
                    reached.add(mark or letter)
                    if mark is None or operation.thing == "none":
                        seen |= shown if mark is None else {f"{one} after the role ended or before it began" for one in shown}
        if operation.thing in ("none",):
            reached |= {one for one in seen if one in LETTERS}
            seen -= set(LETTERS)
        faults += [f"shows people of {one}, who are out of reach" for one in sorted(seen - reached)]
        return Cell("".join(one for one in LETTERS if one in reached) or "-", faults)

    @staticmethod
    def _of(role: str, marker: str) -> str:
        """Return the letter of a marker for this role: the classmate is somebody else's child to a family."""
        return {"m": "s" if role in FAMILY else "o"}.get(marker, marker)

    @staticmethod
    def _is_reached(operation: Operation, answer: Answer, target: Target, shown: set[str]) -> bool:
        if operation.thing == "words":  # a search always answers; what counts is whom it finds
            return not answer.is_refused and target["letter"] in shown
        return not answer.is_refused

    @staticmethod
    def _wrong(answer: Answer, what: str) -> list[str]:
        if answer.is_broken or answer.status == 429:
            return [f"{what}: answered {answer.status} {answer.error}"]
        if not answer.is_refused:
            return []
        faults = [f"{what}: refused with {answer.status}, yet changed {', '.join(answer.changed)}"] if answer.changed else []
        if answer.markers:
            faults.append(f"{what}: refused with {answer.status}, yet shows the names of {', '.join(sorted(answer.markers))}")
        return faults

    def looks_absent(self, operation: Operation, role: str) -> list[str]:
        """Return where something forbidden in another commune can be told from something that is not there.

        Province-wide roles may know that every school's things exist, so they are not asked.
        """
        if "uid" not in _parameters_of(operation):
            return []
        for target in self.targets(operation.thing, role).get("c", []):
            as_page = role in ("guardian", "principal")
            there = self.known(operation, role, target, as_page=as_page)
            if not there.is_refused:
                return []
            if there.markers:
                return [f"shows the names of {sorted(there.markers)} while it refuses"]
            for name, other in (("absent", absent(target)), ("another kind", of_another_kind(self.world, operation.thing, target))):
                missing = kept(self.ask(operation, role, "now", other, as_page=as_page))
                answers = [(one.status, one.size) for one in (missing, there)]
                if answers[0] != answers[1]:
                    return [f"an id that is {name} gives {answers[0]}, a forbidden one {answers[1]} (status, characters)"]
        return []

    def other_methods(self, operation: Operation, role: str) -> list[str]:
        """Return where HEAD opens what GET does not, or says more, or OPTIONS leaks."""
        if operation.method != "GET":
            return []
        faults = []
        there = self.targets(operation.thing, role)
        for letter in [one for one in ("c", "o") if one in there][:1]:
            some = there[letter]
            plain, head = self.known(operation, role, some[0]), self.ask(operation, role, "now", some[0], "HEAD")
            if head.text or head.is_broken or (plain.is_refused and not head.is_refused):
                faults.append(f"HEAD {letter}: {head.status} with {len(head.text)} characters, GET {plain.status}")
            asked = self.ask(operation, role, "now", some[0], "OPTIONS")
            if asked.markers or asked.is_broken:
                faults.append(f"OPTIONS {letter}: {asked.status} shows {sorted(asked.markers)}")
        return faults


def _parameters_of(operation: Operation) -> tuple[str, ...]:
    from tests.access.operations import PARAMETERS

    return PARAMETERS.get(operation.base, ())
