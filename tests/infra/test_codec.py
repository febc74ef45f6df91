from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from aggregates.decider import Refusal
from aggregates.member import MemberClosed
from aggregates.order.events import OrderCancelled
from aggregates.value import Value, field_names, replace
from infra.codec import LARGEST, PARTITION_KEYS, Codec, EventType, key_of
from infra.errors import Unreadable
from infra.keys.ring import KeyRing
from streams.registry import EVENTS
from tests.examples import many
from tests.infra.ticks import Ticked
from tests.samples import SAMPLES

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
FREELY = settings(max_examples=many(25), deadline=None, suppress_health_check=UNHURRIED)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of this type may have."""
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXT,
        int: st.integers(-(2**53), 2**53),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        NoneType: st.none(),
    }
    if hint is Any:
        return st.recursive(TEXT | st.booleans() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))
    if isinstance(hint, type) and hint in simple:
        return simple[hint]
    if inspect.isclass(hint) and (issubclass(hint, Value) or is_dataclass(hint)):
        return st.builds(hint, **{name: values(kind) for name, kind in get_type_hints(hint).items()})
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return st.sampled_from(parts)
    if get_origin(hint) in (Union, UnionType):
        return st.one_of(*map(values, parts))
    if inspect.isclass(origin := get_origin(hint)) and issubclass(origin, Mapping):
        return st.dictionaries(TEXT, values(parts[1]), max_size=3)
    assert origin is tuple
    if parts[1:] == (...,):
        return st.lists(values(parts[0]), max_size=3).map(tuple)
    return st.tuples(*map(values, parts))


@pytest.fixture
def codec(keys: KeyRing) -> Codec:
    return Codec([*EVENTS.values(), EventType(Ticked)], keys)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_an_event_is_read_as_it_was_written(codec: Codec, sample: object) -> None:
    assert codec.decode(*codec.encode(sample)) == sample


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_any_event_is_read_as_it_was_written_and_its_key_is_found(codec: Codec, event: type) -> None:
    @FREELY
    @given(values(event))
    def holds(sample: object) -> None:
        assume(getattr(sample, "member", "") is not None or getattr(sample, "session", "") is not None)  # somebody did it
        name, state = codec.encode(sample)
        assert codec.decode(name, state) == sample
        assert key_of(state) == codec.partition_key(sample)

    holds()


@FREELY
@given(st.text(st.sampled_from('",:{}\\é漢/ \x1f\u2028'), max_size=8))
@example(",")
@example('x",')
@example("\\")
@example('","')
@example('"}')
@example("")
def test_the_partition_key_is_found_whatever_it_is_made_of(codec: Codec, key: str) -> None:
    assert key_of(codec.encode(Ticked(key, 1))[1]) == key


def test_stored_bytes_begin_with_the_partition_key(codec: Codec) -> None:
    for sample in SAMPLES:
        first = next(value for name in PARTITION_KEYS if (value := getattr(sample, name, None)) is not None)
        state = codec.encode(sample)[1]
        assert state.startswith(b'{"key":')
        assert key_of(state) == first == codec.partition_key(sample)


def test_an_event_without_a_key_is_not_stored(keys: KeyRing) -> None:
    class Drifted(Value):
        member: str | None

    with pytest.raises(Unreadable, match="Drifted has no field to partition by"):
        Codec([EventType(Drifted)], keys).encode(Drifted(None))


def test_an_event_that_no_topic_would_take_is_refused(codec: Codec) -> None:
    with pytest.raises(Refusal, match=r"A MemberClosed has 11,184,... bytes; at most 8,388,608 are allowed"):
        codec.encode(MemberClosed("m-1", "x" * LARGEST, 0))


def test_an_unknown_name_is_said_to_be_of_a_later_version(codec: Codec) -> None:
    with pytest.raises(Unreadable, match=r"an event named OrderTeleported.*upgrade"):
        codec.decode("OrderTeleported", b'{"key":"m"}')


@pytest.mark.parametrize(
    "state",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"key":"p","product":"p"}', b'{"key":"p","product":"p","number":"one"}'],
)
def test_bytes_that_are_no_such_event_are_said_to_be_unreadable(codec: Codec, state: bytes) -> None:
    with pytest.raises(Unreadable, match="A stored Ticked cannot be read"):
        codec.decode("Ticked", state)


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b"null", b'{"key":"m","member":"m","at":1}'])
def test_bytes_that_are_no_such_sealed_event_are_said_to_be_unreadable(codec: Codec, state: bytes) -> None:
    with pytest.raises(Unreadable, match="A stored MemberRegistered cannot be read"):
        codec.decode("MemberRegistered", state)


def test_a_field_of_a_later_version_is_passed_over(codec: Codec) -> None:
    assert codec.decode("Ticked", b'{"key":"p","product":"p","number":1,"mood":{"good":true}}') == Ticked("p", 1)


class Noted(Value):
    member: str
    text: str = ""
    pinned: bool = False


def test_a_field_that_was_not_stored_has_its_default(keys: KeyRing) -> None:
    assert Codec([EventType(Noted)], keys).decode("Noted", b'{"key":"m","member":"m"}') == Noted("m")


def test_a_sealed_field_that_was_not_stored_has_its_default(keys: KeyRing) -> None:
    codec = Codec([EventType(Noted, sealed={"text": ""})], keys)
    assert codec.decode("Noted", b'{"key":"m","member":"m","pinned":true}') == Noted("m", pinned=True)


def test_a_field_that_later_versions_seal_is_read_as_plain_text_in_older_ones(keys: KeyRing) -> None:
    kind = EventType(Noted, upcasts=(lambda raw: raw,), sealed={"text": ""}, sealed_since=2)
    codec = Codec([kind], keys)
    assert codec.decode("Noted", b'{"key":"m","member":"m","text":"plain"}') == Noted("m", "plain")
    name, state = codec.encode(Noted("m", "secret"))
    assert (name, b"secret" in state, codec.decode(name, state)) == ("Noted.2", False, Noted("m", "secret"))
    keys.destroy("m")
    assert codec.decode(name, state) == Noted("m")


def test_what_a_guest_without_a_session_says_is_not_sealed_with_another_ones_key(codec: Codec, keys: KeyRing) -> None:
    cancelled = OrderCancelled(order="m-1", member=None, session=None, currency="EUR", reason="late", lines=(), at=1)
    stored = codec.encode(cancelled)
    keys.destroy("m-1")  # of a member with the order's id
    assert codec.decode(*stored) == cancelled
    of_session = replace(cancelled, session="s-1")
    assert b"late" not in codec.encode(of_session)[1]
    assert codec.decode(*codec.encode(of_session)) == of_session


def test_a_step_that_fails_is_not_taken_for_an_unknown_name(keys: KeyRing) -> None:
    codec = Codec([EventType(Noted, upcasts=(lambda raw: {**raw, "text": raw["words"]},))], keys)
    with pytest.raises(Unreadable, match="A stored Noted cannot be read"):
        codec.decode("Noted", b'{"key":"m","member":"m"}')


def test_fields_are_never_named_as_the_stored_key_is() -> None:
    assert not [event for event in EVENTS if "key" in field_names(event)]


def test_names_are_the_classes_own_and_count_their_shapes() -> None:
    steps = (lambda raw: raw,) * 2
    assert EventType(Noted).name == "Noted"
    assert EventType(Noted, steps).name == "Noted.3"
    assert [EventType(Noted, steps).stored_name(version) for version in (1, 2, 3)] == ["Noted", "Noted.2", "Noted.3"]
