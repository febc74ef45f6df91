"""Reading Redis for many requests at once: all reads of one turn of the event loop share a round trip."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import redis.asyncio
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import RedisError, ResponseError

from infra.errors import Unreachable
from infra.kafka.records import hash_of
from infra.redis.batched_reads import BatchedReads, Values
from infra.redis.checkpoints import DROPPED, LOG, Checkpoint, checkpoint_key
from infra.redis.versions import ANNOUNCED, EPOCH, VERSIONS, served_from
from infra.redis.views import Views
from streams.projecting.loaders import fold_name
from streams.registry import fold_of_part, folds, sources
from streams.running.app import App
from streams.running.positions import fold_positions
from streams.web.problems import HttpProblem

FIRST_LOOK, LONGEST_LOOK = 0.002, 0.05
"""Seconds between looks at a checkpoint that is awaited: the first, and the longest."""

REACHED_FOR = 0.5
"""Seconds for which a checkpoint that was seen is not read again for a position it has passed."""

MOST_NOTED = 10_000
GONE = (None, DROPPED.encode())

VERSIONS_FOR = 1.0
"""Seconds that one answer about which versions are served is used for; old ones are kept for much longer."""


@dataclass(frozen=True)
class Wanted:
    """A position that an answer must have reached, and for how many seconds to wait for it."""

    position: int
    seconds: float


class ViewReader:
    """Reads documents, hashes and sorted sets of the versions that are served; made within the loop that uses it.

    Each request takes a :meth:`page`, and reads all of it from the same versions.
    """

    def __init__(self, app: App, client: redis.asyncio.Redis, reads: BatchedReads | None = None) -> None:
        self._app = app
        self._client = client
        self._reads = reads or BatchedReads(client)
        self._get = self._reads.get
        self._reached: dict[str, tuple[float, int]] = {}
        self._key = app.views.key
        self._read_at = -VERSIONS_FOR
        self._current = self
        self._fold_of = fold_of_part(app.terms)
        self._folds = {fold.name: fold for fold in folds(app.terms)}
        self._topics = app.feed == "topics"
        self._partitions: dict[str, int] = {}  # of each topic; their number never changes

    async def page(self) -> ViewReader:
        """Return a reader of what is served now."""
        if (now := time.monotonic()) - self._read_at >= VERSIONS_FOR:
            pipe = self._client.pipeline(transaction=False)
            pipe.get(EPOCH)
            pipe.get(ANNOUNCED)
            pipe.hgetall(VERSIONS)
            served = served_from(*await ask(pipe.execute()))
            if served != self._current._app.views.versions:
                views = Views(self._app.views.client, served=served)
                self._current = ViewReader(replace(self._app, views=views), self._client, self._reads)
            self._read_at = now
        return self._current

    @property
    def views(self) -> Views:
        """The read models that this reads, for who reads in a thread."""
        return self._app.views

    def version_of(self, key: str) -> str:
        """Return the version in which a key is served."""
        return self._app.views.versions.version_of(key)

    async def documents(self, keys: Sequence[str], wanted: Wanted | None = None) -> Values:
        """Return the documents under these keys, None where there is none.

        Raises :class:`HttpProblem` 504 ``fold_behind`` if the folds that own them do not reach ``wanted`` in time.
        """
        full = [self._key(key) for key in keys]
        if wanted is None:
            return await self._get(full)
        checkpoints = self._checkpoints(keys)
        if all(self._was_reached(key, wanted.position) for key in checkpoints):
            return await self._get(full)
        held: Values = []

        async def reached() -> list[int]:
            nonlocal held
            found = await self._get([*checkpoints, *full])  # a checkpoint before its document: never the other way round
            held = found[len(checkpoints) :]
            return self._note(checkpoints, found)

        if await self._wait(reached, checkpoints, wanted):
            return await self._get(full)
        return held

    def _was_reached(self, checkpoint: str, position: int) -> bool:
        """Return whether a checkpoint was seen at or beyond a position a moment ago."""
        seen = self._reached.get(checkpoint)
        return seen is not None and seen[1] >= position and seen[0] > time.monotonic()

    def _note(self, checkpoints: Sequence[str], found: Values) -> list[int]:
        until = time.monotonic() + REACHED_FOR
        reached = [Checkpoint.parse(text).position for text in found[: len(checkpoints)]]
        if len(self._reached) > MOST_NOTED:
            self._reached.clear()
        self._reached.update((key, (until, position)) for key, position in zip(checkpoints, reached, strict=True))
        return reached

    async def close(self) -> None:
        await self._reads.close()

    async def table(self, key: str, wanted: Wanted | None = None) -> dict[str, str]:
        """Return a hash, empty if there is none."""
        await self._await_position([key], wanted)
        raw = await ask(cast(Awaitable[dict[bytes, bytes]], self._client.hgetall(self._key(key))))
        return {name.decode(): value.decode() for name, value in raw.items()}

    async def tables(self, keys: Sequence[str]) -> list[dict[str, str]]:
        """Return hashes in one round trip."""
        pipe = self._client.pipeline(transaction=False)
        for key in keys:
            pipe.hgetall(self._key(key))
        found = await ask(pipe.execute()) if keys else []
        return [{name.decode(): value.decode() for name, value in raw.items()} for raw in found]

    async def highest(self, key: str, count: int, wanted: Wanted | None = None) -> list[tuple[str, int]]:
        """Return the members of a sorted set with the highest scores, best first."""
        await self._await_position([key], wanted)
        raw = await ask(self._client.zrevrange(self._key(key), 0, count - 1, withscores=True))
        return [(name.decode(), int(score)) for name, score in raw]

    async def keys_of(self, part: str) -> list[str]:
        """Return the keys of a part, without the version, sorted."""
        cut = len(self._app.views.prefix_of(part))
        match = self._key(f"{part}:*")

        async def scan() -> list[str]:
            return [raw.decode()[cut:] async for raw in self._client.scan_iter(match=match, count=2000)]

        return sorted(await ask(scan()))

    async def position_of(self, key: str, wanted: Wanted | None = None) -> int:
        """Return the position up to which a key is current that is read after this, and waited for if it is ``wanted``."""
        checkpoints = self._checkpoints([key])
        return max(min(self._note(checkpoints, await self._get(checkpoints))), wanted.position if wanted else 0)

    async def position_of_all(self, part: str, wanted: Wanted | None) -> int:
        """Return the position up to which every key of a part is current, once it is the one that is wanted.

        Raises :class:`HttpProblem` 504 ``fold_behind``, 422 for a position beyond the log.
        """
        name = fold_name(self._folds[self._fold_of[part]])

        async def reached() -> list[int]:
            found = await asyncio.to_thread(fold_positions, self._app)
            return [min(one.position for one in found if one.fold == name)]

        if wanted is None:
            return (await reached())[0]
        await self._wait(reached, [f"checkpoint:{name}:all"], wanted)
        return wanted.position

    async def _await_position(self, keys: Sequence[str], wanted: Wanted | None) -> None:
        if wanted is None:
            return
        checkpoints = self._checkpoints(keys)

        async def reached() -> list[int]:
            return self._note(checkpoints, await self._get(checkpoints))

        await self._wait(reached, checkpoints, wanted)

    async def _wait(self, reached: Callable[[], Awaitable[list[int]]], checkpoints: list[str], wanted: Wanted) -> bool:
        """Wait until all checkpoints are there; return whether one is that of an earlier version of its fold."""
        until = time.monotonic() + wanted.seconds
        pause, earlier = FIRST_LOOK, False
        while True:
            behind = [(key, at) for key, at in zip(checkpoints, await reached(), strict=True) if at < wanted.position]
            if any(at == 0 for _, at in behind):  # a program newer than what is served
                behind = [await self._earlier(key) if at == 0 else (key, at) for key, at in behind]
                behind, earlier = [(key, at) for key, at in behind if at < wanted.position], True
            if not behind:
                return earlier
            if pause == FIRST_LOOK and wanted.position > (head := await asyncio.to_thread(self._app.log.head)):
                raise HttpProblem(422, "position_unknown", f"The log ends at {head:,}.")
            if time.monotonic() >= until:
                key, at = behind[0]
                fold = key.partition("checkpoint:")[2].partition(":")[0]
                sentence = f"{fold} has come to {at:,}, not yet to {wanted.position:,}."
                raise HttpProblem(504, "fold_behind", sentence, headers={"Retry-After": "1"}, fold=fold, reached=at)
            await asyncio.sleep(min(pause, max(0.0, until - time.monotonic())))
            pause = min(LONGEST_LOOK, pause * 2)

    async def _earlier(self, checkpoint: str) -> tuple[str, int]:
        """Return the checkpoint of the latest earlier version of a fold, with its position; this one and 0 if there is none."""
        before, mark, rest = checkpoint.partition("checkpoint:")
        name, _, source = rest.partition(":")
        fold, _, version = name.rpartition(".")
        keys = [f"{before}{mark}{fold}.{number}:{source}" for number in range(int(version) - 1, 0, -1)]
        found = await self._get(keys) if keys else []
        held = [(key, Checkpoint.parse(text).position) for key, text in zip(keys, found, strict=True) if text not in GONE]
        return held[0] if held else (checkpoint, 0)

    def _checkpoints(self, keys: Sequence[str]) -> list[str]:
        """Return the keys of the checkpoints that say how current these documents are."""
        named: dict[str, None] = {}
        for key in keys:
            part, _, of = key.partition(":")
            fold = self._folds[self._fold_of[part]]
            places = self._in_topics(fold, of) if self._topics else [LOG]
            named.update(dict.fromkeys(self._key(checkpoint_key(fold_name(fold), source)) for source in places))
        return list(named)

    def _in_topics(self, fold: Any, of: str) -> list[str]:
        if not all(topic in self._partitions for topic in sources(fold)):
            self._partitions = {topic: len(relayed.ends) for topic, relayed in self._app.log.relayed().items()}
        return [f"{topic}:{hash_of(of.encode()) % self._partitions.get(topic, 1)}" for topic in sources(fold)]


async def ask(answer: Awaitable[Any]) -> Any:
    """Return an answer of Redis. Raises :class:`Unreachable` if there is none."""
    try:
        return await answer
    except ResponseError:
        raise
    except (RedisGone, RedisError, OSError) as fault:
        raise Unreachable(f"Redis does not answer ({fault}).") from fault
