"""Keys and trust of an installation: the web's side has certificates only; the command tells good from bad."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from django.utils import timezone

from khue.kernel.sealing import keyring, xml
from khue.kernel.sealing.cli import group
from khue.kernel.sealing.identity import Identity, SignerRole, identity_of

TEACHER = Identity("Phạm Văn Minh", SignerRole.TEACHER, "Trường THCS Nguyễn Huệ", "86000501", "8600000016")
RECORD = b'<record xmlns="urn:example:record"><content Id="content"><mark>8.3</mark></content></record>'


@pytest.fixture
def installation(settings, tmp_path: Path) -> Path:
    settings.KHUE_HOME, settings.KHUE_KEYS, settings.KHUE_DEMO = tmp_path, tmp_path / "keys", True
    return tmp_path


def test_the_demonstration_gives_a_certificate_once(installation: Path) -> None:
    one = keyring.signer_for(TEACHER, now=timezone.now())
    two = keyring.signer_for(TEACHER, now=timezone.now())
    assert one.certificate == two.certificate
    assert identity_of(one.certificate) == TEACHER


def test_trust_is_public_and_holds_no_key(installation: Path) -> None:
    assert keyring.trust().roots == ()
    signer = keyring.signer_for(TEACHER, now=timezone.now())
    trust = keyring.trust()
    assert len(trust.roots) == len(trust.intermediates) == len(trust.crls) == 1
    for path in keyring.trust_folder().rglob("*"):
        assert path.is_dir() or b"PRIVATE" not in path.read_bytes()
    signed = xml.sign_xml(RECORD, field="Signature.homeroom", signer=signer, signed_at=timezone.now())
    assert xml.verify_xml(signed, trust, now=timezone.now()).checks[0].is_good


def test_without_a_provider_nobody_signs(installation: Path, settings) -> None:
    settings.KHUE_DEMO = False
    with pytest.raises(keyring.NoCertificate):
        keyring.signer_for(TEACHER, now=timezone.now())


def test_a_named_provider_is_asked(installation: Path, settings) -> None:
    settings.KHUE_SIGNERS = f"{__name__}:provider"
    with pytest.raises(LookupError, match="Phạm Văn Minh"):
        keyring.signer_for(TEACHER, now=timezone.now())


def provider(identity: Identity, now: object) -> None:
    raise LookupError(identity.name)


def test_the_command_tells_good_from_bad(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("khue.cli.prepare", lambda **_given: None)
    signer = keyring.signer_for(TEACHER, now=timezone.now())
    good, bad, none = (installation / name for name in ("good.xml", "bad.xml", "none.xml"))
    signed = xml.sign_xml(RECORD, field="Signature.homeroom", signer=signer, signed_at=timezone.now())
    good.write_bytes(signed)
    bad.write_bytes(signed.replace(b"8.3", b"9.3"))
    none.write_bytes(RECORD)
    told = CliRunner().invoke(group, ["verify", str(good)])
    assert (told.exit_code, "1 good, 0 not" in told.output, "Phạm Văn Minh" in told.output) == (0, True, True)
    told = CliRunner().invoke(group, ["verify", str(good), str(bad), str(none)])
    assert (told.exit_code, "1 good, 2 not" in told.output, "changed" in told.output) == (1, True, True)
