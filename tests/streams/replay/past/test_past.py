"""Time travel: a read model as of the past is what folding the log up to there gives, and a past answer never changes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from aggregates.decider import Recorded
from aggregates.order.fulfilment import OrderDelivered
from aggregates.product import RepriceProduct
from infra.redis.digest import digests, pages, stored
from infra.settings import Settings
from streams.commands.request import Request
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import loader_of
from streams.registry import fold_of_part, folds
from streams.replay.past import places
from streams.replay.past.member import PARTS, difference, member_as_of
from streams.replay.past.places import Place, place_at, place_of
from streams.replay.past.read_models import Past, changed_fields, past_of
from streams.replay.past.stored import read_stored
from streams.running.app import App, running
from tests.shop import HOUR, MEMBERS, PRODUCTS, START
from tests.streams.conftest import Command
from tests.streams.replay.past.late_shop import fill

SHOPPINGS = 30
SPAN = SHOPPINGS * 31 * HOUR
SMALL_STEP = 64


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[App]:
    """A shop with late facts, and a clock that was noted in many rows."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    with pytest.MonkeyPatch.context() as patch, running(Settings(tmp_path_factory.mktemp("late"), valkey_url)) as app:
        patch.setattr(places, "STEP", SMALL_STEP)
        yield fill(app, SHOPPINGS)


def everything(app: App) -> list[Recorded]:
    return as_stored(app, app.log.head())


def as_stored(app: App, position: int) -> list[Recorded]:
    """Return the first events as the log has them: what was personal of an erased member is blank there, not in memory."""
    rows = app.log.since(0, position)
    return [Recorded(row.position, app.log.codec.decode(row.name, row.state)) for row in rows]


def dates(app: App) -> list[int]:
    return [recorded.event.at for recorded in everything(app)]  # type: ignore[attr-defined]


def cut_into_redis(app: App, position: int) -> App:
    """Return the system under a version of keys that holds the first events of the log, put there by the live dispatch."""
    cut = app.under(f"cut{position}")
    loaders = [loader_of(fold, app.terms.zone, cut.views) for fold in folds(app.terms)]
    Dispatch(cut.views, loaders).dispatch(as_stored(app, position))
    return cut


@given(share=st.floats(0.02, 1))
@pytest.mark.usefixtures("late")
def test_every_read_model_as_of_a_position_is_that_of_the_log_cut_there(late: App, share: float) -> None:
    position = max(1, round(late.log.head() * share))
    cut = cut_into_redis(late, position)
    past = Past(late.log, folds(late.terms), late.terms.zone).to(position)
    assert {name: fold.digest() for name, fold in past.folds.items()} == digests(cut.views, fold_of_part(late.terms))
    cut.views.client.flushall()


def test_one_key_folds_what_it_needs_and_equals_the_whole(late: App) -> None:
    position = late.log.head() * 2 // 3
    cut = cut_into_redis(late, position)
    keys = [key for page in pages(cut.views) for key in page if key.partition(":")[0] in fold_of_part(late.terms)]
    light = [key for key in keys if fold_of_part(late.terms)[key.partition(":")[0]] != "learner"]
    assert {key.partition(":")[0] for key in light} >= {"card", "cart", "order", "product", "session", "sales"}
    for key in light:
        wanted, found = read_stored(stored(cut.views, [key])[0]), past_of(late.log, late.terms, [key], position).stored(key)
        assert wanted is not None, key
        assert found is not None, key
        assert found.comparable == wanted.comparable, key
    cut.views.client.flushall()


