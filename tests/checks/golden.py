"""Golden files: one for each stored name, with its bytes as in a log. A committed file is never written again.

``python -m tests.checks.golden`` writes the missing ones from ``tests/samples.py``. Beside a sealed event is the key that
opens it (``<name>.key``, base64).
"""

from __future__ import annotations

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.codec import Codec
from infra.keys.ring import KeyRing
from infra.keys.stores import SqliteKeys
from streams.registry import EVENTS
from tests.samples import SAMPLES

GOLDEN = Path(__file__).parents[1] / "golden"


def stored_names() -> list[tuple[str, type]]:
    """Return every name that a log may hold, with those of old shapes."""
    return [
        (kind.stored_name(version), event)
        for event, kind in EVENTS.items()
        for version in range(1, len(kind.upcasts) + 2)
    ]  # fmt: skip


@contextmanager
def codec_with_key(directory: Path, member: str, key: bytes) -> Iterator[Codec]:
    """Yield a codec with a key ring in which the member has this key."""
    path = directory / "keys.db"
    with closing(KeyRing(SqliteKeys(path))) as keys, closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (member, key))
        yield Codec(EVENTS.values(), keys)


def key_beside(name: str) -> bytes:
    path = GOLDEN / f"{name}.key"
    return b64decode(path.read_text()) if path.exists() else bytes(range(32))


def write_missing() -> list[str]:
    written = []
    for sample in SAMPLES:
        kind = EVENTS[type(sample)]
        path = GOLDEN / f"{kind.name}.json"
        if not path.exists():
            key = key_beside(kind.name)
            member = str(getattr(sample, "member", ""))
            with TemporaryDirectory() as directory, codec_with_key(Path(directory), member, key) as codec:
                path.write_bytes(codec.encode(sample)[1])
            if kind.sealed:
                path.with_suffix(".key").write_text(b64encode(key).decode() + "\n")
            written.append(kind.name)
    return written


if __name__ == "__main__":
    print(*write_missing(), sep="\n")
