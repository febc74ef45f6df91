"""The generations of a fold's keys: which version holds what, in which state, and the steps from one state to the next.

A record stands for one fold in one version. A rebuild reserves a new version (``filling``), writes its keys (``loading``), has
it kept up (``following``) and makes it the served one (``serving``). The one before is then ``old``: it is kept up until it is
dropped. Where workers keep the versions up, the rebuild alone brings it to the head of the log before (``tailing``).
Who changes a record holds a lease on the fold. Each step that others can see is one script, which looks at the lease first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias
from uuid import uuid4

import msgspec
import redis

from infra.errors import Fault
from infra.redis.checkpoints import DROPPED, LOG, Checkpoint, checkpoint_key, copy_key
from infra.redis.versions import ANNOUNCED, EPOCH, FIRST, VERSIONS, field_of_fold

GENERATIONS = "regulars:generations"
"""A hash: ``{version}:{fold}`` to a :class:`Generation` as JSON."""

NUMBER = "regulars:version-number"
"""The highest version number that was ever given out. None is given out twice."""

SWITCHED = "regulars:switched"
"""A channel: a message tells readers to read :data:`~infra.redis.versions.VERSIONS` again."""

LEASE_MS = 30_000

State: TypeAlias = Literal["filling", "loading", "tailing", "following", "serving", "old", "dropping"]

KEPT: tuple[State, ...] = ("following", "serving", "old")
"""States in which what happens in the log goes into the keys."""

UNSEEN: tuple[State, ...] = ("filling", "loading", "tailing")
"""States that concern nobody but the rebuild."""

UNFINISHED: tuple[State, ...] = ("filling", "loading", "tailing", "following")


class Generation(msgspec.Struct, frozen=True):
    """One fold in one version. ``fold``: its name with its own version, as in ``card.2``. ``parts``: of its keys.

    ``target``: the position that the fill aims at. ``program``: the version of Regulars that began it. ``since``: when it came
    into its state, in UTC epoch milliseconds by Redis's clock. ``compared``: whether it was filled and compared with the log.
    """

    version: str
    fold: str
    parts: tuple[str, ...]
    state: State
    target: int = 0
    program: str = ""
    since: int = 0
    compared: bool = False

    @property
    def name(self) -> str:
        """The fold's name without its version."""
        return self.fold.partition(".")[0]

    @property
    def fold_version(self) -> int:
        return int(self.fold.partition(".")[2])

    @property
    def field(self) -> str:
        return f"{self.version}:{self.name}"

    def place(self, source: str) -> str:
        """Return the key of its checkpoint in a source."""
        return f"{self.version}:{checkpoint_key(self.fold, source)}"


class RebuildRuns(Fault):
    """Another rebuild has the lease of a fold."""


class RebuildOvertaken(Fault):
    """This rebuild was halted for so long that another one could begin: nothing was switched."""

    def __init__(self) -> None:
        super().__init__(
            "Another rebuild of these folds began while this one was halted: this one ends, and has switched nothing."
        )


class BehindServed(Fault):
    """A version cannot be switched to, because it is behind the served one. ``fold``: which one is."""

    def __init__(self, fold: str) -> None:
        super().__init__(f"The new version of {fold} is behind the served one: nothing was switched.")
        self.fold = fold


TAKE = """
for i, lease in ipairs(KEYS) do
  local holder = redis.call('GET', lease)
  if holder and holder ~= ARGV[1] then return i end
end
for _, lease in ipairs(KEYS) do redis.call('SET', lease, ARGV[1], 'PX', ARGV[2]) end
return 0
"""

RELEASE = (
    "for _, lease in ipairs(KEYS) do if redis.call('GET', lease) == ARGV[1] then redis.call('DEL', lease) end end return 0"
)

HELD = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASE lost') end\n"
"""How each further script begins: the first key is a lease."""

SET_STATES = (
    HELD
    + """
local now = redis.call('TIME')
for i = 3, #ARGV, 2 do
  local record = cjson.decode(ARGV[i + 1])
  record.since = tonumber(now[1]) * 1000
  redis.call('HSET', 'regulars:generations', ARGV[i], cjson.encode(record))
end
if ARGV[2] ~= '' then redis.call('INCRBY', 'regulars:epoch', 1) end
return 0
"""
)

SET_PLACES = (
    HELD
    + """
for i = 2, #KEYS, 2 do
  redis.call('SET', KEYS[i], ARGV[i]) redis.call('SET', KEYS[i + 1], ARGV[i])
end
return 0
"""
)

