"""The sender against a real receiver, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aggregates.decider import stream_id
from aggregates.member import MemberRegistered
from infra.event_log.log import EventLog
from infra.settings import Settings
from infra.webhooks.signature import signature
from infra.webhooks.store import Endpoint, WebhookStore
from streams.running.app import open_log
from streams.webhooks.messages import open_store
from streams.webhooks.sender import PAUSES, WebhookSender
from tests.streams.webhooks.receiver import Receiver


class Bench:
    """A log, an endpoint at the receiver, and a sender whose clock stands still."""

    def __init__(self, log: EventLog, store: WebhookStore, url: str, personal: bool = False) -> None:
        self.log = log
        self.store = store
        self.now = 1_700_000_000_000
        self.made, self.secret = store.add(url, ["MemberRegistered"], personal, log.head(), 0)
        self.sender = WebhookSender(log, store, private=True, now=lambda: self.now)
        self.versions: dict[str, int] = {}

    @property
    def endpoint(self) -> Endpoint:
        found = self.store.find(self.made.id)
        assert found
        return found

    def happens(self, *members: str) -> None:
        with self.log.append() as append:
            for member in members:
                version = self.versions[member] = self.versions.get(member, 0) + 1
                event = MemberRegistered(member=member, name="Ada", email=None, birthday=None, profile={}, at=1)
                append.add(stream_id("member", member), version, event)

    def sends(self, seconds: float = 0) -> None:
        self.now += int(seconds * 1000)
        while asyncio.run(self.sender.send_some(self.endpoint)):
            pass


@pytest.fixture
def bench(tmp_path: Path, receiver: Receiver) -> Iterator[Bench]:
    settings = Settings(tmp_path / "home")
    settings.home.mkdir()
    with open_log(settings) as (log, keys), closing(open_store(settings, keys)) as store:
        yield Bench(log, store, receiver.url)


def positions(receiver: Receiver) -> list[int]:
    return [int(one["headers"]["webhook-id"].rpartition("_")[2]) for one in receiver.got()]


def test_a_message_is_signed_as_the_specification_says_and_holds_nothing_personal(bench: Bench, receiver: Receiver) -> None:
    bench.happens("ada")
    bench.sends()
    got = receiver.got()[0]
    headers, body = got["headers"], got["body"].encode()
    assert headers["webhook-signature"] == signature(
        bench.secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body
    )
    assert '"type":"MemberRegistered"' in got["body"]
    assert "Ada" not in got["body"]


def test_an_endpoint_that_asks_for_personal_values_is_told_them(bench: Bench, receiver: Receiver) -> None:
    bench.made, _ = bench.store.add(receiver.url, ["MemberRegistered"], True, bench.log.head(), 0)
    bench.happens("ada")
    bench.sends()
    assert "Ada" in receiver.got()[0]["body"]


def test_a_failing_key_waits_alone_and_is_told_in_order_later(bench: Bench, receiver: Receiver) -> None:
    receiver.answers(500)
    bench.happens("ada")
    bench.sends()
    receiver.answers(200)
    bench.happens("ada", "eve", "ada")
    bench.sends()
    assert positions(receiver) == [3]
    bench.sends(seconds=PAUSES[0] * 1.3)
    assert positions(receiver) == [3, 1, 2, 4]
    assert bench.store.waiting(bench.made.id) == []


def test_what_is_never_taken_becomes_a_dead_letter_that_can_be_sent_again(bench: Bench, receiver: Receiver) -> None:
    receiver.answers(500)
    bench.happens("ada")
    bench.sends()
    for pause in PAUSES:
        assert bench.store.dead_letters(bench.made.id) == []
        bench.sends(seconds=pause * 1.3)
    (dead,) = bench.store.dead_letters(bench.made.id)
    assert (dead.position, dead.attempts, dead.answer) == (1, len(PAUSES) + 1, "status 500")
    assert len(receiver.got(taken=False)) == len(PAUSES) + 1
    receiver.answers(200)
    assert bench.store.resend(bench.made.id, 1)
    bench.sends()
    assert positions(receiver) == [1]
    assert bench.store.dead_letters(bench.made.id) == []


def test_a_replay_sends_the_same_ids_again(bench: Bench, receiver: Receiver) -> None:
    bench.happens("ada", "eve")
    bench.sends()
    assert bench.store.replay(bench.made.id, 0)
    bench.sends()
    assert sorted(positions(receiver)) == [1, 1, 2, 2]


def test_a_batch_that_a_replay_overtook_is_not_counted(bench: Bench) -> None:
    bench.happens("ada")
    before = bench.endpoint
    assert bench.store.replay(bench.made.id, 1)
    assert not bench.store.advance(before, 1, [])


def test_a_receiver_that_is_gone_disables_its_endpoint(bench: Bench, receiver: Receiver) -> None:
    receiver.answers(410)
    bench.happens("ada")
    bench.sends()
    assert bench.endpoint.disabled


def test_a_redirect_is_not_followed(bench: Bench, receiver: Receiver) -> None:
    receiver.answers(302)
    bench.happens("ada")
    bench.sends()
    assert [one["status"] for one in receiver.got(taken=False)] == [302]
    assert bench.store.waiting(bench.made.id)[0].answer == "status 302"


def test_only_one_sender_has_its_turn(bench: Bench) -> None:
    assert bench.store.take_turn("a", now=0, until=10)
    assert not bench.store.take_turn("b", now=5, until=15)
    assert bench.store.take_turn("a", now=5, until=20)
    assert bench.store.take_turn("b", now=21, until=30)
    bench.store.end_turn("b")
    assert bench.store.take_turn("a", now=22, until=30)


def test_secrets_are_sealed_and_the_file_is_its_owners_alone(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "home/webhooks.db"
    assert file.stat().st_mode & 0o777 == 0o600
    assert bench.secret.encode() not in file.read_bytes()
    assert bench.store.secrets(bench.made.id, 0) == [bench.secret]


def verifies(got: dict[str, Any], secret: str) -> bool:
    """Whether a receiver that knows this secret takes the message, as the specification says: one signature must fit."""
    headers = got["headers"]
    mine = signature(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), got["body"].encode())
    return mine in headers["webhook-signature"].split(" ")


def test_both_secrets_verify_until_the_old_one_ends(bench: Bench, receiver: Receiver) -> None:
    old, day = bench.secret, 86_400
    new = bench.store.rotate(bench.made.id, bench.now, bench.now + day * 1000)
    assert new is not None
    assert new != old
    bench.happens("ada")
    bench.sends()
    bench.happens("eve")
    bench.sends(seconds=day - 1)
    bench.happens("kim")
    bench.sends(seconds=1)
    assert [(verifies(got, old), verifies(got, new)) for got in receiver.got()] == [(True, True), (True, True), (False, True)]
    assert bench.store.rotate("whnothing", 0, 0) is None


def test_a_secret_that_is_rotated_twice_keeps_both_old_ones(bench: Bench, receiver: Receiver) -> None:
    first = bench.secret
    second = bench.store.rotate(bench.made.id, bench.now, bench.now + 1000)
    third = bench.store.rotate(bench.made.id, bench.now, bench.now + 1000)
    bench.happens("ada")
    bench.sends()
    assert [verifies(receiver.got()[0], str(secret)) for secret in (first, second, third)] == [True, True, True]
    bench.store.remove(bench.made.id)
    assert bench.store.secrets(bench.made.id, 0) == []
