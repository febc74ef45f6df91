"""Any two ids that differ stay apart everywhere, and no id of a shop reaches an internal name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, pairwise
from random import Random
from unicodedata import normalize

import orjson
import pytest

from aggregates.constraints import comparable_email
from aggregates.decider import LONGEST_ID, is_id, stream_id
from aggregates.member import RegisterMember
from aggregates.order.decider import PayOrder
from aggregates.product import ListProduct
from infra.codec import key_of
from infra.keys.ring import LOG, PEPPER, REPLACED, session_key_name
from infra.settings import Settings
from projections.card import Card
from streams.commands.request import Request
from streams.running.app import running
from tests.databases import in_both_databases
from tests.shop import START, line, place

PIECES = (
    *("a", "A", "b", "1", "01", "-", "--", "%", "%2D", "%25", "%252D", ":", "/", "//", ".", "..", " ", "_", "*", "?", "[", "]"),
    *("{", "}", "\\", '"', "'", "|", "~", "#", "&", "=", "+", ",", ";", "@", "é", normalize("NFD", "é"), "ß", "ss", "İ", "i"),
    *(
        "ſ",
        "s",
        "K",
        "k",
        "\u200b",
        "\ufeff",
        "\u2028",
        "\ufffd",
        "\U0010ffff",
        "😀",
        "member",
        "order",
        "v1",
        "card",
        "regulars",
    ),
)
"""What separates, escapes, folds, composes or sorts in surprising ways."""


AGGREGATES = ("member", "membership", "product", "cart", "order", "campaign", "session", "review", "policy")


def confusable_ids(number: int, seed: int) -> list[str]:
    """Return so many different ids, most of which another one resembles."""
    random = Random(seed)
    found: dict[str, None] = {}
    while len(found) < number:
        base = "".join(random.choices(PIECES, k=random.choice((1, 2, 3, 4))))
        for made in (base, base.lower(), base.upper(), normalize("NFC", base), normalize("NFD", base), f"{base} ", f" {base}"):
            found[made] = None
        found["n" * (LONGEST_ID - len(base)) + base] = None
    return [made for made in found if is_id(made)][:number]


def names_made_of(ids: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every name of a stream, a key or a Kafka record, with what it stands for."""
    for one in ids:
        for aggregate in AGGREGATES:
            yield "stream " + stream_id(aggregate, one), (aggregate, one)
        yield "key " + one, ("key of a member", one)
        yield "key " + session_key_name(one), ("key of a session", one)
        yield "partition " + key_of(b'{"key":%b,"x":1}' % orjson.dumps(one)), ("partition", one)
    for first, second in pairwise(ids):
        for pair in ((first, second), (second, first), (first + "-" + second, first), (first, second + "-" + first)):
            yield "stream " + stream_id("coupon", *pair), ("coupon", *pair)
    for internal in (LOG, PEPPER, REPLACED):
        yield "key " + internal, ("internal", internal)


def check_names(number: int) -> int:
    """Compare each name with all others, and return how many there were."""
    owners: dict[str, tuple[str, ...]] = {}
    for name, owner in names_made_of(confusable_ids(number, seed=number)):
        assert owners.setdefault(name, owner) == owner, (name, owner, owners[name])
    return len(owners)


def test_names_made_of_different_ids_differ() -> None:
    assert check_names(500) > 5_000


@pytest.mark.slow
def test_names_made_of_ten_thousand_ids_differ() -> None:
    assert check_names(10_000) > 100_000


def check_system(settings: Settings, number: int) -> None:
    """Give the same ids to members, products and orders. Each must have what a list of prices says, and nothing else."""
    ids, requests = confusable_ids(number, seed=7), count()
    price = {one: 1_000 + 7 * place for place, one in enumerate(ids)}
    with running(settings) as app:
        for one in ids:
            commands = (
                RegisterMember(one, START),
                ListProduct(one, START, one, "D", price=price[one]),
                place(one, one, line(one, price=price[one])),
                PayOrder(one, START + 1),
            )
            outcome = app.handler.handle(Request(f"{next(requests)}", commands))
            assert outcome.accepted, (one, outcome)
        app.follower().catch_up()
        for one in ids:
            assert [getattr(event, "member", None) for event in app.log.read(stream_id("member", one))[0]] == [one]
            card = app.views.load([f"card:{one}"], {"card": Card})[f"card:{one}"]
            assert (card.member, card.qualifying) == (one, price[one])
            counted = app.views.client.hgetall(app.views.key(f"product:{one}"))
            assert (counted[b"orders"], counted[b"units"]) == (b"1", b"1"), one
        assert set(app.log.streams_between("member-")) == {stream_id("member", one) for one in ids}


@in_both_databases
def test_members_products_and_orders_with_such_ids_stay_apart(settings: Settings) -> None:
    check_system(settings, 120)


@pytest.mark.slow
def test_ten_thousand_members_products_and_orders_stay_apart(settings: Settings) -> None:
    check_system(settings, 10_000)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("info@straße.example", "info@strasse.example", False),
        ("Ann@Example.org", "ann@example.ORG ", True),
        (normalize("NFC", "josé@x.org"), normalize("NFD", "JOSÉ@x.org"), True),
        ("a.b@x.org", "ab@x.org", False),
    ],
)
def test_addresses_are_one_if_only_case_or_composition_differs(one: str, other: str, same: bool) -> None:
    assert (comparable_email(one) == comparable_email(other)) is same
