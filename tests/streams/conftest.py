"""The command line, in this process: what it says, and with which status it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import redis

from streams.cli.main import main


@dataclass(frozen=True)
class Said:
    status: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command: TypeAlias = Callable[..., Said]


@pytest.fixture
def command(
    tmp_path: Path,
    valkey_url: str,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Command:
    """Runs ``regulars`` with these words in a home of its own; whatever is raised but an exit is a traceback."""
    for name, value in (("REGULARS_HOME", str(tmp_path / "home")), ("REDIS_URL", valkey_url), ("COLUMNS", "200")):
        monkeypatch.setenv(name, value)
    for name in ("REGULARS_ZONE", "REGULARS_CURRENCY"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object, stdin: bytes | None = b"") -> Said:
        monkeypatch.setattr(sys, "argv", ["regulars", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", None if stdin is None else TextIOWrapper(BytesIO(stdin)))
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsysbinary.readouterr()
        return Said(status, out, err.decode())

    return run
