"""Lines that were not taken, each with its reason, in a file beside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

LINE_ENDS = {ord(end): json.dumps(end)[1:-1] for end in "\x7f\x85\u2028\u2029"}


@dataclass(frozen=True)
class Reject:
    line: int
    code: str
    reason: str
    raw: bytes

    def as_json(self) -> str:
        """A line of the rejects file; bytes that are no text are written as escapes, and so is what some take for a line's end."""
        raw = self.raw.decode("utf-8", "backslashreplace")
        told = {"line": self.line, "code": self.code, "reason": self.reason, "raw": raw}
        return json.dumps(told, ensure_ascii=False).translate(LINE_ENDS)


class RejectsFile:
    """Rejected lines as they are met; there is no file as long as there are none, and none of a run before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> RejectsFile:
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def write(self, rejects: list[Reject]) -> None:
        if rejects and self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        if self._file:
            self._file.writelines(f"{reject.as_json()}\n" for reject in rejects)
            self._file.flush()
