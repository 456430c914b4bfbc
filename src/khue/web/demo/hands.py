"""More hands for the demo's long steps: classes are signed and transcripts verified by processes of their own, as an
installation's workers do. Each process opens its own connection; nothing but row numbers travels between them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any

VERIFIED_AT_ONCE = 50
"""Transcripts a process verifies before it answers."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a process found on some sealed transcripts."""

    documents: int
    signatures: int
    problems: tuple[str, ...]


class Hands:
    """A pool of processes; leaving it waits for all that was given to them and raises what they raised."""

    def __init__(self, count: int | None = None) -> None:
        self._pool = ProcessPoolExecutor(count or os.cpu_count() or 1, mp_context=get_context("spawn"), initializer=_begin)
        self._signing: list[Future[int]] = []

    def __enter__(self) -> Hands:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=kind is not None)

    def sign(self, classes: Iterable[int], *, clerk: str, principal: str) -> None:
        """Have classes (primary keys) prepared and signed; `signed()` tells how many transcripts came of it."""
        self._signing += [self._pool.submit(_sign, group, clerk, principal) for group in classes]

    def signed(self) -> int:
        """Wait for all classes given so far and return how many transcripts were signed since the last call."""
        waiting, self._signing = self._signing, []
        return sum(one.result() for one in as_completed(waiting))

    def each(self, function: Callable[..., int], firsts: Sequence[int], *rest: Any) -> Iterator[int]:
        """Yield `function(first, *rest)` for each of `firsts`, in their order; a function of a module, not a closure."""
        yield from self._pool.map(function, firsts, *([one] * len(firsts) for one in rest), chunksize=8)

    def verify(self, transcripts: Sequence[int], folder: Path) -> Verified:
        """Write sealed transcripts (primary keys) into `folder` and verify every signature of theirs."""
        parts = [transcripts[at : at + VERIFIED_AT_ONCE] for at in range(0, len(transcripts), VERIFIED_AT_ONCE)]
        found = list(self._pool.map(_verify, parts, [str(folder)] * len(parts)))
        return Verified(
            sum(one.documents for one in found),
            sum(one.signatures for one in found),
            tuple(problem for one in found for problem in one.problems),
        )


def _begin() -> None:
    import django

    django.setup()


def _sign(group: int, clerk: str, principal: str) -> int:
    from khue.web.demo import path

    return path.sign_class(group, clerk=clerk, principal=principal)


def _verify(numbers: Sequence[int], folder: str) -> Verified:
    from django.utils import timezone

    from khue.kernel import files
    from khue.kernel.database import scope
    from khue.school.transcripts import verifying
    from khue.school.transcripts.models import Transcript, TranscriptSignature

    signatures: dict[int, list[TranscriptSignature]] = {}
    verified, problems = 0, []
    with scope.everything():
        batch = list(Transcript.objects.filter(pk__in=numbers).select_related("learner").order_by("pk"))
        for one in TranscriptSignature.objects.filter(transcript__in=batch).select_related("pdf", "xml").order_by("pk"):
            signatures.setdefault(one.transcript_id, []).append(one)
        for transcript in batch:
            name = f"{transcript.learner.code}-{transcript.school_year}"
            last = signatures[transcript.pk][-1]
            (Path(folder) / f"{name}.pdf").write_bytes(files.read(last.pdf))
            (Path(folder) / f"{name}.xml").write_bytes(files.read(last.xml))
            verdict = verifying.verify(transcript, signatures[transcript.pk], now=timezone.now())
            verified += len(verdict.checks) if verdict.is_good else 0
            problems += [f"{name}: {problem}" for problem in verdict.problems]
    return Verified(len(batch), verified, tuple(problems))
