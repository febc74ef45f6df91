"""Lines that were not taken, each with its reason, in a file beside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from infra.errors import Misconfigured

LINE_ENDS = {ord(end): json.dumps(end)[1:-1] for end in "\x7f\x85\u2028\u2029"}


@dataclass(frozen=True)
class Reject:
    line: int
    code: str
    reason: str
    raw: bytes

    def as_json(self) -> str:
        """A line of the rejects file; bytes that are no text become escapes, and so does what some take for a line's end."""
        raw = self.raw.decode("utf-8", "backslashreplace")
        told = {"line": self.line, "code": self.code, "reason": self.reason, "raw": raw}
        return json.dumps(told, ensure_ascii=False).translate(LINE_ENDS)


class RejectsFile:
    """Rejected lines as they are met; there is no file as long as there are none, and none of a run before.

    A pipe is opened once, since whoever reads it takes its being closed for the end.

    Raises :class:`Misconfigured` if it cannot be written, which is found out before anything is imported.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> RejectsFile:
        with self._writable():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
            if self._path.is_file() and not self._path.is_symlink():  # no device, and nothing that names another file
                self._file.close()
                self._file = None
                self._path.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            with suppress(OSError):  # what is left to write then is what could not be
                self._file.close()

    def write(self, rejects: list[Reject]) -> None:
        with self._writable():
            if rejects and self._file is None:
                self._file = self._path.open("w", encoding="utf-8")
            if self._file:
                self._file.writelines(f"{reject.as_json()}\n" for reject in rejects)
                self._file.flush()

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise Misconfigured(f"Rejected lines cannot be written to {self._path}: {fault.strerror or fault}.") from None
