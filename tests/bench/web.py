"""What an answer of the API costs: processor time over that of the same server answering an empty 200.

``python -m tests.bench.web``. The load comes from a process of its own; requests a second are this machine's, now. The last
rows are sent at a steady rate, half of what was reached before: what is late because those before it were late counts as late.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import uvloop
from rich.console import Console

from aggregates.order.decider import PayOrder
from aggregates.order.events import OrderLine
from aggregates.order.placing import PlaceOrder
from infra.embedded.kafka import free_ports
from infra.event_log.types import Shop
from infra.settings import Settings
from streams.cli.console import grid
from streams.commands.request import Request
from streams.running.app import running
from tests.journey.regulars import Regulars
from tests.streams.web.client import Served

CLIENTS = 4
REQUESTS = 3000
CONNECTIONS = 64
PACED = 5.0
"""Connections of the generator that sends at a steady rate, and for how many seconds it does."""

TICKS = os.sysconf("SC_CLK_TCK")
LINE = {"product": "tea", "quantity": 1, "gross": 500, "total": 500, "paid": 500}


@dataclass(frozen=True)
class Load:
    """What a load came to: the server's processor time a request, requests a second, and how long the slow ones took."""

    cpu: float
    rate: float
    p99: float


def empty_server(port: int) -> None:
    """Answer an empty 200 to everything, with the same server as the API."""
    from granian.constants import HTTPModes, Interfaces
    from granian.server.embed import Server

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    server = Server(app, port=port, interface=Interfaces.ASGI, http=HTTPModes.http1, websockets=False, log_enabled=False)
    uvloop.run(server.serve())


def cpu_of(process: int) -> float:
    """Processor time that a process has used, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def client(port: int, key: str, asked: list[tuple[str, str, bytes | None]], out: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    taken = []
    for method, path, body in asked:
        begun = time.perf_counter()
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        told = response.read()
        if response.status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {response.status} {told!r}")
        taken.append(time.perf_counter() - begun)
    out.put(taken)


def load(process: int, port: int, key: str, asked: Callable[[int], tuple[str, str, bytes | None]]) -> Load:
    """Send requests from processes of their own and return what they came to."""
    spawn = multiprocessing.get_context("spawn")
    out = spawn.Queue()
    shares = [[asked(number) for number in range(first, REQUESTS, CLIENTS)] for first in range(CLIENTS)]
    clients = [spawn.Process(target=client, args=(port, key, share, out)) for share in shares]
    before, begun = cpu_of(process), time.perf_counter()
    for one in clients:
        one.start()
    taken = [seconds for _ in clients for seconds in out.get()]
    for one in clients:
        one.join()
    used, wall = cpu_of(process) - before, time.perf_counter() - begun
    return Load(used / REQUESTS, REQUESTS / wall, quantiles(taken, n=100)[98])


def paced(port: int, key: str, asked: list[tuple[str, str, bytes | None]], rate: float, out: Any) -> None:
    """Send requests at a steady rate, whatever the answers take, and put how long each took from when it was due."""
    out.put(uvloop.run(_paced(port, key, asked, rate)))


async def _paced(port: int, key: str, asked: list[tuple[str, str, bytes | None]], rate: float) -> list[float]:
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    begun = time.perf_counter()

    async def one(number: int, method: str, path: str, body: bytes | None) -> float:
        due = begun + number / rate
        await asyncio.sleep(due - time.perf_counter())
        reader, writer = await free.get()
        told = body or b""
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(told)}\r\n\r\n"
        writer.write(head.encode() + told)
        answer = await reader.readuntil(b"\r\n\r\n")
        if answer.split(b" ", 2)[1] not in (b"200", b"201"):
            raise RuntimeError(f"{method} {path}: {answer!r}")
        length = answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        free.put_nowait((reader, writer))
        return time.perf_counter() - due

    return list(await asyncio.gather(*(one(number, *some) for number, some in enumerate(asked))))


def at_half(rate: float, port: int, key: str, asked: Callable[[int], tuple[str, str, bytes | None]], first: int) -> list[float]:
    """Return how long requests take at half of a rate, for ``PACED`` seconds, from a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    out = spawn.Queue()
    some = [asked(first + number) for number in range(int(rate / 2 * PACED))]
    process = spawn.Process(target=paced, args=(port, key, some, rate / 2, out))
    process.start()
    taken: list[float] = out.get()
    process.join()
    return taken


