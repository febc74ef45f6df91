"""The URL of a Redis: read from the environment with the files that TLS needs, checked, and shown without its password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import redis

from infra.certificates import certificates_from, ssl_context
from infra.errors import Misconfigured

SCHEMES = ("redis://", "rediss://", "unix://")
PARAMETERS = {"ssl_ca_certs": "ca", "ssl_certfile": "certificate", "ssl_keyfile": "key"}
SECRET = re.compile(r"(?<=[?&])(?:ssl_)?password=[^&]*&?")


def redis_address(environment: Mapping[str, str]) -> str | None:
    """Return ``REDIS_URL`` with ``REDIS_CA_FILE``, ``REDIS_CERT_FILE`` and ``REDIS_KEY_FILE`` as parameters; None if unset.

    Raises :class:`Misconfigured` if a value cannot be used, or not with the others.
    """
    url, files = environment.get("REDIS_URL") or None, certificates_from(environment, "REDIS")
    if url is None or not url.startswith("rediss://"):
        if files:
            raise Misconfigured(f"{files.variables} need a REDIS_URL that begins with rediss://.")
        return url and checked(url)
    ssl_context(files)
    named = [f"{name}={quote(str(path))}" for name, what in PARAMETERS.items() if (path := getattr(files, what))]
    if named and any(f"{name}=" in url for name in PARAMETERS):
        raise Misconfigured(f"REDIS_URL names {files.variables} already: leave out one or the other.")
    return checked(url + ("&" if "?" in url else "?") * bool(named) + "&".join(named))


def checked(url: str) -> str:
    """Return a URL. Raises :class:`Misconfigured` if it cannot be understood."""
    if not url.startswith(SCHEMES):
        raise Misconfigured(f"REDIS_URL is {shown(url)!r}; it must begin with redis://, rediss:// or unix://.")
    try:
        redis.ConnectionPool.from_url(url).make_connection()
        database = "" if url.startswith("unix://") else urlsplit(url).path.strip("/")
        int(database or 0)
    except (ValueError, TypeError, redis.RedisError):
        raise Misconfigured(
            f"REDIS_URL is {shown(url)!r}; it must look like rediss://user:password@host:6379/0, with all but letters and "
            "digits of the password percent-encoded."
        ) from None
    return url


def shown(url: str) -> str:
    """Return a URL without its passwords, for people and logs.

    >>> shown("rediss://ada:secret@redis.example:6380/2?ssl_certfile=ada.pem&ssl_password=other")
    'rediss://ada@redis.example:6380/2?ssl_certfile=ada.pem'
    """
    who, at, place = url.rpartition("@")
    scheme, slashes, user = who.partition("://") if "://" in who else ("", "", who)
    return scheme + slashes + user.partition(":")[0] + at + SECRET.sub("", place).rstrip("?&")
