"""The real command, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Regulars:
    home: Path

    def start(self, *words: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("REGULARS", "REDIS"))}
        return subprocess.Popen(
            [str(Path(sys.executable).parent / "regulars"), *words],
            env=environment | {"REGULARS_HOME": str(self.home), "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit status, output and errors."""
        process = self.start(*words)
        out, err = process.communicate(timeout=3600)
        return process.returncode, out, err

    def json(self, *words: str) -> Any:
        status, out, err = self.run(*words, "--json")
        assert status == 0, err
        return json.loads(out)

    def log_size(self) -> int:
        log = self.home / "events.db-wal"
        return log.stat().st_size if log.exists() else 0
