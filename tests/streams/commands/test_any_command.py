"""Whatever a command says, its answer is an outcome: it happened whole, or it was refused by a code that the docs know."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aggregates.decider import Decider
from aggregates.membership.commands import AdjustPoints, HoldPoints
from aggregates.programme.policy import PublishPolicy
from aggregates.value import replace
from infra.settings import Settings
from streams.commands.handler import rebuilt
from streams.commands.request import Request
from streams.projecting import follower as follow
from streams.registry import COMMANDS, REACTIONS
from streams.running.app import App, running
from tests.checks.refusals import documented
from tests.redis_content import content
from tests.shop import MEMBERS, START, requests
from tests.streams.commands.any_command import DAY, PARTING, POLICY, command

AT_A_TIME = 8
number = count()
minute = count(START + 800 * DAY, 7 * 60_000)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[App]:
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    with running(Settings(tmp_path_factory.mktemp("shop"), valkey_url)) as app:
        opening: list[Any] = [PublishPolicy(POLICY, START, "ada", START)]
        opening += [AdjustPoints(member, "opening", 500, "to begin with", "ada", START) for member in MEMBERS]
        opening += [HoldPoints(member, "1", 20, START) for member in MEMBERS]
        app.handler.handle_all([Request("opening", tuple(opening)), *requests(12)])
        yield app


drawn = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
@drawn
@given(data=st.data())
def test_it_happens_whole_or_is_refused_and_is_answered_the_same_again(shop: App, kind: type, data: st.DataObject) -> None:
    answered(shop, data.draw(st.lists(command(kind), min_size=AT_A_TIME, max_size=AT_A_TIME)))


@pytest.mark.parametrize("_", range(6))
@drawn
@given(data=st.data())
def test_so_it_is_with_whatever_comes_after_whatever(shop: App, _: int, data: st.DataObject) -> None:
    kinds = st.sampled_from([kind for kind in COMMANDS if kind not in (*REACTIONS, *PARTING)])
    mixed = kinds.flatmap(lambda kind: command(kind, spoil=False))
    answered(shop, [later(one) for one in data.draw(st.lists(mixed, min_size=30, max_size=30))])


def later(one: Any) -> Any:
    """A little later than the one before, so that holds, limits and dates are met while they matter."""
    return replace(one, at=next(minute))


def answered(shop: App, commands: list[Any]) -> None:
    asked = [Request(f"{next(number)}", (one,)) for one in commands]
    before = shop.log.head()
    outcomes = shop.handler.handle_all(asked)
    for outcome in outcomes:
        assert outcome.position == before + outcome.events
        before = outcome.position
        assert outcome.accepted or (documented(outcome.code) and outcome.sentence.endswith(".") and not outcome.events), outcome
    assert shop.log.head() == before
    assert shop.handler.handle_all(asked) == [replace(outcome, repeated=True) for outcome in outcomes]
    assert shop.log.head() == before


def test_after_all_that_every_stream_is_rebuilt_to_what_it_was_decided_by(shop: App) -> None:
    deciders: dict[str, Decider[Any, Any, Any]] = {route.decider.name: route.decider for route in COMMANDS.values()}
    with shop.log.append() as append:
        for stream, state in shop.handler._remembered.items():
            assert rebuilt(append, stream, deciders[stream.split("-")[0]]) == state, stream


def test_after_all_that_the_read_models_are_the_same_however_the_log_is_cut(
    shop: App, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.announce()
    found = []
    for version, chunk in (("v1", 1000), ("v2", 13)):
        monkeypatch.setattr(follow, "CHUNK", chunk)
        assert shop.under(version).follower(models=False).catch_up() == shop.log.head()
        every = content(client)
        found.append({key.removeprefix(version): every[key] for key in every if key.startswith(version)})
    assert found[0] == found[1]
    assert len(found[0]) > len(MEMBERS)
