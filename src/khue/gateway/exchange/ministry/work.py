"""The job that writes the ministry's file: a few schools a step, then one ZIP in the store."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.ministry import sources, taking, writing
from khue.kernel import faults, files, jobs
from khue.kernel.errors import NotFound
from khue.kernel.files.models import StoredFile
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor

KIND = "exchange.ministry_file"


@jobs.kind(KIND, _("Xuất tệp gửi Bộ theo QĐ 4998"))
def ministry_file(job: Job, actor: Actor) -> Iterator[Step]:
    """Write the files into a folder of their own, pack them, store the package and the report.

    Nothing of the register changes, so a killed job begins again from the first school and leaves one package.
    """
    now = datetime.fromisoformat(job.parameters["at"])
    folder = Path(mkdtemp(prefix="khue-ministry-"))
    try:
        report = None
        for progress in writing.steps(
            actor=actor, school_year=job.parameters["school_year"], folder=folder / "files", now=now, xlsx=job.parameters.get("xlsx", True)
        ):
            report = progress.report
            if report is None:
                faults.hit("exchange.ministry_file.after_step")
                yield Step(done=progress.done, total=progress.total, message=str(_("Đã ghi %(count)s bản ghi.") % {"count": progress.records}))
        assert report is not None
        faults.hit("exchange.ministry_file.before_store")
        stored = _store(folder, actor, report["school_year"])
        result = {key: report[key] for key in ("school_year", "day", "schools", "record_count", "faulty_count", "violation_count", "manifest_sha256")}
        yield Step(
            done=report["schools"], total=report["schools"], result={**result, **stored}, result_url=reverse("exchange:ministry:report", args=[job.uid])
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


TAKE = "exchange.ministry_take"


@jobs.kind(TAKE, _("Nhập tệp bản ghi theo QĐ 4998"))
def ministry_take(job: Job, actor: Actor) -> Iterator[Step]:
    """Take the records of a stored file in, one school a step. The same records again change nothing, so a killed job begins again."""
    now = datetime.fromisoformat(job.parameters["at"])
    kept = StoredFile.objects.filter(pk=job.parameters["file"]).first()
    if kept is None:
        raise NotFound()
    records = sources.read(files.read(kept), name=kept.name, level=job.parameters.get("level", ""), object_=job.parameters.get("object", ""))
    total = len(sources.schools(records))
    report = taking.Report()
    done = 0
    for _code in taking.steps(
        actor=actor, records=records, school_year=job.parameters["school_year"], now=now, report=report, unit_code=job.parameters.get("unit", "")
    ):
        done += 1
        faults.hit("exchange.ministry_take.after_school")
        yield Step(done=done, total=max(total, done), result=report.as_dict())
    yield Step(
        done=done, total=done, result=report.as_dict(), result_url=reverse("exchange:ministry:taken", args=[job.uid]),
        message=str(_("Đã nhập: %(made)s mới, %(changed)s thay đổi.") % {"made": report.counts["made"], "changed": report.counts["changed"]}),
    )  # fmt: skip


def _store(folder: Path, actor: Actor, school_year: int) -> dict[str, int]:
    package = folder / "package.zip"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as sink:
        for path in sorted((folder / "files").rglob("*")):
            if path.is_file():
                sink.write(path, path.relative_to(folder / "files").as_posix())
    kept = files.store(
        package.read_bytes(), name=f"qd4998-{school_year}-{school_year + 1}.zip", content_type="application/zip",
        purpose="exchange.ministry", account_id=actor.account_id,
    )  # fmt: skip
    report = files.store(
        (folder / "files" / "bao-cao.json").read_bytes(), name="bao-cao.json", content_type="application/json",
        purpose="exchange.ministry.report", account_id=actor.account_id,
    )  # fmt: skip
    return {"package": kept.pk, "report": report.pk}
