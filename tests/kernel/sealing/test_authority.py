"""The demo authority: private files, names that say DEMO, certificates that say who and as what."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from khue.kernel.sealing.authority import AuthorityError, DemoAuthority
from khue.kernel.sealing.identity import Identity, SignerRole, identity_of
from khue.kernel.sealing.signers import FileSigner, SignerError
from tests.kernel.sealing.conftest import CODE, NOW, SCHOOL


def test_nobody_else_can_read_the_keys(authority: DemoAuthority) -> None:
    assert stat.S_IMODE(authority.directory.stat().st_mode) == 0o700
    files = [path for path in authority.directory.rglob("*") if path.is_file()]
    assert len(files) > 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not [path for path in files if path.name.startswith(".")]


def test_a_directory_open_to_others_is_refused(tmp_path: Path) -> None:
    DemoAuthority.create(tmp_path / "keys", now=NOW)
    os.chmod(tmp_path / "keys", 0o750)
    with pytest.raises(AuthorityError, match="0700"):
        DemoAuthority.open(tmp_path / "keys")


def test_creating_twice_keeps_the_first(authority: DemoAuthority) -> None:
    again = DemoAuthority.create(authority.directory, now=NOW)
    assert again.root.serial_number == authority.root.serial_number
    assert "DEMO" in again.root.subject.rfc4514_string()


def test_issuing_twice_under_a_label_keeps_the_first(authority: DemoAuthority) -> None:
    identity = Identity("Phạm Thị Bé", SignerRole.TEACHER, SCHOOL, CODE, "KH-9")
    first = authority.issue("be", identity, now=NOW)
    assert authority.issue("be", identity, now=NOW).certificate == first.certificate
    assert identity_of(first.certificate) == identity


def test_long_organisation_is_cut_but_its_code_is_whole(authority: DemoAuthority) -> None:
    name = "Trường Trung học cơ sở và Trung học phổ thông " + "Nguyễn Thị Minh Khai " * 4
    holder = authority.issue_seal("dai", organisation=name, organisation_id=CODE, now=NOW)
    found = identity_of(holder.certificate)
    assert name.startswith(found.organisation + " ")
    assert 40 < len(found.organisation.encode()) <= 64
    assert found.organisation_id == CODE
    assert found.role is SignerRole.SEAL


@pytest.mark.parametrize("label", ["", "../root", "a/b", "A", "a..b", "x" * 101])
def test_a_bad_label_is_refused(authority: DemoAuthority, label: str) -> None:
    with pytest.raises(AuthorityError):
        authority.issue(label, Identity("X", SignerRole.TEACHER), now=NOW)


def test_a_wrong_password_or_a_broken_file_is_a_signer_error(
    authority: DemoAuthority, tmp_path: Path
) -> None:
    with pytest.raises(SignerError):
        FileSigner(authority.path_of("teacher"), b"wrong")
    broken = tmp_path / "x.p12"
    broken.write_bytes(b"nothing")
    with pytest.raises(SignerError):
        FileSigner(broken, b"")
    with pytest.raises(SignerError):
        FileSigner(tmp_path / "absent.p12", b"")


def test_a_digest_of_another_length_is_refused(authority: DemoAuthority) -> None:
    signer = FileSigner(authority.path_of("teacher"), authority.password)
    with pytest.raises(SignerError):
        signer.sign_digest(b"short")


ONE_OF_SEVERAL = """
import sys
from datetime import datetime
from pathlib import Path
from khue.kernel.sealing.authority import DemoAuthority
from khue.kernel.sealing.identity import Identity, SignerRole
now = datetime.fromisoformat(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
authority = DemoAuthority.create(Path(sys.argv[1]), now=now)
seal = authority.issue_seal("seal", organisation="Trường THCS Nguyễn Huệ", organisation_id="86000001", now=now)
print(authority.root.serial_number, authority.issuing.serial_number, seal.certificate.serial_number)
"""


def test_several_processes_that_begin_at_once_make_one_authority(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ONE_OF_SEVERAL, str(tmp_path / "keys"), NOW.isoformat()]
    several = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for one in several:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in several:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    answers = {one.communicate(timeout=60)[0] for one in several}
    assert [one.returncode for one in several] == [0, 0, 0]
    assert len(answers) == 1
