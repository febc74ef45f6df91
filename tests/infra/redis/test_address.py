from __future__ import annotations

from pathlib import Path

import pytest
import redis

from infra.errors import Misconfigured
from infra.redis.address import redis_address, shown
from tests.secured.authority import Authority, Signed

URL = "rediss://ada:s%40crt@redis.example:6380/2"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("of 100% & more?"))


@pytest.fixture(scope="module")
def client(authority: Authority) -> Signed:
    return authority.sign("client")


def files(authority: Authority, client: Signed) -> dict[str, str]:
    return {
        "REDIS_CA_FILE": str(authority.file),
        "REDIS_CERT_FILE": str(client.certificate),
        "REDIS_KEY_FILE": str(client.key),
    }


def test_files_become_a_part_of_the_address(authority: Authority, client: Signed) -> None:
    for url in (URL, f"{URL}?socket_timeout=5"):
        address = redis_address({"REDIS_URL": url, **files(authority, client)})
        assert address
        told = redis.ConnectionPool.from_url(address).connection_kwargs
        assert (told["username"], told["password"], told["db"]) == ("ada", "s@crt", 2)
        paths = [str(authority.file), str(client.certificate), str(client.key)]
        assert [told[name] for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")] == paths


def test_an_address_without_files_is_unchanged() -> None:
    for url in (URL, "redis://localhost", "unix:///run/redis.sock?db=1", None):
        assert redis_address({"REDIS_URL": url} if url else {}) == url


@pytest.mark.parametrize(
    "url",
    ["redis://host:port", "redis://host/first", "redis://host?db=x", "rediss://host?no_such=1", "rediss://ada:a/b@host:1/0"],
)
def test_an_address_that_cannot_be_understood_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"must look like rediss://user:password@host:6379/0"):
        redis_address({"REDIS_URL": url})


def test_files_that_would_not_be_used_are_refused(authority: Authority, client: Signed) -> None:
    for url in ("redis://localhost", "unix:///run/redis.sock", ""):
        with pytest.raises(Misconfigured, match="begins with rediss://"):
            redis_address({"REDIS_URL": url, **files(authority, client)})
    with pytest.raises(Misconfigured, match="already"):
        redis_address({"REDIS_URL": f"{URL}?ssl_ca_certs=/ca.pem", **files(authority, client)})


def test_files_that_cannot_be_used_are_refused(authority: Authority, client: Signed, tmp_path: Path) -> None:
    told = {"REDIS_URL": URL, **files(authority, client)}
    other, nothing = authority.sign("other"), tmp_path / "nothing.pem"
    for change, why in (
        ({"REDIS_CA_FILE": str(nothing)}, "REDIS_CA_FILE is .*, and there is no such file"),
        ({"REDIS_CERT_FILE": ""}, "REDIS_KEY_FILE is set without REDIS_CERT_FILE"),
        ({"REDIS_KEY_FILE": str(other.key)}, "that of the certificate"),
        ({"REDIS_CA_FILE": str(client.key)}, "must be PEM files"),
    ):
        with pytest.raises(Misconfigured, match=why):
            redis_address(told | change)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://:secret@host/0", "redis://@host/0"),
        ("ada:secret@host:6379", "ada@host:6379"),
        ("redis://ada:sec@ret://@host/0", "redis://ada@host/0"),
        ("redis://host?password=secret&db=1", "redis://host?db=1"),
        ("http://ada:secret@host", "http://ada@host"),
        ("localhost:6379", "localhost:6379"),
    ],
)
def test_no_password_is_shown(url: str, told: str) -> None:
    assert shown(url) == told
