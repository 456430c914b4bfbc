"""A key in a PKCS#11 token signs as one in a file does. Runs where SoftHSM is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pkcs11
import pytest
from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from pkcs11.util.rsa import decode_rsa_private_key
from pkcs11.util.x509 import decode_x509_certificate

from khue.kernel.sealing import pdf, xml
from khue.kernel.sealing.authority import DemoAuthority
from khue.kernel.sealing.signers import Signer, SignerError, TokenSigner
from tests.kernel.sealing.conftest import HOMEROOM, NOW, RAW_XML

LIBRARIES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)
LIBRARY = next((path for path in LIBRARIES if path.exists()), None)

pytestmark = pytest.mark.skipif(
    LIBRARY is None or shutil.which("softhsm2-util") is None, reason="SoftHSM is not installed"
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, authority: DemoAuthority) -> Iterator[pkcs11.Session]:
    """A token with the teacher's key and certificate."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    subprocess.run(
        [
            "softhsm2-util",
            "--init-token",
            "--free",
            "--label",
            "khue",
            "--pin",
            "1234",
            "--so-pin",
            "12345678",
        ],
        check=True,
        capture_output=True,
    )
    data = authority.path_of("teacher").read_bytes()
    key, certificate, _ = pkcs12.load_key_and_certificates(data, authority.password)
    assert key is not None
    assert certificate is not None
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    asn1_keys.RSAPrivateKey.load(der)
    token = pkcs11.lib(str(LIBRARY)).get_token(token_label="khue")
    with token.open(user_pin="1234", rw=True) as session:
        private = decode_rsa_private_key(der)
        private[pkcs11.Attribute.LABEL] = "teacher"
        session.create_object(private)
        public = decode_x509_certificate(certificate.public_bytes(serialization.Encoding.DER))
        public[pkcs11.Attribute.LABEL] = "teacher"
        session.create_object(public)
        yield session


def test_a_token_signs_both_kinds_of_file(
    session: pkcs11.Session, blank_pdf: bytes, authority: DemoAuthority
) -> None:
    signer = TokenSigner(session, label="teacher", chain=(authority.issuing,))
    assert isinstance(signer, Signer)
    signed = pdf.sign_pdf(blank_pdf, field=HOMEROOM, signer=signer, signed_at=NOW)
    assert pdf.verify_pdf(signed, authority.trust, now=NOW)[0].is_good
    twin = xml.sign_xml(RAW_XML.encode(), field=HOMEROOM, signer=signer, signed_at=NOW)
    assert xml.verify_xml(twin, authority.trust, now=NOW).checks[0].is_good


def test_an_absent_key_is_a_signer_error(session: pkcs11.Session) -> None:
    with pytest.raises(SignerError):
        TokenSigner(session, label="nobody")
