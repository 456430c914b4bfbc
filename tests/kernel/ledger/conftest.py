"""A ledger in a database of its own, with a key and a witness of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from khue.kernel.permissions import Actor

TEACHER = Actor(account_id=7, name="Cô Hoa", role="subject_teacher", grant_id=70, schools=frozenset({11}))


@pytest.fixture
def witness(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only witness of the test; keys lie in the test's folder, too."""
    monkeypatch.delenv("KHUE_LEDGER_KEY", raising=False)
    settings.KHUE_KEYS = tmp_path / "keys"
    settings.KHUE_WITNESSES = [tmp_path / "witness"]
    return tmp_path / "witness"


class Book:
    """Writes entries and makes checkpoints for a test, a minute apart."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def write(self, name: str, *values: int, school_id: int | None = 11) -> None:
        """Add one entry a value to chain `name`, each in a transaction of its own."""
        from khue.kernel import ledger
        from khue.kernel.database import scope

        for value in values:
            with scope.everything():
                ledger.append(
                    ledger.chain_for(name, school_id=school_id),
                    act="gradebook.marks",
                    body={"learner": 5, "from": None, "to": value},
                    actor=TEACHER,
                    at=self.now,
                    person_id=5,
                )

    def checkpoint(self) -> None:
        """Let a minute pass and sign."""
        from khue.kernel.ledger import signing

        self.now += timedelta(minutes=1)
        signing.checkpoint(self.now, quiet=timedelta(0))

    def verify(self, **how: Any) -> list[tuple[str, str, int]]:
        """Return the faults the verifier names."""
        from khue.kernel.ledger import checking

        return [(f.name, f.chain, f.sequence) for f in checking.verify(**how).faults]


@pytest.fixture
def book(fresh_database: str, witness: Path, now: datetime) -> Iterator[Book]:
    """Three chains of one school, three checkpoints, one entry nobody has witnessed yet."""
    from khue.kernel.ledger import signing

    signing._remembered = None
    made = Book(now)
    made.write("a", 70, 75, 80)
    made.write("b", 50)
    made.checkpoint()
    made.write("a", 85)
    made.write("c", 10, 20)
    made.checkpoint()
    made.write("b", 55, 60)
    made.checkpoint()
    made.write("a", 90)
    yield made
    signing._remembered = None


@pytest.fixture
def faults_of(book: Book) -> Callable[[], set[tuple[str, str, int]]]:
    """The set of faults found now."""
    return lambda: set(book.verify())
