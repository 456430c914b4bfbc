"""The actor: one account in one role at one place, for one request."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as what, where. Built for each request, so that an ended grant ends inside a session.

    schools   ids of the schools within her place on that day; None means every school (province-wide)
    people    ids of the people whose own records she may see: a guardian's children, a learner herself
    is_strong signed in with a second factor in this session
    """

    account_id: int | None
    name: str = ""
    role: str = ""
    role_name: str = ""
    grant_id: int | None = None
    unit_id: int | None = None
    unit_name: str = ""
    person_id: int | None = None
    schools: frozenset[int] | None = field(default_factory=frozenset)
    people: frozenset[int] = field(default_factory=frozenset)
    added_rights: frozenset[str] = field(default_factory=frozenset)
    removed_rights: frozenset[str] = field(default_factory=frozenset)
    is_strong: bool = False
    request_id: str = ""

    @property
    def is_authenticated(self) -> bool:
        """Return whether somebody signed in."""
        return self.account_id is not None

    @property
    def is_system(self) -> bool:
        """Return whether the platform itself acts (worker, command)."""
        return self.role == "system"

    def covers_school(self, school_id: int | None) -> bool:
        """Return whether the school lies within the actor's place."""
        return self.schools is None or (school_id is not None and school_id in self.schools)


ANONYMOUS = Actor(account_id=None)


def system_actor(name: str) -> Actor:
    """Return the platform itself, for commands and workers; `name` says which part acts."""
    return Actor(account_id=None, name=name, role="system", schools=None, is_strong=True)
