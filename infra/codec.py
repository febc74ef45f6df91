"""Encode events to bytes and decode them. A stored event is JSON that begins with the partition key.

Its stored name never changes: the class's name, followed by ``.2``, ``.3`` … once its fields have changed. An old version is
upcast step by step to the current one. Each personal field is sealed with its member's key, and reads as blank once that is
destroyed.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import orjson

from aggregates.decider import Recorded, Refusal
from aggregates.value import Value, asdict, field_names
from infra.errors import Newer, Unreadable
from infra.keys.ring import KeyRing, session_key_name

Raw: TypeAlias = dict[str, Any]
Upcast: TypeAlias = Callable[[Raw], Raw]

PARTITION_KEYS = ("member", "session", "product", "campaign", "card", "order", "cart", "policy", "snapshot")
"""An event's partition key is the first of these fields that it has. So all events of one member stay in order."""


LARGEST = 8 * 2**20
"""Bytes of an event: half of what a topic takes."""

ENCODE = msgspec.json.Encoder().encode

UNREADABLE = (msgspec.MsgspecError, ValueError, LookupError, TypeError, AttributeError)
"""What a decoder or an upcaster raises for damaged bytes."""

KEY = re.compile(rb'{"key":("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True)
class EventType:
    """How one event is stored. ``upcasts[0]`` turns version 1 into 2, and so on. ``sealed``: each sealed field's blank value.

    ``sealed_since``: the first version that seals them; older ones are stored as plain text. ``erases``: once the event is
    stored, the key of its member is destroyed.
    """

    event: type[Value]
    upcasts: tuple[Upcast, ...] = ()
    sealed: Mapping[str, object] = field(default_factory=dict)
    sealed_since: int = 1
    erases: bool = False

    @property
    def name(self) -> str:
        return self.stored_name(len(self.upcasts) + 1)

    @property
    def stored_names(self) -> tuple[str, ...]:
        """Every name that it was ever stored under, the oldest first."""
        return tuple(self.stored_name(version) for version in range(1, len(self.upcasts) + 2))

    def stored_name(self, version: int) -> str:
        return self.event.__name__ if version == 1 else f"{self.event.__name__}.{version}"


class Codec:
    """``plain``: stored name → event class, or None if decoding needs a key or an upcaster."""

    def __init__(self, types: Iterable[EventType], keys: KeyRing) -> None:
        self._keys = keys
        self._types: dict[type, EventType] = {kind.event: kind for kind in types}
        self._names = {event: kind.name for event, kind in self._types.items()}
        self._partition = {event: partition_fields(event) for event in self._types}
        self.erasing = frozenset(event for event, kind in self._types.items() if kind.erases)
        self.plain: dict[str, type | None] = {}
        self._decoders: dict[str, Callable[[bytes], object]] = {}
        for kind in self._types.values():
            for version in range(1, len(kind.upcasts) + 2):
                self._decoders[kind.stored_name(version)] = self._decoder(kind, version)
                self.plain[kind.stored_name(version)] = None if kind.sealed or version <= len(kind.upcasts) else kind.event

    def encode(self, event: object) -> tuple[str, bytes]:
        """Return the stored name and bytes of an event.

        Raises :class:`Refusal` if it is larger than a topic takes, or needs keys that are lost.
        """
        event_type = type(event)
        if self._keys.problem and (self._types[event_type].erases or self._has_personal_values(event)):
            raise Refusal("keys_lost", self._keys.problem)
        body = ENCODE(self._seal(event) if self._types[event_type].sealed else event)
        if len(body) > LARGEST:
            raise Refusal(
                "event_too_large", f"A {event_type.__name__} has {len(body):,} bytes; at most {LARGEST:,} are allowed."
            )
        return self._names[event_type], b'{"key":' + ENCODE(self.partition_key(event)) + b"," + body[1:]

    def decode(self, name: str, state: bytes) -> object:
        """Return the event in its current version. Raises :class:`Unreadable` for a name or bytes that it cannot read."""
        decoder = self._decoders.get(name)
        if decoder is None:
            raise Newer(f"The log holds an event named {name}, which this version of Regulars does not know: upgrade it.")
        try:
            return decoder(state)
        except UNREADABLE as fault:
            raise Unreadable(f"A stored {name} cannot be read ({fault!r}): {state[:80]!r}") from fault

    def decode_stream(self, rows: Sequence[tuple[int, str, bytes]]) -> list[object]:
        """Return the events of one stream's rows: version, stored name and bytes of each."""
        decoders = self._decoders
        try:
            return [decoders[name](state) for _, name, state in rows]
        except UNREADABLE:  # decode one by one, to name the bad one
            return [self.decode(name, state) for _, name, state in rows]

    def decode_all(self, rows: Sequence[tuple[int, str, bytes]]) -> list[Recorded]:
        """Return the events of many rows: position, stored name and bytes of each."""
        decoders, make = self._decoders, Recorded._make
        try:
            return [make((number, decoders[name](state))) for number, name, state in rows]
        except UNREADABLE:  # decode one by one, to name the bad one
            return [Recorded(number, self.decode(name, state)) for number, name, state in rows]

    def partition_key(self, event: object) -> str:
        """Return the value of the first of :data:`PARTITION_KEYS` that the event has."""
        for name in self._partition[type(event)]:
            value = getattr(event, name)
            if value is not None:
                return str(value)
        raise Unreadable(f"{type(event).__name__} has no field to partition by.")

    def _decoder(self, kind: EventType, version: int) -> Callable[[bytes], object]:
        upcasts = kind.upcasts[version - 1 :]
        sealed = bool(kind.sealed) and version >= kind.sealed_since
        if not upcasts and not sealed:
            return msgspec.json.Decoder(kind.event).decode

        def decode(state: bytes) -> object:
            raw = orjson.loads(state)
            for upcast in upcasts:
                raw = upcast(raw)
            return msgspec.convert(self._open(raw, kind) if sealed else raw, kind.event)

        return decode

    def _has_personal_values(self, event: Any) -> bool:
        """Return whether the event has values to seal, and someone whose key seals them."""
        filled = any(getattr(event, name) != blank for name, blank in self._types[type(event)].sealed.items())
        return filled and key_owner(asdict(event), self.partition_key(event)) is not None

    def _seal(self, event: Any) -> Raw:
        kind = self._types[type(event)]
        raw = asdict(event)
        mine = key_owner(raw, self.partition_key(event))
        if mine is None:
            return raw
        for name, blank in kind.sealed.items():
            if raw[name] != blank:
                sealed = self._keys.seal(mine, seal_context(kind, mine, name), orjson.dumps(raw[name]))
                raw[name] = blank if sealed is None else sealed
        return raw

    def _open(self, raw: Raw, kind: EventType) -> Raw:
        mine = key_owner(raw, raw["key"])
        if mine is None:
            return raw
        for name, blank in kind.sealed.items():
            if raw.get(name, blank) not in (blank, list(blank) if isinstance(blank, tuple) else blank):
                opened = self._keys.open(mine, seal_context(kind, mine, name), raw[name])
                raw[name] = blank if opened is None else orjson.loads(opened)
        return raw


def key_owner(raw: Raw, key: str) -> str | None:
    """Return the name of the key that seals an event: the member's, or that of a guest's session.

    Return None for a guest without a session and for a gift card of nobody: no erasure is about these.
    """
    if "member" not in raw or raw["member"] is not None:
        return key
    return None if raw.get("session") is None else session_key_name(key)


def seal_context(kind: EventType, member: str, name: str) -> str:
    """Return what a sealed value is bound to. A member's id may hold any character, so it is encoded."""
    return f"{kind.event.__name__}/{name}/{b64encode(member.encode()).decode()}"


def partition_fields(event: type) -> tuple[str, ...]:
    return tuple(name for name in PARTITION_KEYS if name in field_names(event))


def key_of(state: bytes) -> str:
    """Return the partition key of stored bytes, without decoding the rest.

    >>> key_of(b'{"key":"42","member":"42"}')
    '42'

    Raises :class:`Unreadable` if the bytes do not begin with one.
    """
    found = KEY.match(state)
    if found is None:
        raise Unreadable(f"A stored event does not begin with its partition key: {state[:80]!r}")
    return str(orjson.loads(found[1]))
