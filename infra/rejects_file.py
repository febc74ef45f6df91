"""The file of lines that an import rejected. Writing it never destroys another file, and an erasure reaches those of a home."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from infra.errors import Misconfigured
from infra.private_files import PRIVATE_DIRECTORY, PRIVATE_FILE

FOLDER = "rejects"
"""Where a home keeps its rejects files."""

MOST_BYTES = 64 << 20
"""The bytes of one rejects file; rejected lines beyond it are counted and not written."""

KEYS = {"line", "code", "reason", "raw"}
NAMES = {"member_id", "session_id", "member", "session", "joined", "by", "to", "joiner"}
"""Fields of a line, or of a command in it, that name a shopper."""

LINE_ENDS = {ord(end): json.dumps(end)[1:-1] for end in "\x7f\x85\u2028\u2029"}


@dataclass(frozen=True)
class RejectedLine:
    line: int
    code: str
    reason: str
    raw: bytes

    def as_json(self) -> str:
        """Return a line of the rejects file. Bytes that are not text, and characters that end a line, are escaped."""
        raw = self.raw.decode("utf-8", "backslashreplace")
        fields = {"line": self.line, "code": self.code, "reason": self.reason, "raw": raw}
        return json.dumps(fields, ensure_ascii=False).translate(LINE_ENDS)


class RejectsFile:
    """Writes rejected lines as they occur; before the first one, nothing is created or replaced.

    ``left_out`` counts lines that did not fit. A pipe is opened once, because its reader takes the close for the end of the
    data. Raises :class:`Misconfigured` if the file cannot be written, before anything is imported.
    """

    def __init__(self, path: Path) -> None:
        self.left_out = 0
        self._path = path
        self._room = MOST_BYTES
        self._file: TextIO | None = None

    def __enter__(self) -> RejectsFile:
        with self._writable():
            if self._path.exists() and not self._path.is_file():  # a device or a pipe
                self._file = self._path.open("w", encoding="utf-8")
            elif self._path.parent.exists():
                probe_writable(self._path)
            elif not nearest_folder(self._path).is_dir():
                raise NotADirectoryError(20, "a part of the path is no folder")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            with suppress(OSError):  # the bytes that are left could not be written before either
                self._file.close()

    def write(self, rejects: list[RejectedLine]) -> None:
        """Write the lines; the first ones of an import replace the file of an earlier import."""
        with self._writable():
            if rejects and self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
                self._file = open_rejects(self._path)
            if self._file:
                for reject in rejects:
                    self._write(reject)
                self._file.flush()

    def _write(self, reject: RejectedLine) -> None:
        text = f"{reject.as_json()}\n"
        size = len(text.encode())
        if self.left_out or size > self._room:
            self.left_out += 1
        elif self._file:
            self._file.write(text)
            self._room -= size

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise Misconfigured(f"Rejected lines cannot be written to {self._path}: {fault.strerror or fault}.") from None


def require_replaceable(path: Path, home: Path) -> None:
    """Raise :class:`Misconfigured` for a file of the home's, and for an existing file that is no rejects file."""
    target, own = path.resolve(), home.resolve()
    if target.is_relative_to(own) and not target.is_relative_to(own / FOLDER):
        raise Misconfigured(f"{path} is in REGULARS_HOME: name another place for rejected lines.")
    if path.is_file() and not is_rejects_file(path):
        raise Misconfigured(f"{path} exists and is no rejects file: name another one, or remove it.")


def is_rejects_file(path: Path) -> bool:
    """Return whether a file is empty, or begins with a line of a rejects file."""
    with suppress(OSError), path.open("rb") as file:
        start = file.readline(MOST_BYTES)
        return not start or rejected_in(start) is not None
    return False


def purge_rejects(home: Path, shoppers: Collection[str]) -> None:
    """Remove the rejected lines of these members and sessions from the rejects files of a home.

    Lines that are no JSON objects are removed too: nobody can tell whose they are.
    """
    for path in sorted((home / FOLDER).glob("*.jsonl")) if shoppers else ():
        if not path.is_symlink() and path.is_file():
            keep_lines_without(path, frozenset(shoppers))


def keep_lines_without(path: Path, shoppers: frozenset[str]) -> None:
    part = path.with_name(f".{path.name}.part")
    with path.open("rb") as before, open_rejects(part) as after:
        for line in before:
            if (fields := rejected_in(line)) is not None and not may_be_about(fields["raw"], shoppers):
                after.write(line.decode())
        empty = not after.tell()
    if empty:
        path.unlink()
        part.unlink()
        with suppress(OSError):
            path.parent.rmdir()
    else:
        part.replace(path)


def rejected_in(line: bytes) -> dict[str, Any] | None:
    """Return what a line of a rejects file holds; None of any other line."""
    with suppress(ValueError):
        fields = json.loads(line)
        if isinstance(fields, dict) and fields.keys() == KEYS and isinstance(fields["raw"], str):
            return fields
    return None


def may_be_about(raw: str, shoppers: frozenset[str]) -> bool:
    """Return whether a rejected line names one of the shoppers, or is no JSON object, so that nobody can tell."""
    try:
        document = json.loads(raw)
        return not isinstance(document, dict) or names_one_of(shoppers, document)
    except (ValueError, RecursionError):
        return True


def names_one_of(shoppers: frozenset[str], document: object) -> bool:
    if isinstance(document, dict):
        return any(
            str(value) in shoppers if name in NAMES and isinstance(value, str | int) else names_one_of(shoppers, value)
            for name, value in document.items()
        )
    return isinstance(document, list) and any(names_one_of(shoppers, entry) for entry in document)


def open_rejects(path: Path) -> TextIO:
    """Open a file to be written from its start, which its owner alone may read."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    if stat.S_ISREG(os.fstat(number).st_mode):
        os.fchmod(number, PRIVATE_FILE)
    return os.fdopen(number, "w", encoding="utf-8")


def probe_writable(path: Path) -> None:
    """Raise ``OSError`` if a file cannot be written; leave it as it is, and none where there was none."""
    existed = path.exists() or path.is_symlink()
    with path.open("ab"):
        pass
    if not existed:
        path.unlink()


def nearest_folder(path: Path) -> Path:
    """Return the nearest parent that exists."""
    return next(parent for parent in path.parents if parent.exists())
