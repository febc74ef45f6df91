"""The PEM files of an encrypted connection: trusted authorities and our certificate. They are checked before we connect."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.errors import Misconfigured


@dataclass(frozen=True)
class Certificates:
    """``ca``: trusted authorities, None for the system's. ``certificate``, ``key``: our own, for a server that asks.

    ``server``: the prefix of their variables, such as ``REDIS``.
    """

    server: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.ca or self.certificate or self.key)

    @property
    def variables(self) -> str:
        """
        >>> Certificates("REDIS").variables
        'REDIS_CA_FILE, REDIS_CERT_FILE and REDIS_KEY_FILE'
        """
        return f"{self.server}_CA_FILE, {self.server}_CERT_FILE and {self.server}_KEY_FILE"


def certificates_from(environment: Mapping[str, str], server: str) -> Certificates:
    """Read ``…_CA_FILE``, ``…_CERT_FILE`` and ``…_KEY_FILE``.

    Raises :class:`Misconfigured` if a file does not exist, or a key has no certificate.
    """
    ca, certificate, key = (file_from(environment, f"{server}_{what}_FILE") for what in ("CA", "CERT", "KEY"))
    if key and not certificate:
        raise Misconfigured(f"{server}_KEY_FILE is set without {server}_CERT_FILE.")
    return Certificates(server, ca, certificate, key)


def file_from(environment: Mapping[str, str], variable: str) -> Path | None:
    value = environment.get(variable)
    if not value:
        return None
    path = Path(value).expanduser().resolve()
    if not path.is_file():
        raise Misconfigured(f"{variable} is {value!r}, and there is no such file.")
    return path


def ssl_context(files: Certificates) -> ssl.SSLContext:
    """Return a client's context, which checks the server's name. Raises :class:`Misconfigured` if a file cannot be used."""
    try:
        made = ssl.create_default_context(cafile=files.ca)
        if files.certificate:
            made.load_cert_chain(files.certificate, files.key, password=refuse_password)
    except (ssl.SSLError, OSError) as fault:
        raise Misconfigured(
            f"{files.variables} cannot be used ({fault}): they must be PEM files, the key without a password and "
            "that of the certificate."
        ) from None
    return made


def refuse_password() -> str:
    """Return no password; OpenSSL would ask for one on the terminal."""
    return ""