def checkout(number: int) -> tuple[str, str, bytes]:
    commands = [
        {"command": "PlaceOrder", "order": f"o-{number}", "member": "ada", "currency": "EUR", "lines": [LINE] * 10},
        {"command": "PayOrder", "order": f"o-{number}"},
    ]
    return "POST", "/v1/requests", json.dumps({"commands": commands}).encode()


def checkouts_without_http(folder: Path) -> float:
    """Processor time of the same checkouts sent to the handler from Python."""
    lines = tuple(OrderLine(**LINE) for _ in range(10))  # type: ignore[arg-type]
    settings = Settings(folder, redis_url=None)
    with running(settings, Shop("UTC", "EUR")) as app:
        before = time.process_time()
        for number in range(REQUESTS):
            place = PlaceOrder(order=f"o-{number}", lines=lines, currency="EUR", at=1_700_000_000_000, member="ada")
            app.handler.handle(Request(f"r-{number}", (place, PayOrder(order=f"o-{number}", at=1_700_000_000_000))))
        used = time.process_time() - before
    Regulars(folder).run("stop")
    return used / REQUESTS


def rows(folder: Path) -> Iterator[tuple[str, ...]]:
    port, other = free_ports()
    spawn = multiprocessing.get_context("spawn")
    empty = spawn.Process(target=empty_server, args=(port,))
    empty.start()
    server = Served(folder / "home", other)
    server.start()
    assert server.process
    assert empty.pid
    shop = server.client()
    shop.post("/v1/requests", {"commands": [{"command": "RegisterMember", "member": "ada"}]})
    position = shop.post(*checkout(10**9)[1:2], json.loads(checkout(10**9)[2])).json["position"]
    shop.get(f"/v1/members/ada/recommendations?wait_for={position}&wait_ms=10000")
    try:
        floor = load(empty.pid, port, "", lambda _: ("GET", "/", None))
        path = f"/v1/members/ada/recommendations?wait_for={position}"
        listed = load(server.process.pid, other, server.key, lambda _: ("GET", path, None))
        paid = load(server.process.pid, other, server.key, checkout)
        anew = load(server.process.pid, other, server.key, lambda _: ("GET", f"{path}&fresh=true", None))
        calm = {
            "a stored list": at_half(listed.rate, other, server.key, lambda _: ("GET", path, None), 0),
            "a checkout": at_half(paid.rate, other, server.key, checkout, REQUESTS),
            "a fresh list": at_half(anew.rate, other, server.key, lambda _: ("GET", f"{path}&fresh=true", None), 0),
        }
    finally:
        empty.terminate()
        server.stop()
        Regulars(server.home).run("stop")
    bare = checkouts_without_http(folder / "bare")
    yield row("an empty 200", floor, floor.cpu, "-")
    yield row("a stored list, its position met", listed, floor.cpu, "≤ 3 × an empty 200")
    yield row("a checkout of ten lines", paid, bare, "≤ 2 × Handler.handle")
    yield row("a list scored anew (one product)", anew, listed.cpu, "beside a stored list")
    rates = {"a stored list": listed.rate, "a checkout": paid.rate, "a fresh list": anew.rate}
    for what, taken in calm.items():
        cuts = quantiles(taken, n=100)
        rate = f"{rates[what] / 2:,.0f}/s"
        yield f"{what}, at half its rate", "-", f"p50 {cuts[49] * 1e3:.1f} ms", rate, f"{cuts[98] * 1e3:.1f} ms", "p99 ≤ 25 ms"


def row(what: str, found: Load, base: float, goal: str) -> tuple[str, ...]:
    return (
        what,
        f"{found.cpu * 1e6:,.0f} µs",
        f"{found.cpu / base:.2f}",
        f"{found.rate:,.0f}/s",
        f"{found.p99 * 1e3:.1f} ms",
        goal,
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        table = grid("The API", ("what", "CPU", "ratio", "rate", "p99", "goal"), rows(Path(folder)))
        Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
