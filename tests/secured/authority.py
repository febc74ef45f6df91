"""A certificate authority of the tests' own, and what it signs, as PEM files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
LOOPBACK = (x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1")))


@dataclass(frozen=True)
class Signed:
    """``both``: key and certificate in one file."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    def __init__(self, directory: Path, name: str = "Authority") -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = named(name)
        self.file = directory / "ca.pem"
        built = self._begun(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file.write_bytes(built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str, places: tuple[x509.GeneralName, ...] = LOOPBACK) -> Signed:
        """A key, and a certificate for it: of a server at ``places``, or of a client who is called ``name``."""
        key = ec.generate_private_key(ec.SECP256R1())
        built = (
            self._begun(named(name), key.public_key())
            .add_extension(x509.SubjectAlternativeName(places), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )
        certificate = built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        made = Signed(*(self._directory / f"{name}{end}" for end in (".pem", ".key", ".both.pem")))
        made.certificate.write_bytes(certificate)
        for path, content in ((made.key, private), (made.both, private + certificate)):
            path.touch(mode=0o600)
            path.write_bytes(content)
        return made

    def _begun(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=datetime.now(UTC) - DAY,
            not_valid_after=datetime.now(UTC) + DAY,
        )


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
