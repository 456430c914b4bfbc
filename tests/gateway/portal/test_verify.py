"""The public page: genuine, replaced, revoked, damaged; little said, nothing kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from khue.kernel import files
from khue.kernel.files.models import StoredFile
from khue.school.transcripts import services, signing
from tests.school.transcripts import classes

pytestmark = pytest.mark.usefixtures("everything", "keys")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture
def keys(settings, installation: Path) -> None:
    settings.KHUE_KEYS = installation / "keys"
    settings.KHUE_HOME = installation


def address(token: str) -> str:
    return reverse("portal:verify", args=[token])


def text(token: str) -> str:
    return Client().get(address(token)).content.decode()


def test_the_address_in_the_qr_code_is_this_page(settings) -> None:
    settings.KHUE_PUBLIC_URL = "https://hocba.example.vn/"
    assert signing.address_of("ABC") == "https://hocba.example.vn" + address("ABC")


def test_a_genuine_transcript_and_what_it_does_not_say() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    answer = Client().get(address(found.token))
    shown = answer.content.decode()
    assert "Học bạ thật, đang có hiệu lực" in shown
    for words in ("N. V. An", "sinh năm", made.school.name, "Phạm Văn Minh", "Trần Văn Đại", "Hợp lệ"):
        assert words in shown, words
    assert "Không hợp lệ" not in shown
    for secret in (found.learner.name, found.learner.code, "7,0", "7.0", "Khá", str(found.uid)):
        assert secret not in shown, secret
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Cache-Control"] == "no-store"


def test_unknown_and_unsealed_look_the_same() -> None:
    made = classes.room(learners=1)
    made.prepare()
    (draft,) = made.transcripts()
    unknown, unsealed = Client().get(address("A" * 26)), Client().get(address(draft.token))
    assert unknown.status_code == unsealed.status_code == 404
    assert "An" not in unsealed.content.decode().split("<main")[1].split("</main>")[0]


def test_replaced_and_revoked_are_said() -> None:
    made = classes.room(learners=1)
    (old,) = made.seal()
    classes.corrected_result(made, made.learners[0], learning="tot")
    services.correct(actor=made.clerk_actor, uid=str(old.uid), reason="Sửa điểm Toán", now=timezone.now())
    for step in ("homeroom", "principal", "seal"):
        made.sign(step)
    new = made.transcripts()[1]
    assert "đã có phiên bản mới thay thế" in text(old.token)
    assert new.token not in text(old.token), "the newer one's address is not given away"
    assert "đang có hiệu lực" in text(new.token)
    services.revoke(actor=made.principal_actor, uid=str(new.uid), reason="Cấp nhầm", now=timezone.now())
    assert "đã bị thu hồi" in text(new.token)


def test_damaged_files_are_said() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    path = files.path_of(found.signatures.get(step="seal").pdf.sha256)
    path.unlink()
    shown = text(found.token)
    assert "Không nên tin bản này" in shown
    assert "bị hỏng" in shown
    assert "đang có hiệu lực" not in shown


def test_comparing_a_file_keeps_nothing() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    data = files.read(found.signatures.get(step="seal").pdf)
    before = StoredFile.objects.count()
    cases = (
        (data, "đúng từng byte"),
        (data + b"\n", "không phải tệp đã ký"),
        (b"PK\x03\x04 bomb", "không phải tệp đã ký"),
    )
    for given, words in cases:
        answer = Client().post(address(found.token), {"file": SimpleUploadedFile("hoc-ba.pdf", given)})
        assert words in answer.content.decode(), words
    large = SimpleUploadedFile("lon.pdf", b"%PDF" + b"0" * (5 * 2**20 + 1))
    answer = Client().post(address(found.token), {"file": large})
    assert answer.status_code == 422
    assert "lớn hơn 5 MB" in answer.content.decode()
    assert Client().post(address(found.token), {}).status_code == 422
    assert StoredFile.objects.count() == before


def test_a_code_may_be_typed_as_it_stands_on_paper() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    typed = f" {found.token[:8].lower()} {found.token[8:16]}-{found.token[16:]} "
    answer = Client().post(reverse("portal:enter"), {"code": typed})
    assert answer.status_code == 302
    assert answer["Location"] == address(found.token)
    wrong = Client().post(reverse("portal:enter"), {"code": "<script>1</script>"})
    assert wrong.status_code == 422
    assert "<script>1" not in wrong.content.decode()
