"""What this app announces."""

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class TimetablePublished(Fact):
    """A school's timetable holds from a day; the posts and classes whose week changes are named.

    instead  the versions that end with it
    """

    kind: ClassVar[str] = "timetable.published"
    timetable_id: int
    school_id: int
    on: str
    posts: tuple[int, ...] = ()
    classes: tuple[int, ...] = ()
    instead: tuple[int, ...] = ()


@dataclass(frozen=True)
class LessonCovered(Fact):
    """One lesson of one day is covered by somebody else, or the class is free."""

    kind: ClassVar[str] = "timetable.lesson-covered"
    cover_id: int
    class_group_id: int
    post_id: int | None
    on: str
