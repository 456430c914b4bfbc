"""Signing under kills: at each fault point and by chance; nothing half signed, nothing signed twice."""

from __future__ import annotations

import pytest
from django.utils import timezone

from khue.kernel import files, jobs, ledger
from khue.kernel.database import scope
from khue.school.transcripts.models import State, Transcript, TranscriptSignature
from tests.harness import crash
from tests.school.transcripts import classes

pytestmark = pytest.mark.alone  # typst's threads do not survive a fork

POINTS = {
    "transcripts.sign.after_signing",
    "transcripts.sign.after_files",
    "transcripts.sign.after_state",
    "transcripts.sign.before_progress",
}


class SigningFlow:
    """The homeroom teacher's approval of a class of two, signed by the job."""

    name = "signing"

    def __init__(self) -> None:
        self.rooms: dict[int, tuple[classes.Room, int]] = {}

    def prepare(self, round: int) -> None:
        with scope.opened(everything=True):
            made = classes.room()
            made.prepare()
            batch = made.approve("homeroom")
        self.rooms[round] = made, batch.job.pk

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        jobs.run(self.rooms[round][1], clock=timezone.now)
        acknowledge("signed")

    def _rows(self, round: int) -> list[tuple[Transcript, list[TranscriptSignature], list[str]]]:
        made, _job = self.rooms[round]
        rows = []
        for item in made.transcripts():
            signatures = list(item.signatures.select_related("pdf", "xml"))
            rows.append((item, signatures, [entry.act for entry in ledger.history(item)]))
        return rows

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        wrong = []
        with scope.opened(everything=True):
            for item, signatures, acts in self._rows(round):
                whole = (item.state == State.HOMEROOM, len(signatures) == 1, acts == ["transcripts.sign"])
                if any(whole) and not all(whole):
                    wrong.append(f"transcript {item.pk} is half signed: {whole}")
                for signature in signatures:
                    wrong += [
                        f"{one.name} is lost" for one in (signature.pdf, signature.xml) if not files.read(one)
                    ]
                if "signed" in acknowledged and not all(whole):
                    wrong.append(f"transcript {item.pk} was acknowledged and is not signed")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        with scope.opened(everything=True):
            return [
                f"transcript {item.pk} is {item.state}"
                for item, *_ in self._rows(round)
                if item.state != State.HOMEROOM
            ]


class CountsBeforeTheWork(SigningFlow):
    """Broken on purpose: the document is passed over when the signature's row is there, whatever its state."""

    name = "signing that trusts half of it"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        with scope.opened(everything=True):
            Transcript.objects.filter(pk=self._rows(round)[0][0].pk, state=State.LOCKED).update(
                state=State.HOMEROOM
            )
        super().act(round, acknowledge)


@pytest.mark.timeout(600)
def test_signing_survives_being_killed(fresh_database: str, keys: None) -> None:
    report = crash.survives(SigningFlow(), chances=1, only=POINTS, times=1)
    assert report.faults == []
    assert report.points == POINTS


@pytest.mark.timeout(600)
def test_the_harness_catches_a_broken_variant(fresh_database: str, keys: None) -> None:
    report = crash.survives(CountsBeforeTheWork(), chances=0, only={"transcripts.sign.after_signing"})
    assert any("half signed" in sentence for sentence in report.faults)
