"""Rejected lines: why a line cannot be taken, and the file that keeps those that were not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from infra.errors import Misconfigured

LINE_ENDS = {ord(end): json.dumps(end)[1:-1] for end in "\x7f\x85\u2028\u2029"}


class Rejected(Exception):  # noqa: N818 - an answer about one line, not a fault of the file
    """A line cannot be taken. ``code`` is stable and snake_case; ``reason`` says what is wrong and what to do."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    def within(self, place: str) -> Rejected:
        """Return the same fault, with the field or entry that it is about.

        >>> Rejected("id_invalid", "An id is text.").within("product_id").reason
        'product_id: An id is text.'
        """
        return Rejected(self.code, f"{place}: {self.reason}")


@dataclass(frozen=True)
class RejectedLine:
    line: int
    code: str
    reason: str
    raw: bytes

    def as_json(self) -> str:
        """Return a line of the rejects file. Bytes that are not text, and characters that end a line, are escaped."""
        raw = self.raw.decode("utf-8", "backslashreplace")
        told = {"line": self.line, "code": self.code, "reason": self.reason, "raw": raw}
        return json.dumps(told, ensure_ascii=False).translate(LINE_ENDS)


class RejectsFile:
    """Writes rejected lines as they occur. There is no file while there are none, and none of an earlier run.

    A pipe is opened once, because its reader takes the close for the end of the data. Raises :class:`Misconfigured` if the
    file cannot be written, before anything is imported.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> RejectsFile:
        with self._writable():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
            if self._path.is_file() and not self._path.is_symlink():  # neither a device nor a link
                self._file.close()
                self._file = None
                self._path.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            with suppress(OSError):  # the bytes that are left could not be written before either
                self._file.close()

    def write(self, rejects: list[RejectedLine]) -> None:
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
