"""Schools with complete records, a reference receiver on loopback over HTTPS, and certificates made for the run."""

from __future__ import annotations

import datetime as dt
import ipaddress
import threading
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.utils import timezone

from khue.gateway.sync import receiver, work
from khue.gateway.sync.models import SyncChannel, SyncTurn
from khue.kernel import jobs
from khue.kernel.permissions import system_actor
from tests.province.periods.conftest import make

LEVELS, OBJECTS = ["lower_secondary"], ["school", "class", "staff", "learner", "result"]
TOKEN = "mot-ma-truy-cap"


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _certificate(name: str, key, issuer: str, issuer_key, *, is_ca: bool = False, usage=None) -> x509.Certificate:
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    builder = (
        x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=30)).add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )  # fmt: skip
    if is_ca:
        builder = builder.add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, a server's certificate, a client's, and one of a stranger."""
    folder = tmp_path_factory.mktemp("papers")
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "server", "client", "other-ca", "stranger")}
    ca = _certificate("CA", keys["ca"], "CA", keys["ca"], is_ca=True)
    other = _certificate("Other", keys["other-ca"], "Other", keys["other-ca"], is_ca=True)
    made = {
        "server": _certificate("receiver", keys["server"], "CA", keys["ca"], usage=ExtendedKeyUsageOID.SERVER_AUTH),
        "client": _certificate("khue", keys["client"], "CA", keys["ca"], usage=ExtendedKeyUsageOID.CLIENT_AUTH),
        "stranger": _certificate("stranger", keys["stranger"], "Other", keys["other-ca"], usage=ExtendedKeyUsageOID.CLIENT_AUTH),
    }
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "other-ca.pem").write_bytes(other.public_bytes(serialization.Encoding.PEM))
    for name, certificate in made.items():
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + _pem(keys[name]))
    return folder


def credential(folder: Path, papers: Path, name: str, *, client: str = "client", ca: str = "ca", token: str = TOKEN) -> str:
    """Put a credential where channels look for it; returns its name."""
    place = folder / "channels" / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "ca.pem").write_bytes((papers / f"{ca}.pem").read_bytes())
    if client:
        (place / "client.pem").write_bytes((papers / f"{client}.pem").read_bytes())
    (place / "token").write_text(token)
    return name


@pytest.fixture
def other_end(papers: Path) -> Iterator[receiver.Receiver]:
    """The reference receiver, served over HTTPS with client certificates; its address is `url`."""
    application = receiver.Receiver(token=TOKEN)
    server = receiver.serve(application, context=receiver.server_context(papers / "server.pem", papers / "ca.pem"))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    application.url = f"https://127.0.0.1:{server.server_port}"
    yield application
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def made(common):
    return make(size=4)


@pytest.fixture
def ground(made, everything, keys):
    return deepcopy(made)


@pytest.fixture
def keys(settings, tmp_path: Path, papers: Path) -> Path:
    settings.KHUE_KEYS = tmp_path / "keys"
    settings.KHUE_HOME = tmp_path
    credential(tmp_path / "keys", papers, "ndc")
    return tmp_path / "keys"


def channel(other_end, *, adapter: str = "ndc", code: str = "kenh", **fields) -> SyncChannel:
    values = {"name": "Kênh thử", "base_url": other_end.url, "credential": "ndc", "levels": LEVELS, "objects_sent": OBJECTS, "batch_size": 7, **fields}
    return SyncChannel.objects.create(code=code, adapter=adapter, **values)


def turn(held: SyncChannel) -> SyncTurn:
    """Run a whole turn of the school year 2025, as the night does."""
    job = jobs.start(
        work.TURN, actor=system_actor("test"), title="x", at=timezone.now(), parameters={"channel": held.pk, "school_year": 2025}
    )
    jobs.run(job.pk, clock=timezone.now)
    job.refresh_from_db()
    assert job.state == "done", job.message
    held.refresh_from_db()
    return SyncTurn.objects.get(job=job)