@given(hours=st.integers(-5, SPAN // HOUR + 5))
def test_an_instant_is_the_position_before_the_clock_passed_it_and_late_facts_are_counted(late: App, hours: int) -> None:
    at, told = START + hours * HOUR, dates(late)
    first_later = next((number for number, dated in enumerate(told) if dated > at), len(told))
    found = place_of(late.log, at)
    assert (found.position, found.final) == (first_later, first_later < len(told))
    assert found.late == sum(dated <= at for dated in told[first_later:])


@given(share=st.floats(0, 1))
def test_the_clock_at_a_position_is_the_latest_instant_so_far(late: App, share: float) -> None:
    told = dates(late)
    position = max(1, round(len(told) * share))
    assert place_at(late.log, position).instant == max(told[:position])


def test_the_clock_is_noted_once_and_read_afterwards(late: App) -> None:
    place_of(late.log, START)
    rows = late.log.clock()
    assert len(rows) == late.log.head() // SMALL_STEP
    place_of(late.log, START)
    assert late.log.clock() == rows
    assert any(row.earliest < before.latest for before, row in pairwise(rows)), "no late facts"


def test_a_late_fact_does_not_change_a_past_answer(app: App) -> None:
    fill(app, 12)
    at = START + 100 * HOUR
    before, place = member_as_of(app.log, app.terms, MEMBERS[3], place_of(app.log, at))[1], place_of(app.log, at)
    outcome = app.handler.handle(Request("later", (RepriceProduct(PRODUCTS[3], 5, START + 1),)))
    assert outcome.accepted
    assert member_as_of(app.log, app.terms, MEMBERS[3], place_of(app.log, at))[1] == before
    assert place_of(app.log, at) == Place(place.position, at, late=place.late + 1)


@given(st.data())
def test_the_dated_axis_takes_in_what_was_recorded_later(late: App, data: Any) -> None:
    member = data.draw(st.sampled_from(MEMBERS[2:]))
    at = START + data.draw(st.integers(1, SPAN // HOUR)) * HOUR
    _, found = member_as_of(late.log, late.terms, member, Place(0, at, axis="dated"))
    wanted = Past(late.log, folds(late.terms)[:-1], late.terms.zone)
    for recorded in everything(late):
        if recorded.event.at <= at:  # type: ignore[attr-defined]
            for fold in wanted.folds.values():
                if type(recorded.event) in fold.events:
                    fold.take([recorded])
    assert found["activity"] == wanted.fields(f"activity:{member}")
    assert found["cart"] == wanted.fields(f"cart:{member}")


@given(st.data())
def test_the_steps_of_a_difference_lead_from_one_place_to_the_other(late: App, data: Any) -> None:
    head, member = late.log.head(), data.draw(st.sampled_from([*MEMBERS, "late"]))
    first, last = sorted(data.draw(st.lists(st.integers(1, head), min_size=2, max_size=2)))
    start, end = place_at(late.log, first), place_at(late.log, last)
    found = difference(late.log, late.terms, member, start, end)
    events = {recorded.position: recorded.event for recorded in everything(late)}
    moved: dict[tuple[str, str], Any] = {}
    for step in found.steps:
        assert step.position is None or (first < step.position <= last and type(events[step.position]).__name__ == step.event)
        for change in step.changes:
            moved.setdefault((change.key, change.field), change.before)
            assert moved[change.key, change.field] is not ...
    assert {(change.key, change.field) for change in found.changes} <= set(moved)
    before, after = (member_as_of(late.log, late.terms, member, place)[1] for place in (start, end))
    for part in PARTS:
        told = {change.field: change.after for change in found.changes if change.key == f"{part}:{member}"}
        wanted = changed_fields(before[part] or {}, after[part] or {})
        assert told == {name: new for name, _, new in wanted if name.rpartition(".")[2] not in ("position", "as_of")}


# The commands


@pytest.fixture
def told(command: Command, tmp_path: Path, valkey_url: str, client: redis.Redis) -> Iterator[App]:
    with running(Settings(tmp_path / "home", valkey_url)) as app:
        fill(app, 20)
        app.follower().catch_up()
        yield app


def test_at_the_head_every_command_shows_what_is_live(told: App, command: Command) -> None:
    head, member = told.log.head(), MEMBERS[3]
    live, past = (command("show", "member", member, "--json", *more).json for more in ((), ("--at", f"#{head}")))
    assert past.pop("place")["position"] == head
    assert past == live
    for what in (f"card:{member}", f"product:{PRODUCTS[1]}", "popular"):
        live, past = (command("view", what, "--json", *more).json["content"] for more in ((), ("--at", head)))
        assert past == live, what
    whole = command("digest", "--at", head, "--json").json
    assert whole.pop("place")["axis"] == "recorded"
    assert whole == command("digest", "--json").json
    name = next(recorded.event.order for recorded in everything(told) if isinstance(recorded.event, OrderDelivered))
    live, past = (command("show", "order", name, "--json", *more).json for more in ((), ("--at", head)))
    assert past["status"] == live["status"]
    placed = next(r.position for r in everything(told) if getattr(r.event, "order", None) == name)
    assert command("show", "order", name, "--json", "--at", placed).json["status"] == "placed"


def test_a_past_list_knows_nothing_of_what_came_later(told: App, command: Command) -> None:
    position = told.log.head() // 2
    cut = cut_into_redis(told, position)
    members = [key.partition(":")[2] for page in pages(cut.views) for key in page if key.startswith("recommend:")]
    member, at = members[0], place_at(told.log, position).instant
    shown = command("recommend", member, "--at", position, "--json").json
    assert shown["place"]["position"] == position
    assert shown["for_time"] == at
    held = orjson.loads(cut.views.client.get(cut.views.key(f"recommend:{member}")))  # type: ignore[arg-type]
    assert shown["as_of"] == held["as_of"]
    assert shown["position"] == held["position"] <= position


def test_each_output_names_its_axis_and_what_it_leaves_out(told: App, command: Command) -> None:
    said = command("show", "member", MEMBERS[3], "--at", "2017-01-20T00:00")
    assert "As recorded up to position" in said.err
    assert "dated earlier were recorded later and are left out" in said.err
    dated = command("show", "member", MEMBERS[3], "--at", "2017-01-20T00:00", "--with-late")
    assert "As dated until" in dated.err
    beyond = command("show", "member", MEMBERS[3], "--at", "2030-01-01T00:00", "--json")
    assert beyond.json["place"]["final"] is False
    request = next(outcome for n in range(20) if (outcome := told.log.outcome(f"r-{n}")) and outcome.events > 1)
    cut = command("view", "popular", "--at", request.position - 1)
    assert f"it cuts the request {request.request}" in cut.err


def test_a_difference_names_the_events_that_made_it(told: App, command: Command) -> None:
    found = command("diff", MEMBERS[3], "--from", "#60", "--json").json
    assert found["from"]["position"] == 60
    assert found["to"]["position"] == told.log.head()
    assert {step["event"] for step in found["steps"]} >= {"PointsGranted", "OrderPlaced", None}
    assert command("diff", MEMBERS[3], "--from", "#60").status == 0
    refused = command("diff", MEMBERS[3], "--from", "#60", "--to", "#50")
    assert (refused.status, "before --from" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("view", "nonsense:1"), 1, "No fold writes keys"),
        (("view", "card:nobody"), 1, "Nothing is stored under card:nobody"),
        (("view", "popular", "--at", "2017-02-01", "--with-late"), 2, "a key of a member"),
        (("show", "member", "m-3", "--at", "#0"), 1, "and no 0"),
        (("show", "member", "m-3", "--at", "1999-01-01"), 1, "Nothing had happened by 1999"),
        (("show", "member", "m-3", "--at", "soon"), 2, "not ISO 8601"),
        (("show", "member", "m-3", "--at", "#9", "--with-late"), 2, "is a position"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(
    told: App, command: Command, words: tuple[str, ...], status: int, sentence: str
) -> None:
    said = command(*words)
    assert said.status == status, said
    assert sentence in said.err
