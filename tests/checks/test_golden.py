"""Everything that was ever stored stays readable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from infra.codec import Codec, key_of
from streams.registry import EVENTS
from tests.checks.golden import GOLDEN, codec_with_key, key_beside, stored_names
from tests.old_samples import OLD_SHAPES
from tests.samples import SAMPLES

EXPECTED = {type(sample): sample for sample in SAMPLES}


@pytest.fixture
def codec(tmp_path: Path) -> Iterator[Codec]:
    with codec_with_key(tmp_path, "m-1", bytes(32)) as codec:
        yield codec


def test_there_is_one_golden_file_for_every_stored_name() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {name for name, _ in stored_names()}, (
        "python -m tests.checks.golden writes the missing ones; a name that was stored is never given up"
    )
    sealed = {kind.name for kind in EVENTS.values() if kind.sealed}
    assert {path.stem for path in GOLDEN.glob("*.key")} >= sealed


def test_there_is_one_sample_of_every_event() -> None:
    assert [type(sample) for sample in SAMPLES] == list(EVENTS)


@pytest.mark.parametrize(("name", "event"), stored_names())
def test_a_golden_file_decodes_to_its_event(name: str, event: type, tmp_path: Path) -> None:
    state = (GOLDEN / f"{name}.json").read_bytes()
    with codec_with_key(tmp_path, key_of(state), key_beside(name)) as codec:
        assert codec.decode(name, state) == OLD_SHAPES.get(name, EXPECTED[event])


@pytest.mark.parametrize("event", [event for event, kind in EVENTS.items() if not kind.sealed], ids=lambda e: e.__name__)
def test_an_event_encodes_to_the_bytes_of_its_golden_file(event: type, codec: Codec) -> None:
    name, state = codec.encode(EXPECTED[event])
    assert state == (GOLDEN / f"{name}.json").read_bytes(), "a changed shape needs a version and an upcast of its own"


@pytest.mark.parametrize("event", [event for event, kind in EVENTS.items() if kind.sealed], ids=lambda e: e.__name__)
def test_a_sealed_event_encodes_to_the_fields_of_its_golden_file(event: type, codec: Codec) -> None:
    name, state = codec.encode(EXPECTED[event])
    fresh, golden = (orjson.loads(raw) for raw in (state, (GOLDEN / f"{name}.json").read_bytes()))
    assert list(fresh) == list(golden)
    for field in golden.keys() - EVENTS[event].sealed:
        assert fresh[field] == golden[field]
    assert not any(word in (GOLDEN / f"{name}.json").read_bytes() for word in (b"Zo", b"zoe", b"1990", b"25-34"))
