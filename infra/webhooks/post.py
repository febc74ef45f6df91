"""Post a body to an address on the internet, and nowhere else.

A name is looked up once, every address it has must be public, and the connection goes to one that was checked. So a name that
means another address a moment later leads nowhere else. No redirect is followed and no proxy is asked.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM
from urllib.parse import SplitResult, urlsplit

TIMEOUT = 15.0
"""Seconds for the whole of one attempt."""

LONGEST_HEAD = 32_768
"""Bytes of an answer's status line and headers; its body is not read."""

TRANSLATED = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 as a translator (NAT64) writes them."""


class Undeliverable(Exception):  # noqa: N818 - what became of the attempt
    """An attempt that brought no answer; the text is the reason."""


@dataclass(frozen=True)
class PostAnswer:
    """``retry_after``: seconds, if the receiver says so."""

    status: int
    retry_after: int | None = None


def check_target(url: str, private: bool) -> SplitResult:
    """Return the parts of a URL. ``private``: plain HTTP and addresses that are not public are allowed.

    Raises :class:`ValueError` with a sentence if nothing may be sent there.
    """
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 2000:
        raise ValueError("A webhook's URL is printable ASCII of at most 2,000 characters.")
    parts = urlsplit(url)
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise ValueError("A webhook's URL begins with https://; REGULARS_WEBHOOKS_PRIVATE=yes allows http:// as well.")
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("A webhook's URL has a host, and neither a user nor a fragment.")
    _ = parts.port  # raises ValueError if it is no port
    try:
        literal = ip_address(parts.hostname)
    except ValueError:
        return parts
    if not private and not is_public(literal):
        raise ValueError(f"{parts.hostname} is not a public address; REGULARS_WEBHOOKS_PRIVATE=yes allows it.")
    return parts


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address, and one of IPv4 inside it, belongs to the internet.

    >>> [is_public(ip_address(one)) for one in ("93.184.215.14", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False, False]
    >>> [is_public(ip_address(one)) for one in ("64:ff9b::a00:1", "2002:7f00:1::", "fe80::1%eth0", "100.64.0.1", "0.0.0.0")]
    [False, False, False, False, False]
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


async def post(url: str, headers: Mapping[str, str], body: bytes, private: bool) -> PostAnswer:
    """Post a body and return what was answered. Raises :class:`Undeliverable`."""
    try:
        parts = check_target(url, private)
        async with asyncio.timeout(TIMEOUT):
            return await _exchange(parts, headers, body, await _address(parts, private))
    except TimeoutError:
        raise Undeliverable(f"no answer within {TIMEOUT:.0f} seconds") from None
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as fault:
        raise Undeliverable(str(fault) or type(fault).__name__) from None


def port_of(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


async def _address(parts: SplitResult, private: bool) -> str:
    """Return the first address of a host, once all of them were checked."""
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port_of(parts), type=SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not private:
        for address in addresses:
            if not is_public(ip_address(address)):
                raise ValueError(f"{parts.hostname} is {address}, which is not a public address")
    return addresses[0]


async def _exchange(parts: SplitResult, headers: Mapping[str, str], body: bytes, address: str) -> PostAnswer:
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        address, port_of(parts), ssl=secure, server_hostname=parts.hostname if secure else None, limit=LONGEST_HEAD
    )
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {"host": parts.netloc, "content-length": str(len(body)), "connection": "close", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        await writer.drain()
        return _answer(await reader.readuntil(b"\r\n\r\n"))
    finally:
        writer.transport.abort()


def _answer(head: bytes) -> PostAnswer:
    """Return the answer of a status line and headers. Raises :class:`ValueError` for what is not HTTP."""
    first, *rest = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not version.startswith("HTTP/1.") or not status[:3].isdigit():
        raise ValueError("the answer is not HTTP")
    told = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    after = told.get("retry-after", "")
    return PostAnswer(int(status[:3]), int(after) if after.isascii() and after.isdigit() and len(after) < 8 else None)
