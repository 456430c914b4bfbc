"""The national data centre's envelope: IdBanGhi, SuKien, PhienBan, ThoiGianCapNhat around each record.

A person's particulars are split as its tables do: a citizen by the personal number, else a foreigner by papers. Dates of
which only a part is known go as far as they are known. Code values beside the envelope are those of QĐ 4998/QĐ-BGDĐT.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from khue.gateway.sync.adapters import Answer, Outgoing, renamed
from khue.gateway.sync.adapters.base import OverHttp, answers
from khue.gateway.sync.adapters.ministry import VIETNAM_FORMAT
from khue.gateway.sync.transport import Unreachable

PERSONAL = {
    "HO_TEN": "HoVaTen", "NGAY_SINH": "NgaySinh", "MA_GIOI_TINH": "GioiTinh", "MA_DAN_TOC": "DanToc", "QUOC_TICH_ID": "QuocTich",
    "NOI_SINH": "NoiSinh", "XA_PHUONG_ID": "NoiCuTruMaXa", "TINH_THANH_ID": "NoiCuTruMaTinh",
}  # fmt: skip
"""Our symbols under the names of the person block; the rest of the record stays in DuLieu."""
NUMBERS = ("MA_CONG_DAN_ID", "SO_CMTND")


class DataCentre(OverHttp):
    """Push by object: one request a batch, versions decide at the receiver."""

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "path": "/ban-ghi", "system": "", "accepted": ["00", "01"], "later": ["90", "99"], "rename": {}, "persons": ["staff", "learner"],
    }  # fmt: skip

    def push(self, object_: str, batch: Sequence[Outgoing]) -> list[Answer]:
        """See `Adapter.push`."""
        get = self.options.get
        body = {"MaHeThong": get("system"), "DanhSach": [self.envelope(one) for one in batch]}
        answer = self.link.send("POST", f"{get('path')}/{object_}", body)
        told = answer.body.get("KetQua") if isinstance(answer.body, dict) else None
        if answer.status >= 500 or answer.status == 429 or not isinstance(told, list):
            raise Unreachable(f"status {answer.status}")
        return answers(told, batch, id_name="IdBanGhi", code_name="MaLoi", message_name="MoTa", accepted=get("accepted"), later=get("later"))

    def envelope(self, one: Outgoing) -> dict[str, Any]:
        """Return a record in its envelope."""
        made: dict[str, Any] = {
            "IdBanGhi": one.record_id, "SuKien": one.event, "PhienBan": one.version, "ThoiGianCapNhat": one.changed_at.strftime(VIETNAM_FORMAT),
            "NamHoc": one.school_year, "MaTruong": one.school_code, "CapHoc": one.level,
        }  # fmt: skip
        if one.event == "CANCEL":
            return made
        record = dict(one.record)
        if one.object in self.options.get("persons"):
            made |= person(record)
        made["DuLieu"] = renamed(record, self.options.get("rename", one.object) or {})
        return made


def person(record: dict[str, Any]) -> dict[str, Any]:
    """Take a person's particulars out of a record and return their block: CongDan or NguoiNuocNgoai.

    A Vietnamese without a known number is a citizen whose number is still empty: the number is looked for, not invented.
    """
    number = next((record.pop(symbol) for symbol in NUMBERS if record.get(symbol)), "")
    block = {name: record.pop(symbol) for symbol, name in PERSONAL.items() if symbol in record}
    foreign = block.get("QuocTich") not in (None, "", "VN", "VNM") and not (len(number) == 12 and number.isdigit())
    if foreign:
        return {"NguoiNuocNgoai": {"SoDinhDanhNguoiNuocNgoai": "", "GiayToNhapCanh": number, **block}}
    return {"CongDan": {"SoDinhDanh": number, **block}}
