"""The read models in Redis: reading them, and committing what folds write together with their checkpoints."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import redis

from infra.errors import Misconfigured, Unreadable
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key, copy_key
from infra.redis.commit import CheckpointedWrite, Committer, Refusals, all_applied
from infra.redis.versions import FIRST, ServedVersions, announce_parts, read_served
from infra.telemetry.traces import span, tracing

log = logging.getLogger(__name__)

SHOP = "regulars:shop"
"""The time zone and the currency of the log."""

OWNER = "regulars:log"
"""Names the log that a Redis is filled from."""

FEED = "regulars:feed"
FEEDS = {"log": "`regulars follow`", "topics": "`regulars worker`"}
"""What may feed read models, and the command that does."""

REWRITE_PAUSE = 0.01  # seconds between looks at whether Redis has rewritten its file


class Keys(NamedTuple):
    """What to read: ``documents`` and whole ``maps`` by key, ``checkpoints`` by fold and source. False if it names nothing."""

    documents: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    checkpoints: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.documents or self.maps or self.checkpoints)

    @classmethod
    def union(cls, some: Iterable[Keys]) -> Keys:
        """Return all that some readers want together.

        >>> Keys.union([Keys(("a",)), Keys(("b",), ("m",))])
        Keys(documents=('a', 'b'), maps=('m',), checkpoints=())
        """
        all_keys = list(some)
        return cls(
            tuple(key for keys in all_keys for key in keys.documents),
            tuple(key for keys in all_keys for key in keys.maps),
            tuple(pair for keys in all_keys for pair in keys.checkpoints),
        )


class Contents(NamedTuple):
    """What was read: ``documents`` as stored, None where there is none; ``maps``, empty where there is none.

    ``checkpoints``: where each stood before all else was read, and after it.
    """

    documents: Mapping[str, bytes | None]
    maps: Mapping[str, dict[str, str]]
    checkpoints: Mapping[tuple[str, str], tuple[Checkpoint, Checkpoint]]

    def only(self, keys: Keys) -> Contents:
        """Return the part of it that ``keys`` names."""
        return Contents(
            {key: self.documents[key] for key in keys.documents},
            {key: self.maps[key] for key in keys.maps},
            {pair: self.checkpoints[pair] for pair in keys.checkpoints},
        )


class Views:
    """The read models under one version's keys, or those that are served, each part under its own version.

    ``version`` prefixes every key, so that a rebuild can write the next version beside the one being read.
    """

    def __init__(self, client: redis.Redis, version: str = FIRST, served: ServedVersions | None = None) -> None:
        self.client = client
        self.versions = served or ServedVersions(version)
        self._committer = Committer(client, self.prefix_of, self.versions.epoch)

    @classmethod
    def served(cls, client: redis.Redis) -> Views:
        """Return the read models that are served now; use one answer for a whole page."""
        return cls(client, served=read_served(client))

    @property
    def fixed(self) -> str | None:
        """The one version of these read models, None if they are those that are served."""
        return self.versions.default if self.versions.epoch is None else None

    def refreshed(self) -> Views:
        """Return the read models that are served now, or these if they are those of one version."""
        return self if self.fixed else Views.served(self.client)

    def prefix_of(self, name: str) -> str:
        """Return the version that a key begins with, and the colon behind it."""
        return f"{self.versions.version_of(name)}:"

    def key(self, name: str) -> str:
        return self.prefix_of(name) + name

    def announce(self, log: str, fields: Iterable[str] = ()) -> None:
        """Tell storefronts which version to read, unless one was told before. ``fields``: those of the hash of versions.

        Raises :class:`Misconfigured` if these are the read models of another log.
        """
        announce_parts(self.client, self.versions.default, fields)
        self.client.set(OWNER, log, nx=True)
        if (owner := self.client.get(OWNER)) != log.encode():
            raise Misconfigured(
                f"This Redis holds the read models of another log ({owner!r}): use another Redis, or another database of it. "
                "To fill it from this log, empty it first."
            )

    def note_shop(self, zone: str, currency: str) -> None:
        """Note the time zone and the currency of the log, for programs without it. Those of an empty log can change."""
        self.client.set(SHOP, f"{zone} {currency}")

    def shop(self) -> tuple[str, str] | None:
        """Return the time zone and the currency that a program with the log has noted, None if none has."""
        held: Any = self.client.get(SHOP)
        if held is None:
            return None
        zone, _, currency = held.decode().partition(" ")
        return zone, currency

    def fed_by(self, what: str) -> None:
        """Note what feeds these read models: the ``log``, or ``topics``.

        Raises :class:`Misconfigured` if the other did until now: every event would be counted twice.
        """
        self.client.set(FEED, what, nx=True)
        other = next(name for name in FEEDS if name != what)
        if self.feed() == other:
            raise Misconfigured(
                f"{FEEDS[other]} keeps up the read models of this Redis: go on with it, or empty this Redis to have it filled "
                f"anew by {FEEDS[what]}."
            )

    def feed(self) -> str | None:
        """Return what feeds these read models, None as long as nothing did."""
        held = self.client.get(FEED)
        return held.decode() if isinstance(held, bytes) else held

    def checkpoints(self, of: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Checkpoint]:
        """Return checkpoints by fold and source. For one that was lost, return its copy; the next commit restores it."""
        if not of:
            return {}
        held = self.client.mget([self._checkpoint(*one) for one in of] + [self.key(copy_key(*one)) for one in of])
        for (fold, source), checkpoint, copy in zip(of, held, held[len(of) :], strict=False):
            if copy and not checkpoint:
                log.warning("Redis lost the checkpoint of %s in %s; its copy says %s.", fold, source, Checkpoint.parse(copy))
        return {one: Checkpoint.parse(held[n] or held[len(of) + n]) for n, one in enumerate(of)}

    def checkpoints_in(self, source: str, folds: Sequence[str]) -> dict[str, Checkpoint]:
        """Return how far each fold has come in a source."""
        held = self.checkpoints([(fold, source) for fold in folds])
        return {fold: checkpoint for (fold, _), checkpoint in held.items()}

    def positions(self, folds: Sequence[str]) -> dict[str, int]:
        """Return how far each fold that is fed from the log has come, 0 at its beginning."""
        return {fold: checkpoint.position for fold, checkpoint in self.checkpoints_in(LOG, folds).items()}

    def load(self, keys: Iterable[str], types: Mapping[str, type]) -> dict[str, Any]:
        """Return documents by key, None where there is none. ``types``: what a key's first part holds."""
        documents = self.read(Keys(documents=tuple(keys))).documents
        return {name: self.decoded(name, raw, types) for name, raw in documents.items()}

    def hashes(self, keys: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return whole maps by key."""
        return dict(self.read(Keys(maps=tuple(keys))).maps)

    def read(self, keys: Keys) -> Contents:
        """Return what ``keys`` names, in one round trip.

        The checkpoints are read before everything else and again after it: if one moved meanwhile, the answer shows it. For one
        that was lost, its copy is read.
        """
        if not keys:
            return Contents({}, {}, {})
        pipeline = self.client.pipeline(transaction=False)
        count = len(keys.checkpoints)
        checkpoints = [self._checkpoint(*one) for one in keys.checkpoints] + [
            self.key(copy_key(*one)) for one in keys.checkpoints
        ]
        if checkpoints:
            pipeline.mget(checkpoints)
        if keys.documents:
            pipeline.mget([self.key(name) for name in keys.documents])
        for name in keys.maps:
            pipeline.hgetall(self.key(name))
        if checkpoints:
            pipeline.mget(checkpoints)
        answers = iter(pipeline.execute())
        before = next(answers) if checkpoints else []
        documents = next(answers) if keys.documents else []
        maps = {name: {field.decode(): value.decode() for field, value in next(answers).items()} for name in keys.maps}
        after = next(answers) if checkpoints else []
        return Contents(
            dict(zip(keys.documents, documents, strict=True)),
            maps,
            {
                one: (Checkpoint.parse(before[n] or before[count + n]), Checkpoint.parse(after[n] or after[count + n]))
                for n, one in enumerate(keys.checkpoints)
            },
        )

    def commit(self, writes: Sequence[CheckpointedWrite]) -> Refusals:
        """Apply writes, each whole or not at all, in one round trip; say which were refused."""
        if not (tracing() and writes):
            return self._committer.commit(writes)
        first = min(write.before.position for write in writes) + 1
        last = max(write.after.position for write in writes)
        with span("fold", regulars_first=first, regulars_position=last, regulars_folds=sorted({one.fold for one in writes})):
            return self._committer.commit(writes)

    def apply(self, writes: Sequence[CheckpointedWrite]) -> bool:
        """Commit writes and return whether all were made now; see :func:`~infra.redis.commit.all_applied`."""
        return all_applied(writes, self.commit(writes))

    def decoded(self, name: str, raw: bytes | str | None, types: Mapping[str, type]) -> object | None:
        """Return a document as its fold knows it. Raises :class:`Unreadable` if it is none."""
        if raw is None:
            return None
        try:
            return msgspec.json.decode(raw, type=types[name.partition(":")[0]])
        except (msgspec.ValidationError, msgspec.DecodeError) as fault:
            raise Unreadable(f"The view {self.key(name)} is not what its fold wrote ({fault}): rebuild it.") from fault

    def rewrite_file(self) -> bool:
        """Have Redis rewrite its append-only file, so that removed values leave the disk, and wait until it has.

        Return False if it did not: try again later. A server without such a file has nothing to do.
        """
        if not self.client.info("persistence")["aof_enabled"]:
            return True
        try:
            self.client.bgrewriteaof()
        except redis.exceptions.ResponseError:  # a rewrite that began earlier is still running
            return False
        while (state := self.client.info("persistence"))["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]:
            time.sleep(REWRITE_PAUSE)
        return bool(state["aof_last_bgrewrite_status"] == "ok")

    def _checkpoint(self, fold: str, source: str) -> str:
        return self.key(checkpoint_key(fold, source))
