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

from khue.gateway.exchange.ministry import writing
from khue.kernel import faults, files, jobs
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
