"""Read models in Redis: what a fold wants written and how far it has come are one atomic step.

One script call compares the fold's checkpoint with what the writer believes, applies the writes, and moves it. Whoever comes
second (a restarted worker, a zombie, the client's own silent retry) finds it moved and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import redis

from infra.errors import Misconfigured, Superseded, Unreadable
from infra.redis.asking import Answer, Ask
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key
from infra.redis.commit import APPLY, CheckpointedWrite, calls, pack

OWNER = "regulars:log"
"""Names the log that a Redis is filled from."""

FEED = "regulars:feed"
FEEDS = {"log": "`regulars follow`", "topics": "`regulars worker`"}
"""What may feed read models, and the command that does."""


class Views:
    """``version`` prefixes every key, so that a rebuild can write the next version beside the one being read."""

    def __init__(self, client: redis.Redis, version: str = "v1") -> None:
        self.client = client
        self.version = version
        self._sha: str | None = None

    def key(self, name: str) -> str:
        return f"{self.version}:{name}"

    def announce(self, log: str) -> None:
        """Tell storefronts which version to read, unless one was told before.

        Raises :class:`Misconfigured` if these are the read models of another log.
        """
        self.client.set("regulars:version", self.version, nx=True)
        self.client.set(OWNER, log, nx=True)
        if (owner := self.client.get(OWNER)) != log.encode():
            raise Misconfigured(
                f"This Redis holds the read models of another log ({owner!r}): use another one, or another database of it; "
                "to have it filled from this log, empty it first."
            )

    def fed_by(self, what: str) -> None:
        """Say what feeds these read models: the ``log``, or ``topics``.

        Raises :class:`Misconfigured` if it was the other until now: everything would be counted twice.
        """
        self.client.set(FEED, what, nx=True)
        other = next(name for name in FEEDS if name != what)
        if self.feed() == other:
            raise Misconfigured(
                f"This Redis's read models are kept up by {FEEDS[other]}: go on with that, or empty this Redis to have it "
                f"filled anew by {FEEDS[what]}."
            )

    def feed(self) -> str | None:
        """What feeds these read models, None as long as nothing did."""
        held = self.client.get(FEED)
        return held.decode() if isinstance(held, bytes) else held

    def places(self, folds: Sequence[str], source: str = LOG) -> dict[str, Checkpoint]:
        """How far each fold has come in a source."""
        held = self.checkpoints([(fold, source) for fold in folds])
        return {fold: place for (fold, _), place in held.items()}

    def checkpoints(self, of: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Checkpoint]:
        """How far folds have come in sources, by both, in one round trip."""
        held = self.client.mget([self._checkpoint(*one) for one in of]) if of else []
        return {one: Checkpoint.read(at) for one, at in zip(of, held, strict=True)}

    def positions(self, folds: Sequence[str]) -> dict[str, int]:
        """How far each fold has come in the log, 0 at its beginning."""
        return {fold: place.position for fold, place in self.places(folds).items()}

    def load(self, keys: Iterable[str], types: Mapping[str, type]) -> dict[str, Any]:
        """Documents by key, None where there is none, in one round trip. ``types``: what a key's first part holds."""
        wanted = tuple(keys)
        read = self.exchange(Ask(documents=wanted)).read
        return {name: self.decoded(name, read[name], types) for name in wanted}

    def hashes(self, keys: Iterable[str]) -> dict[str, dict[str, str]]:
        """Whole maps by key, in one round trip."""
        return dict(self.exchange(Ask(maps=tuple(keys))).read)

    def apply(self, steps: Sequence[CheckpointedWrite]) -> bool:
        """Apply the steps, each fold's whole or not at all; see :func:`made`."""
        return made(steps, self.exchange(Ask(steps=tuple(steps))))

    def exchange(self, ask: Ask) -> Answer:
        """Read and write what is asked for, in one round trip."""
        if not any(ask):
            return Answer()
        packed = [pack(step.delta) for step in ask.steps]
        sha = (self._sha or self._load()) if packed else ""
        try:
            return self._exchange(sha, ask, packed)
        except redis.exceptions.NoScriptError:  # a new server: nothing was applied
            return self._exchange(self._load(), ask, packed)

    def rewrite_file(self) -> bool:
        """Have Redis write its append-only file anew, so that removed values leave the disk, and wait until it has.

        False if it did not: ask again later. A server without such a file has nothing to do.
        """
        if not self.client.info("persistence")["aof_enabled"]:
            return True
        try:
            self.client.bgrewriteaof()
        except redis.exceptions.ResponseError:  # it is writing already, from before
            return False
        while (state := self.client.info("persistence"))["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]:
            time.sleep(0.01)
        return bool(state["aof_last_bgrewrite_status"] == "ok")

    def _exchange(self, sha: str, ask: Ask, packed: Sequence[bytes]) -> Answer:
        pipeline = self.client.pipeline(transaction=False)
        asked_for = [self._checkpoint(*one) for one in ask.checkpoints]
        if asked_for:
            pipeline.mget(asked_for)
        if ask.documents:
            pipeline.mget([self.key(name) for name in ask.documents])
        for name in ask.maps:
            pipeline.hgetall(self.key(name))
        if asked_for:  # again, so that whatever moved one of them meanwhile is noticed
            pipeline.mget(asked_for)
        for some in calls(packed):
            pipeline.evalsha(sha, *self._arguments([(ask.steps[index], packed[index]) for index in some]))
        answers = iter(pipeline.execute())
        stood = [next(answers)] if asked_for else []
        read: dict[str, Any] = dict(zip(ask.documents, next(answers), strict=True)) if ask.documents else {}
        read |= {name: {field.decode(): value.decode() for field, value in next(answers).items()} for name in ask.maps}
        stood += [next(answers)] if asked_for else []
        told = (held.decode() for some in answers for held in some)
        return Answer(
            read,
            {(step.fold, step.source): held for step, held in zip(ask.steps, told, strict=True)},
            {
                one: (Checkpoint.read(before), Checkpoint.read(after))
                for one, before, after in zip(ask.checkpoints, *stood, strict=True)
            },
        )

    def _arguments(self, steps: Sequence[tuple[CheckpointedWrite, bytes]]) -> list[Any]:
        """What the script is called with; steps with their deltas as it takes them."""
        keys = [self._checkpoint(step.fold, step.source) for step, _ in steps]
        moves = [(str(step.before), str(step.after), packed) for step, packed in steps]
        return [len(keys), *keys, self.key(""), *(part for move in moves for part in move)]

    def _load(self) -> str:
        self._sha = sha = str(self.client.script_load(APPLY))
        return sha

    def _checkpoint(self, fold: str, source: str) -> str:
        return self.key(checkpoint_key(fold, source))

    def decoded(self, name: str, raw: bytes | str | None, types: Mapping[str, type]) -> object | None:
        """A document as its fold knows it. Raises :class:`Unreadable` if it is none."""
        if raw is None:
            return None
        try:
            return msgspec.json.decode(raw, type=types[name.partition(":")[0]])
        except (msgspec.ValidationError, msgspec.DecodeError) as fault:
            raise Unreadable(f"The view {self.key(name)} is not what its fold wrote ({fault}): rebuild it.") from fault


def made(steps: Iterable[CheckpointedWrite], answer: Answer) -> bool:
    """Whether all of them were made now.

    False if a checkpoint was where its step ends already: by this very call, whose answer was lost once, or by somebody
    else. All is well in Redis then; but what was folded may have been read after it, so what is held is to be forgotten.

    Raises :class:`Superseded` if a checkpoint is not where its step begins.
    """
    now = True
    for step in steps:
        held = answer.held[step.fold, step.source]
        if held and held != str(step.after):
            raise Superseded(step.fold, step.source, held, str(step.before))
        now = now and not held
    return now
