"""Clients that do not behave, on real sockets: each gets a clear answer, memory stays bounded, nobody else is hurt."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.streams.web.client import Served

pytestmark = pytest.mark.servers  # slow clients take their time

MEGABYTE = 1 << 20
MOST_GROWTH = 150 * MEGABYTE
"""What the server's memory may grow by, whatever a client sends."""


def memory_of(process: int) -> int:
    """Bytes of a process that are in memory."""
    fields = Path(f"/proc/{process}/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize()


@contextmanager
def unhurt(served: Served) -> Iterator[None]:
    """Hold that another client is answered at once afterwards, and that the server's memory has not grown beyond bounds."""
    assert served.process
    before = memory_of(served.process.pid)
    yield
    begun = time.monotonic()
    assert served.client().get("/v1/popular").status == 200
    assert time.monotonic() - begun < 2
    assert memory_of(served.process.pid) - before < MOST_GROWTH


def connected(served: Served, seconds: float = 30) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=seconds)


def head(served: Served, *lines: str, path: str = "/v1/members") -> bytes:
    told = (f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {served.key}", "Content-Type: application/json", *lines)
    return "".join(f"{line}\r\n" for line in told).encode() + b"\r\n"


def answer_of(connection: socket.socket) -> tuple[int, str]:
    """Status and code of the answer on a connection."""
    raw = b""
    while b"\r\n\r\n" not in raw and (part := connection.recv(65_536)):
        raw += part
    first, _, rest = raw.partition(b"\r\n\r\n")
    if not first:
        return 0, ""
    length = next((int(line[15:]) for line in first.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(rest) < length and (part := connection.recv(65_536)):
        rest += part
    return int(first.split()[1]), json.loads(rest).get("code", "") if rest else ""


def test_a_body_of_a_gigabyte_is_refused_by_its_length(served: Served) -> None:
    with unhurt(served), connected(served) as connection:
        connection.sendall(head(served, f"Content-Length: {1 << 30}"))
        assert answer_of(connection) == (413, "body_too_large")


def test_a_body_of_a_gigabyte_without_a_length_is_cut_off(served: Served) -> None:
    with unhurt(served), connected(served) as connection:
        connection.sendall(head(served, "Transfer-Encoding: chunked"))
        part, sent = b"10000\r\n" + b" " * 65_536 + b"\r\n", 0
        try:
            while sent < 1 << 30:
                connection.sendall(part)
                sent += len(part)
        except OSError:
            pass
        assert sent < 64 * MEGABYTE
        with suppress(OSError):  # where the server closed the connection while we were still sending
            assert answer_of(connection) == (413, "body_too_large")


def test_half_a_body_is_answered_once_its_time_is_up(served: Served) -> None:
    with unhurt(served), connected(served) as connection:
        begun = time.monotonic()
        connection.sendall(head(served, "Content-Length: 100") + b'{"member": ')
        assert answer_of(connection) == (408, "body_too_slow")
        assert 5 < time.monotonic() - begun < 20


def test_a_byte_a_second_does_not_keep_a_request_open_for_ever(served: Served) -> None:
    with unhurt(served), connected(served) as connection:
        connection.sendall(head(served, "Content-Length: 1000"))
        begun = time.monotonic()
        connection.settimeout(1)
        while time.monotonic() - begun < 20:
            try:
                connection.sendall(b" ")
                if connection.recv(1, socket.MSG_PEEK) is not None:
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert time.monotonic() - begun < 15


def test_half_a_header_is_closed_once_its_time_is_up(served: Served) -> None:
    with unhurt(served), connected(served) as connection:
        connection.sendall(b"GET /v1/popular HTTP/1.1\r\nHost: x\r\nAuthor")
        begun = time.monotonic()
        assert answer_of(connection)[0] in (0, 408)
        assert time.monotonic() - begun < 20


def test_a_client_that_never_reads_holds_nobody_up(served: Served) -> None:
    ask = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.key}\r\n\r\n".encode()
    with unhurt(served), connected(served) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        sent = 0
        try:
            for _ in range(2000):
                sent += connection.send(ask)
        except BlockingIOError:
            pass
        time.sleep(1)
        assert sent > len(ask)
        for _ in range(20):
            assert served.client().get("/v1/popular").status == 200


def test_a_client_that_goes_away_in_mid_body_leaves_nothing_behind(served: Served) -> None:
    with unhurt(served):
        for _ in range(200):
            with connected(served) as connection:
                connection.sendall(head(served, "Content-Length: 100") + b'{"member": "gone"')
    assert served.client().get("/metrics").raw.decode().count("regulars_http_in_flight 1.0") == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 900_000,
        b'{"member":' * 90_000,
        b'{"member":"m","profile":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"member":"\\ud800"}',
        b'{"member":"m","at":1' + b"0" * 30 + b"}",
        b'{"member":"m","at":1e999}',
        b'{"member":"' + b"m" * 500 + b'"}',
        b'{"member":"m\\u0000"}',
    ],
)
def test_hostile_json_is_a_problem_of_the_asker(served: Served, raw: bytes) -> None:
    with unhurt(served):
        answer = served.client().ask("POST", "/v1/members", raw)
    assert answer.status in (400, 422), answer.raw[:300]
    assert answer.json["code"] in ("json_invalid", "body_invalid", "command_invalid", "member_id_invalid")


@pytest.mark.parametrize("days", [-400, -1.5, 1.5, 400])
def test_a_storefront_whose_clock_is_off_is_told_so(served: Served, days: float) -> None:
    at = int((time.time() + days * 86_400) * 1000)
    answer = served.client(served.key_of("storefront")).post("/v1/members", {"member": "m", "at": at})
    assert (answer.status, answer.json["code"]) == (422, "instant_out_of_range")


def test_as_many_idle_connections_as_there_may_be_hurt_nobody(served: Served) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = min(10_000, soft - 500)
    begun = time.monotonic()
    with unhurt(served), ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(connected(served))
        for _ in range(10):
            assert served.client().get("/v1/popular").status == 200
    assert time.monotonic() - begun < 90


def test_the_server_lets_itself_open_as_many_files_as_it_may() -> None:
    code = "import resource; from streams.web.server import allow_connections; allow_connections(); "
    code += "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    shell = f"ulimit -Sn 200 && ulimit -Hn 4000 && {sys.executable} -c '{code}'"
    done = subprocess.run(["/bin/bash", "-c", shell], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["4000", "4000"]
