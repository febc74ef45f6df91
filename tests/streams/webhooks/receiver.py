"""A receiver of webhooks in a process of its own: it writes down what it gets and answers as a file says."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from infra.embedded.kafka import free_ports


class Handler(BaseHTTPRequestHandler):
    """Answers 200, or the status of the file ``answer``; a status below 0 is no answer for so many seconds.

    On the path ``/flaky`` it refuses every eleventh message once.
    """

    folder: Path
    refused: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = self.folder / "answer"
        status = int(answer.read_text()) if answer.exists() else 200
        message = self.headers["webhook-id"]
        if self.path.startswith("/flaky") and int(message.rpartition("_")[2]) % 11 == 0 and message not in self.refused:
            self.refused.add(message)
            status = 500
        if status < 0:
            time.sleep(-status)
            return
        told = {
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode(),
            "status": status,
        }
        with (self.folder / "got").open("a") as file:  # one write of one line: appends do not mix
            file.write(json.dumps(told) + "\n")
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


def serve(port: int, folder: Path) -> None:
    Handler.folder = folder
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def listening(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Receiver:
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def answers(self, status: int) -> None:
        (self.folder / "answer").write_text(str(status))

    def got(self, taken: bool = True) -> list[dict[str, Any]]:
        """What came, in order; only what it took, unless told otherwise."""
        path = self.folder / "got"
        lines = path.read_text().splitlines() if path.exists() else []
        return [one for one in map(json.loads, lines) if not taken or one["status"] == 200]

    def wait_for(self, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        """Wait until so many different messages were taken, and return all that were."""
        until = time.monotonic() + seconds
        found = self.got()
        while len({one["headers"]["webhook-id"] for one in found}) < count:
            assert time.monotonic() < until, f"{len(found)} messages came, not {count}"
            time.sleep(0.05)
            found = self.got()
        return found


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    folder.mkdir()
    made = Receiver(folder, free_ports()[0])
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(made.port, folder), daemon=True)
    process.start()
    until = time.monotonic() + 20
    while not listening(made.port):
        assert time.monotonic() < until, "the receiver does not listen"
        time.sleep(0.02)
    try:
        yield made
    finally:
        process.terminate()
        process.join()
