"""Printing transcripts: ours from content to PDF/A-2a with its QR code, against the bare typst compiler.

Floor: the same template, the same compiler kept warm, the same data with a QR code made beforehand. Signing
and verification are printed as plain rates per second, since their floor would be the library itself.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typst

from benchmarks.ratios import ROOT, Ratio, measure

DOCUMENTS = 20
NOW = datetime(2026, 5, 29, 3, 0, tzinfo=UTC)
ADDRESS = "https://hocba.example.vn/xac-minh/4QTZ8K7H2M6WXN3CABCDEFGHJK/"


def run() -> list[Ratio]:
    """Return the ratio of printing; print the rates of signing and verifying."""
    sys.path[:0] = [] if str(ROOT) in sys.path else [str(ROOT)]
    from tests.school.transcripts.samples import secondary

    from khue.kernel.sealing.typeset import fonts
    from khue.school.transcripts.documents import render as printing

    contents = [secondary(uid=f"019aa7c2-6d1e-7c30-9b52-3f0c2a4d{number:04d}") for number in range(DOCUMENTS)]
    folder = Path(printing.__file__).parent
    bare = typst.Compiler(
        str(folder / "secondary.typ"), root=str(folder), font_paths=fonts(), ignore_system_fonts=True
    )
    verification = {"address": ADDRESS, "qr": printing.qr_svg(ADDRESS)}
    inputs = [
        json.dumps({"content": item, "verification": verification}, ensure_ascii=False) for item in contents
    ]

    def floor() -> None:
        for data in inputs:
            bare.compile(
                format="pdf",
                sys_inputs={"data": data},
                pdf_standards=["a-2a"],
                timestamp=int(NOW.timestamp()),
            )

    def ours() -> None:
        for item in contents:
            printing.render(item, verification_address=ADDRESS, created_at=NOW)

    floor()
    ours()
    ratio = measure(
        f"{DOCUMENTS} transcripts printed, share of typst's rate", ours=ours, floor=floor, target=0.85,
        at_least=True, inverse=True,
    )  # fmt: skip
    _rates(printing.render(contents[0], verification_address=ADDRESS, created_at=NOW), printing.FIELDS)
    return [ratio]


def _rates(document: bytes, fields: tuple) -> None:  # type: ignore[type-arg]
    from khue.kernel.sealing.authority import DemoAuthority
    from khue.kernel.sealing.identity import Identity, SignerRole
    from khue.kernel.sealing.pdf import sign_pdf, verify_pdf
    from khue.kernel.sealing.signers import FileSigner
    from khue.kernel.sealing.stamps import stamp

    with tempfile.TemporaryDirectory() as folder:
        authority = DemoAuthority.create(Path(folder) / "keys", now=NOW)
        holder = authority.issue(
            "teacher", Identity("Phạm Văn Minh", SignerRole.TEACHER, "Trường", "1"), now=NOW
        )
        signer = FileSigner(holder.path, authority.password)
        look = stamp(signer.certificate, NOW)
        begun = time.perf_counter()
        for _number in range(DOCUMENTS):
            signed = sign_pdf(
                document, field=fields[0].name, signer=signer, signed_at=NOW, stamp=look, fields=fields
            )
        signing = DOCUMENTS / (time.perf_counter() - begun)
        begun = time.perf_counter()
        for _number in range(DOCUMENTS):
            verify_pdf(signed, authority.trust, now=NOW + timedelta(hours=1))
        verifying = DOCUMENTS / (time.perf_counter() - begun)
    print(f"signatures per second {signing:.0f}, verifications per second {verifying:.0f}", flush=True)
