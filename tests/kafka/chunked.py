"""A tiny Faust app that takes a topic in chunks of 10 and tells each on a line: ``took partition first last``.

Told as JSON: ``resume`` (partition → offset), and offsets whose chunk, when it comes first, is not acknowledged (``veto``), is
held for ever (``hang``), has its partition delivered again from another offset (``rewind``: offset → offset), or stops the flow
for a while, as Faust does while partitions change hands (``halt``).
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import faust
from faust.types import TP

from infra.kafka.chunks import ChunkSchema, deliver_in_chunks
from streams.kafka.worker.consumer import veto

ROOT = Path(__file__).parents[2]
SIZE = 10
HALT = 2.5  # seconds; Faust asks for more after one
LINE = re.compile(r"took (\d+) (\d+) (\d+)$")


class Told(NamedTuple):
    """A chunk as it came."""

    partition: int
    first: int
    last: int


async def halt(consumer: Any) -> None:
    """As Faust does it: what was on its way is lost, so it is read again."""
    consumer.stop_flow()
    await asyncio.sleep(HALT)
    await consumer.perform_seek()
    consumer.resume_flow()


def made(bootstrap: str, topic: str, asked: Mapping[str, Any], data: str) -> faust.App:
    app = faust.App(
        topic,
        broker=f"kafka://{bootstrap}",
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_request_timeout=30.0,
        broker_commit_interval=0.2,
        consumer_auto_offset_reset="earliest",
        datadir=data,
        stream_buffer_maxsize=16,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
    )

    async def resume(places: Collection[TP]) -> Mapping[TP, int]:
        return {place: at for place in places if (at := asked.get("resume", {}).get(str(place.partition))) is not None}

    deliver_in_chunks(app, [topic], SIZE, resume)
    vetoed, hung, rewound = set(asked.get("veto", ())), set(asked.get("hang", ())), dict(asked.get("rewind", {}))

    halted, halts = set(asked.get("halt", ())), list[asyncio.Task[None]]()

    async def take(stream: Any) -> Any:
        async for records in stream:
            message = stream.current_event.message
            told = Told(message.partition, records[0].offset, records[-1].offset)
            print("took", *told, flush=True)
            offsets = {record.offset for record in records}
            if vetoed & offsets:
                vetoed.difference_update(offsets)
                veto(message)
            if halted & offsets:
                halted.difference_update(offsets)
                halts.append(asyncio.create_task(halt(app.consumer)))
            if hung & offsets:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    veto(message)
                    raise
            if due := [at for at in rewound if int(at) in offsets]:
                veto(message)
                await app.consumer.rewind(TP(topic, message.partition), rewound.pop(due[0]))  # type: ignore[attr-defined]
            yield told

    app.agent(app.topic(topic, schema=ChunkSchema()), isolated_partitions=True)(take)
    return app


@dataclass
class Taking:
    """The app in a process of its own, with what it has told so far."""

    process: subprocess.Popen[str]
    told: list[Told]
    reader: Thread

    def stop(self) -> list[Told]:
        """As SIGTERM does; all that it told."""
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        return self.told

    def offsets(self, partition: int = 0) -> list[int]:
        """Every offset of a partition in the order that it came, as often as it did."""
        return [at for told in list(self.told) if told.partition == partition for at in range(told.first, told.last + 1)]


def taking(bootstrap: str, topic: str, **asked: Any) -> Taking:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kafka.chunked", bootstrap, topic, json.dumps(asked)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    told: list[Told] = []

    def read() -> None:
        assert process.stdout
        with process.stdout:
            found = map(LINE.search, process.stdout)  # Faust hides the cursor there, too
            told.extend(Told(*map(int, line.groups())) for line in found if line)

    reader = Thread(target=read)
    reader.start()
    return Taking(process, told, reader)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as data, suppress(SystemExit):
        app = made(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), data)
        faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False).execute_from_commandline()
