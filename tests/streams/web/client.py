"""A client of the API, and the real server in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.api_keys import ApiKeys


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass(frozen=True)
class Client:
    """Asks the server at a port with a key or token; None asks without."""

    port: int
    credential: str | None

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.credential is not None:
            told["Authorization"] = f"Bearer {self.credential}"
        if raw is not None:
            told.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, raw, told)
            response = connection.getresponse()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def wait(self, path: str, position: int, seconds: float = 60) -> Answer:
        """Ask until the answer has reached a position of the log."""
        until, sign = time.monotonic() + seconds, "&" if "?" in path else "?"
        while (answer := self.get(f"{path}{sign}wait_for={position}&wait_ms=10000")).status == 504:
            assert time.monotonic() < until, answer.raw
        return answer

    def post(self, path: str, body: object, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)


@dataclass
class Served:
    """``regulars serve`` on a home; :meth:`start` waits until it answers."""

    home: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    errors: Path | None = None
    key: str = ""

    def start(self) -> None:
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("REGULARS", "REDIS"))}
        with (self.errors or Path(os.devnull)).open("ab") as errors:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).parent / "regulars"), "serve", "--port", str(self.port), "--limit", "1000000"],
                env=outside | {"REGULARS_HOME": str(self.home), "REGULARS_CURRENCY": "EUR", **self.environment},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        if not self.key:
            assert self.process.stdout
            self.key = self.process.stdout.readline().strip()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if Client(self.port, None).get("/health/ready").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError("The server did not become ready.")

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(number)
        with self.process:
            return self.process.wait(timeout=30)

    def key_of(self, *scopes: str) -> str:
        """The text of a new key with these scopes."""
        return ApiKeys(self.home / "access.db").create("+".join(scopes), scopes, 0)[1]

    def client(self, credential: str | None = None) -> Client:
        return Client(self.port, credential or self.key)

    def anonymous(self) -> Client:
        return Client(self.port, None)


def segment(name: str) -> str:
    return quote(name, safe="")
