"""The PEM files of an encrypted connection: whom we trust and who we are, found unusable before anything is tried."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.errors import Misconfigured


@dataclass(frozen=True)
class Certificates:
    """``ca``: whom we trust, None for whom the system trusts. ``certificate``, ``key``: who we are, where that is asked.

    ``server``: whose variables they come from, such as ``REDIS``.
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


def named_certificates(environment: Mapping[str, str], server: str) -> Certificates:
    """Those of ``…_CA_FILE``, ``…_CERT_FILE`` and ``…_KEY_FILE``.

    Raises :class:`Misconfigured` if a file is not there, or a key has no certificate.
    """
    ca, certificate, key = (named_file(environment, f"{server}_{what}_FILE") for what in ("CA", "CERT", "KEY"))
    if key and not certificate:
        raise Misconfigured(f"{server}_KEY_FILE is set without {server}_CERT_FILE.")
    return Certificates(server, ca, certificate, key)


def named_file(environment: Mapping[str, str], variable: str) -> Path | None:
    value = environment.get(variable)
    if not value:
        return None
    path = Path(value).expanduser().resolve()
    if not path.is_file():
        raise Misconfigured(f"{variable} is {value!r}, where there is no file.")
    return path


def context(files: Certificates) -> ssl.SSLContext:
    """What a client connects with: the server must prove its name. Raises :class:`Misconfigured` if a file is not usable."""
    try:
        made = ssl.create_default_context(cafile=files.ca)
        if files.certificate:
            made.load_cert_chain(files.certificate, files.key, password=no_password)
    except (ssl.SSLError, OSError) as fault:
        raise Misconfigured(
            f"{files.variables} cannot be used ({fault}): they must be PEM files, the key without a password and the "
            "certificate's own."
        ) from None
    return made


def no_password() -> str:
    """Instead of a question on the terminal."""
    return ""
