"""Where webhooks may go, and what becomes of receivers that do not behave."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.webhooks import post as posting
from infra.webhooks.post import Undeliverable, check_target, post
from infra.webhooks.signature import signature


def test_the_vector_of_the_specification_is_signed_as_it_says() -> None:
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com", "https://user:word@example.com", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3",
        "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/", "ftp://example.com", "https://", "https://a b",
        "https://example.com/#part", "https://example.com:99999", "https://[64:ff9b::7f00:1]/", "https://0.0.0.0",
    ],
)  # fmt: skip
def test_no_webhook_is_registered_there(url: str) -> None:
    with pytest.raises(ValueError, match=r"(A webhook's URL|public address|[Pp]ort)"):
        check_target(url, private=False)


@pytest.mark.parametrize("host", ["localhost", "0x7f000001", "2130706433", "127.1"])
def test_a_name_of_a_private_address_is_refused_when_it_is_looked_up(host: str) -> None:
    with pytest.raises(Undeliverable):
        asyncio.run(post(f"https://{host}:9/", {}, b"{}", private=False))


@contextmanager
def answering(raw: bytes, forever: bool = False) -> Iterator[str]:
    """A receiver that answers these bytes to one connection; ``forever``: over and over, without an end."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(raw)
                try:
                    while forever:
                        connection.sendall(raw)
                except OSError:
                    return

        beside = threading.Thread(target=serve, daemon=True)
        beside.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        beside.join(5)


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 2x0\r\n\r\n"])
def test_an_answer_that_is_not_http_is_no_delivery(raw: bytes) -> None:
    with answering(raw) as url, pytest.raises(Undeliverable):
        asyncio.run(post(url, {}, b"{}", private=True))


def test_an_endless_answer_is_cut_off() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000, forever=True) as url, pytest.raises(Undeliverable):
        asyncio.run(post(url, {}, b"{}", private=True))


def test_a_receiver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Undeliverable, match="no answer within"):
        asyncio.run(post(f"http://127.0.0.1:{silent.getsockname()[1]}/", {}, b"{}", private=True))


def test_retry_after_is_read() -> None:
    with answering(b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\n\r\n") as url:
        assert asyncio.run(post(url, {}, b"{}", private=True)) == posting.PostAnswer(429, 120)
