from __future__ import annotations

from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, get_args

import pytest

import aggregates
from aggregates import (
    behaviour,
    campaign,
    cart,
    code_batches,
    coupon,
    gift_card,
    guest_coupon,
    member,
    personal_snapshot,
    product,
    referral,
    review,
    session,
)
from aggregates.cart import CheckOutCart
from aggregates.membership import commands as membership
from aggregates.membership import events as membership_facts
from aggregates.order import decider as order
from aggregates.order import events as order_facts
from aggregates.programme import Programme, policy
from aggregates.value import Value, annotations_of, field_names
from infra.codec import PARTITION_KEYS, partition_fields
from projections.projection import Tally
from streams.registry import BEHAVIOUR, COMMANDS, EVENTS, TOPICS, carried, fold_of_part, folds, sources
from streams.upcasters import SEALED
from tests.samples import SAMPLES

MODULES = (
    member,
    product,
    cart,
    order,
    order_facts,
    campaign,
    code_batches,
    coupon,
    gift_card,
    guest_coupon,
    membership,
    membership_facts,
    session,
    referral,
    review,
    policy,
    personal_snapshot,
    behaviour,
)


def named(alias: str) -> set[type]:
    """Return the types in the ``Command`` or ``Event`` unions of all aggregates."""
    unions: list[Any] = [vars(module)[alias] for module in MODULES if alias in vars(module)]
    return {kind for union in unions for kind in get_args(union) or (union,)}


def modules() -> list[ModuleType]:
    return [import_module(found.name) for found in walk_packages(aggregates.__path__, "aggregates.")]


def test_every_command_of_every_aggregate_is_routed() -> None:
    assert set(COMMANDS) == named("Command")


def test_every_event_of_every_aggregate_is_registered() -> None:
    assert set(EVENTS) == named("Event")


def test_no_two_events_share_a_name() -> None:
    names = [kind.stored_name(version) for kind in EVENTS.values() for version in range(1, len(kind.upcasts) + 2)]
    assert len(set(names)) == len(names)


def test_every_event_has_a_topic() -> None:
    assert set(TOPICS) == set(EVENTS)
    assert set(TOPICS.values()) == {"regulars.events", "regulars.behaviour"}


@pytest.mark.parametrize("fold", folds(Programme()), ids=lambda fold: fold.name)
def test_every_event_of_a_fold_is_in_one_of_its_topics(fold: Any) -> None:
    found = [event for topic, events in sources(fold).items() for event in events if event in carried(Programme())[topic]]
    assert sorted(event.__name__ for event in found) == sorted(event.__name__ for event in fold.events)
    assert len(sources(fold)) == 1 or isinstance(fold, Tally), "documents would depend on how topics interleave"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_is_frozen_and_has_a_time_and_a_key(event: Any) -> None:
    assert event.__struct_config__.frozen
    types = annotations_of(event)
    assert types["at"] == "int"
    keys = partition_fields(event)
    assert keys
    assert list(keys) == [name for name in PARTITION_KEYS if name in types], "the first that an event has decides"
    assert any(types[name] == "str" for name in keys) or keys == ("member", "session"), "one of them is always there"


OTHERWISE = (
    *BEHAVIOUR,
    review.ReviewProduct,
    policy.PublishPolicy,
    personal_snapshot.RecordPersonalSnapshot,
    *code_batches.Command.__args__,
)
NAMED_BY_FIELDS = [command for command in COMMANDS if command not in OTHERWISE]


@pytest.mark.parametrize("command", NAMED_BY_FIELDS, ids=lambda command: command.__name__)
def test_every_command_has_a_stream_name(command: Any) -> None:
    route = COMMANDS[command]
    given = dict.fromkeys(field_names(command), 1) | {name: f"{name}-1" for name in route.ids}
    *first, last = (f"{name}-1" for name in route.ids)
    escaped = "-".join((route.decider.name, *(name.replace("-", "%2D") for name in first), last))
    assert route.stream(command(**given)) == escaped


def test_stream_names_never_change() -> None:
    assert [
        COMMANDS[type(command)].stream(command)
        for command in (
            member.EraseMember("m-1", 0),
            product.RetireProduct("p", 0),
            CheckOutCart("c", 0),
            order.PayOrder("o", 0),
            campaign.LaunchCampaign("c-1", 0),
            coupon.SendCoupon("c-1", "m-1", 0),
            membership.GrantPoints("m-1", "o", 1, 0),
            session.JoinSession("s-1", "m-1", 0),
            session.RecogniseMember("m-1", "s-1", 0),
            session.ForgetSessions("m-1", 0),
            review.ReviewProduct("p-1", 0, 9, member="m-1", order="o-1"),
            review.ReviewProduct("p-1", 0, 9, session="m-1"),
            policy.PublishPolicy({}, 0, "ada", 0),
            code_batches.IssueCodes("c-1", "b", 1, "ada", 0),
            personal_snapshot.RecordPersonalSnapshot("tables", 1, "letter", "ada", 0),
            gift_card.BlockGiftCard("g-1", "ada", "lost", 0),
        )
    ] == [
        "member-m-1",
        "product-p",
        "cart-c",
        "order-o",
        "campaign-c-1",
        "coupon-c%2D1-m-1",
        "membership-m-1",
        "session-s-1",
        "sessions-m-1",
        "sessions-m-1",
        "review-p%2D1-o.o%2D1-m.m-1",
        "review-p%2D1--s.m-1",
        "policy",
        "codes",
        "personal_snapshots",
        "gift_card-g-1",
    ]


@pytest.mark.parametrize("fact", [sample for sample in SAMPLES if type(sample) in BEHAVIOUR], ids=lambda f: type(f).__name__)
def test_behaviour_has_no_stream_of_its_own(fact: object) -> None:
    assert COMMANDS[type(fact)].stream(fact) is None


def test_every_sealed_field_exists_and_one_event_erases() -> None:
    for event, blanks in SEALED.items():
        assert set(blanks) <= set(field_names(event))
        assert EVENTS[event].sealed == blanks
        assert partition_fields(event)[0] == "member", "a value is sealed with its member's key"
    assert [event for event, kind in EVENTS.items() if kind.erases] == [member.MemberErased]


def test_every_fold_reads_registered_events_and_no_two_share_a_key() -> None:
    every = folds(Programme())
    for fold in every:
        assert set(fold.events) <= set(EVENTS)
    parts = [part for fold in every for part in fold.parts]
    assert len(set(parts)) == len(parts)
    assert fold_of_part(Programme()) == {part: fold.name for fold in every for part in fold.parts}
    assert len({fold.name for fold in every}) == len(every)


def test_every_dated_value_of_the_aggregates_is_an_event_or_a_command() -> None:
    past = {
        kind
        for module in modules()
        for _, kind in getmembers(module, isclass)
        if kind.__module__ == module.__name__ and issubclass(kind, Value) and "at" in field_names(kind)
        if not kind.__subclasses__()  # no base of events
    }
    assert past - set(EVENTS) - set(COMMANDS) == set()