SEED = (
    HELD
    + """
local request = cjson.decode(ARGV[2])
for _, pair in ipairs(request.places) do
  local held = pair.old and redis.call('GET', pair.old) or nil
  local topic, offset, position = string.match(held or '', '^(%S+) (%S+) (%S+)')
  if position and tonumber(position) > request.reached then return 0 end
  pair.place = position and topic .. ' ' .. offset .. ' ' .. request.text or request.text
end
for _, pair in ipairs(request.places) do
  redis.call('SET', pair.new, pair.place)
  redis.call('SET', pair.copy, pair.place)
end
for _, key in ipairs(request.gone) do redis.call('DEL', key) end
local now = tonumber(redis.call('TIME')[1]) * 1000
for _, record in ipairs(request.records) do
  record.since = now
  redis.call('HSET', 'regulars:generations', record.version .. ':' .. string.match(record.fold, '^[^.]+'), cjson.encode(record))
end
redis.call('INCRBY', 'regulars:epoch', 1)
return 1
"""
)

SWITCH = (
    HELD
    + """
local request = cjson.decode(ARGV[2])
local function place(key)
  local held = redis.call('GET', key) or '0'
  local topic, offset, position = string.match(held, '^(%S+) (%S+) (%S+)')
  return topic, tonumber(offset), tonumber(position or held)  -- no position: it was dropped
end
local function behind(new, old, of_topic)
  local topic, offset, position = place(new)
  local old_topic, old_offset, old_position = place(old)
  if not position then return true end
  if not old_position or (of_topic and not old_topic) then return false end
  if topic and topic == old_topic then return offset < old_offset end
  return position < old_position or (of_topic and not topic)
end
for _, pair in ipairs(request.places) do
  if behind(pair[2], pair[3], pair[4]) then return pair[1] end
end
local now = tonumber(redis.call('TIME')[1]) * 1000
for _, record in ipairs(request.records) do
  record.since = now
  redis.call('HSET', 'regulars:generations', record.version .. ':' .. string.match(record.fold, '^[^.]+'), cjson.encode(record))
end
for field, version in pairs(request.versions) do redis.call('HSET', 'regulars:versions', field, version) end
local first, same = false, true
local held = redis.call('HGETALL', 'regulars:versions')
for i = 2, #held, 2 do
  first = first or held[i]
  same = same and held[i] == first
end
if same and first then redis.call('SET', 'regulars:version', first) end
redis.call('INCRBY', 'regulars:epoch', 1)
redis.call('PUBLISH', 'regulars:switched', cjson.encode(request.versions))
return ''
"""
)


class Generations:
    """The records of a Redis, and the leases that one rebuild holds. ``owner``: the token of its leases."""

    def __init__(self, client: redis.Redis, owner: str | None = None) -> None:
        self.client = client
        self.owner = owner or uuid4().hex
        self._scripts: dict[str, Any] = {}

    def all(self) -> list[Generation]:
        """Return every record, in order of versions and folds."""
        held: Any = self.client.hgetall(GENERATIONS)
        found = [msgspec.json.decode(raw, type=Generation) for raw in held.values()]
        return sorted(found, key=lambda one: (int(one.version[1:]), one.fold))

    def epoch(self) -> str:
        """Return a number that changes whenever something is served or kept up that was not before, or the other way round."""
        held: Any = self.client.get(EPOCH)
        return held.decode() if held else "0"

    def next_version(self) -> str:
        """Return a version that was never used."""
        self.client.set(NUMBER, FIRST[1:], nx=True)
        return f"v{self.client.incr(NUMBER)}"

    # Leases

    def take(self, folds: Sequence[str]) -> None:
        """Take or renew the leases of these folds, all or none. Raises :class:`RebuildRuns` if another has one of them."""
        seconds = LEASE_MS // 1000
        taken = self._run(TAKE, [lease_key(fold) for fold in folds], [self.owner, LEASE_MS])
        if taken:
            fold = folds[int(taken) - 1]
            raise RebuildRuns(
                f"Another rebuild of {fold} runs: wait for it. If it was killed, its lease ends within {seconds} seconds."
            )

    def release(self, folds: Iterable[str]) -> None:
        """Give back the leases of these folds."""
        self._run(RELEASE, [lease_key(fold) for fold in folds], [self.owner])

    def is_leased(self, fold: str) -> bool:
        return self.client.get(lease_key(fold)) is not None

    # Steps, each by the holder of the leases

    def put(self, records: Sequence[Generation]) -> None:
        """Write records. Raises :class:`RebuildOvertaken`."""
        pairs = [part for record in records for part in (record.field, msgspec.json.encode(record))]
        seen = any(record.state not in UNSEEN for record in records)
        self._run(SET_STATES, [lease_key(records[0].name)], [self.owner, "seen" if seen else "", *pairs])

    def set_places(self, records: Sequence[Generation], places: Mapping[str, Checkpoint]) -> None:
        """Set the checkpoints of these folds, by source, with their copies. Raises :class:`RebuildOvertaken`."""
        keys, values = [lease_key(records[0].name)], [self.owner]
        for record in records:
            for source, checkpoint in places.items():
                keys += [record.place(source), f"{record.version}:{copy_key(record.fold, source)}"]
                values += [str(checkpoint), ""]
        self._run(SET_PLACES, keys, values)

    def switch(self, pairs: Sequence[tuple[Generation, Generation | None]], sources: Mapping[str, Sequence[str]]) -> None:
        """Make the first of each pair the served one, and the second old. ``sources``: by fold's name, what feeds it.

        In a partition offsets tell which is further: positions there may be those of a fill from the log.

        Raises :class:`BehindServed` if the new one is behind in any place, and :class:`RebuildOvertaken`; then nothing was
        switched.
        """
        request = {
            "places": [
                (new.name, new.place(source), old.place(source), source != LOG)
                for new, old in pairs
                if old
                for source in sources[new.name]
            ],
            "records": [
                record
                for new, old in pairs
                for record in (replaced(new, "serving"), old and replaced(old, "old"))
                if record is not None
            ],
            "versions": {field: new.version for new, _ in pairs for field in (*new.parts, field_of_fold(new.name))},
        }
        behind = self._run(SWITCH, [lease_key(pairs[0][0].name)], [self.owner, msgspec.json.encode(request)])
        if behind:
            raise BehindServed(behind.decode())

    def seed(
        self,
        pairs: Sequence[tuple[Generation, Generation | None]],
        sources: Mapping[str, Sequence[str]],
        reached: int,
    ) -> bool:
        """Hand versions that are filled up to ``reached`` over to the workers, where these stand in each partition.

        Return False if the served version is further somewhere: then nothing was done. Raises :class:`RebuildOvertaken`.
        """
        places = []
        for new, old in pairs:
            for source in sources[new.name]:
                copy = f"{new.version}:{copy_key(new.fold, source)}"
                places.append({"new": new.place(source), "copy": copy, "old": old.place(source) if old else False})
        request = {
            "places": places,
            "gone": [key for new, _ in pairs for key in (new.place(LOG), f"{new.version}:{copy_key(new.fold, LOG)}")],
            "records": [replaced(new, "following") for new, _ in pairs],
            "reached": reached,
            "text": str(reached),
        }
        return bool(self._run(SEED, [lease_key(pairs[0][0].name)], [self.owner, msgspec.json.encode(request)]))

    def forget(self, record: Generation) -> None:
        """Remove a record whose keys are gone."""
        self.client.hdel(GENERATIONS, record.field)

    def close(self, record: Generation, sources: Iterable[str]) -> None:
        """Let nobody write to a version any more: its checkpoints are nowhere that a writer expects.

        Raises :class:`RebuildOvertaken`.
        """
        self.put([replaced(record, "dropping")])
        pipeline = self.client.pipeline(transaction=False)
        for source in sources:
            pipeline.set(record.place(source), DROPPED)
            pipeline.delete(f"{record.version}:{copy_key(record.fold, source)}")
        pipeline.execute()

    def _run(self, script: str, keys: Sequence[str], values: Sequence[Any]) -> Any:
        registered = self._scripts.setdefault(script, self.client.register_script(script))
        try:
            return registered(keys=keys, args=values)
        except redis.ResponseError as fault:
            if "LEASE lost" in str(fault):
                raise RebuildOvertaken from fault
            raise


def replaced(record: Generation, state: State, target: int | None = None, compared: bool | None = None) -> Generation:
    """Return a record in another state. What is None stays as it is."""
    return msgspec.structs.replace(
        record,
        state=state,
        target=record.target if target is None else target,
        compared=record.compared if compared is None else compared,
    )


def lease_key(fold: str) -> str:
    """Return the key of the lease of one fold, given by its name."""
    return f"regulars:replay:{fold}"


def is_announced_only(client: redis.Redis) -> bool:
    """Return whether readers that know of :data:`ANNOUNCED` alone read what is served in every part."""
    held: Any = client.hgetall(VERSIONS)
    return set(held.values()) <= {client.get(ANNOUNCED)}
