"""The learner as a fold: tested before taught, the same however it is cut or restarted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from aggregates.behaviour import Dismissed
from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.member import MemberClosed, MemberErased, MemberRegistered
from aggregates.order.events import OrderLine, OrderPaid
from aggregates.product import ProductListed, ProductRetired
from models.learner import Learner
from models.recommender.items import WEEK, moment
from models.recommender.lists import DISCOVERED, LISTED, Companions, Popular, Recommendations, Variety

DAY = 86_400_000
HALF_PAST_TEN = 1_483_284_600_000  # 1 January 2017, New York


def listed(product: str, staple: bool = False) -> ProductListed:
    attributes = {"staple": "fuel"} if staple else {}
    return ProductListed(
        product=product,
        name=product.title(),
        department="Grocery",
        category=None,
        brand=None,
        price=None,
        stock=None,
        attributes=attributes,
        at=HALF_PAST_TEN,
    )


def paid(order: str, member: str | None, *products: str, day: int = 0) -> OrderPaid:
    lines = tuple(OrderLine(product, 1, 100, 100, 100) for product in products)
    return OrderPaid(
        order=order,
        member=member,
        session=None,
        currency="USD",
        lines=lines,
        net=100 * len(lines),
        at=HALF_PAST_TEN + day * DAY,
    )


def taught(*events: object) -> tuple[Learner, Delta]:
    learner = Learner("America/New_York")
    return learner, learner.fold([Recorded(position, event) for position, event in enumerate(events, 1)])


def recommended(delta: Delta, member: str) -> Recommendations:
    found = delta.documents[f"recommend:{member}"]
    assert isinstance(found, Recommendations)
    return found


def test_what_is_bought_again_leads_and_says_how_often() -> None:
    _, delta = taught(*(paid(f"o{n}", "ann", "milk", day=7 * n) for n in range(4)), paid("o9", "ann", "tea", day=28))
    first, second = recommended(delta, "ann").items[:2]
    assert (first.product, first.source, first.reason) == ("milk", "repeat", "You buy this about every week")
    assert (second.product, second.reason) == ("tea", "You bought this before")


def test_companions_of_the_latest_basket_name_their_reason() -> None:
    others = [paid(f"o{n}", f"m{n}", "tea", "lemon") for n in range(3)]
    _, delta = taught(listed("tea"), listed("lemon"), *others, paid("mine", "ann", "tea"))
    entry = next(entry for entry in recommended(delta, "ann").items if entry.product == "lemon")
    assert (entry.source, entry.reason, entry.name) == ("companion", "Often bought with Tea", "Lemon")


def test_a_new_member_sees_what_is_popular_and_never_what_they_have() -> None:
    _, delta = taught(listed("milk"), *(paid(f"o{n}", f"m{n}", "milk", "tea") for n in range(2)), paid("mine", "ann", "tea"))
    entry = next(entry for entry in recommended(delta, "ann").items if entry.product == "milk")
    assert (entry.source, entry.reason) == ("popular", "Popular in Grocery")
    assert [entry.product for entry in recommended(delta, "ann").items].count("tea") == 1


def test_the_ranker_fills_every_place_and_what_is_new_has_a_list() -> None:
    mine = [f"p{n}" for n in range(40)]
    _, delta = taught(paid("others", "bob", *(f"q{n}" for n in range(40))), paid("mine", "ann", *mine))
    found = recommended(delta, "ann")
    scores = [entry.score for entry in found.items]
    assert (len(scores), scores) == (LISTED, sorted(scores, reverse=True))
    assert {entry.source for entry in found.items} == {"repeat"}
    assert len(found.discover) == DISCOVERED
    assert not {entry.product for entry in found.discover} & set(mine)


def test_a_list_is_for_the_time_of_the_next_basket_and_says_until_when_it_holds() -> None:
    _, delta = taught(*(paid(f"o{n}", "ann", "milk", day=7 * n) for n in range(4)))
    found = recommended(delta, "ann")
    assert (found.for_time - found.as_of, found.until - found.as_of) == (7 * DAY, 14 * DAY)


def test_a_list_scored_for_another_moment_is_another_list() -> None:
    weekly = [paid(f"a{n}", "ann", "milk", *["tea"] * (n == 2), day=7 * n) for n in range(6)]
    learner, _ = taught(*weekly, *(paid(f"o{n}", f"m{n % 5}", "salt", day=n) for n in range(40)))
    soon, late = (learner.shown("ann", HALF_PAST_TEN + days * DAY)[0] for days in (36, 90))
    assert [entry.score for entry in soon] != [entry.score for entry in late]


def test_what_must_not_be_shown_is_left_out_after_ranking_and_the_list_filled_up() -> None:
    mine = [f"p{n}" for n in range(30)]
    unwanted = Dismissed(product="p3", member="ann", session=None, at=HALF_PAST_TEN)
    learner, delta = taught(paid("1", "ann", *mine), unwanted, paid("2", "ann", *mine))
    shown = [entry.product for entry in recommended(delta, "ann").items]
    assert len(shown) == LISTED
    assert "p3" not in shown
    assert "p3" in learner.listed("ann", moment(HALF_PAST_TEN, "UTC")).products


def test_what_is_sold_out_is_not_shown_until_it_is_listed_with_stock() -> None:
    learner, _ = taught(paid("1", "ann", "milk", "tea"), replace(listed("tea"), stock=0))
    assert [entry.product for entry in learner.shown("ann", HALF_PAST_TEN)[0]] == ["milk"]
    learner.fold([Recorded(99, listed("tea"))])
    assert len(learner.shown("ann", HALF_PAST_TEN)[0]) == 2


def test_who_has_a_durable_thing_is_not_shown_it_again() -> None:
    learner, _ = taught(*(paid(f"o{n}", f"m{n}", "kettle", "milk") for n in range(40)))
    assert [entry.product for entry in learner.shown("m1", HALF_PAST_TEN)[0]] == []
    learner, _ = taught(*(paid(f"o{n}", f"m{n % 20}", "kettle" if n < 20 else "milk", "milk") for n in range(40)))
    assert "milk" in [entry.product for entry in learner.shown("m1", HALF_PAST_TEN)[0]]


def test_novelty_brings_what_is_new_to_the_front_and_diversity_mixes_categories() -> None:
    told = (("tea", "drinks"), ("cola", "drinks"), ("bread", "bakery"))
    kinds = [replace(listed(product), category=category) for product, category in told]
    bought = [paid(f"o{n}", "ann", "tea", "cola", day=n) for n in range(5)]
    learner, _ = taught(*kinds, paid("x", "bob", "bread", "salt"), paid("y", "ann", "bread"), *bought)
    plain, new, mixed = (
        [entry.product for entry in learner.shown("ann", HALF_PAST_TEN + 6 * DAY, variety)[0]]
        for variety in (Variety(), Variety(novelty=100.0), Variety(diversity=100.0))
    )
    assert set(plain[:2]) == {"tea", "cola"}
    assert new[0] == "salt"
    assert not {"tea", "cola"} <= set(mixed[:2])


def test_a_retired_product_leaves_the_lists() -> None:
    _, delta = taught(paid("1", "ann", "milk", "tea"), ProductRetired("milk", HALF_PAST_TEN), paid("2", "ann", "tea"))
    assert [entry.product for entry in recommended(delta, "ann").items] == ["tea"]


def test_a_product_has_a_list_as_of_its_latest_sale() -> None:
    _, delta = taught(*(paid(f"o{n}", None, "tea", "lemon", day=n) for n in range(4)))
    found = delta.documents["also:tea"]
    assert isinstance(found, Companions)
    assert [(item.product, item.together) for item in found.items] == [("lemon", 4)]
    assert found.as_of == HALF_PAST_TEN + 3 * DAY


def test_quality_is_of_what_was_shown_before_the_basket() -> None:
    learner, _ = taught(paid("1", "ann", "milk"), paid("2", "ann", "milk"), paid("3", "ann", "tea"))
    sums = learner.quality.days["2017-01-01"]
    assert sums["all:baskets"] == 3
    assert sums["all:regulars:hits"] == 1  # nothing was shown before the first, milk before the second and the third
    assert sums["all:personal:hits"] == 1
    assert sums["all:popular:hits"] == 1
    assert sums["first:baskets"] == 1
    assert sums["new:baskets"] == 1  # the tea
    assert "all:popular:recall-gain2" not in sums  # no difference from ours


def test_staples_are_measured_apart() -> None:
    learner, _ = taught(
        listed("fuel", staple=True), *(paid(str(n), "ann", "fuel") for n in range(3)), paid("4", "ann", "fuel", "tea")
    )
    sums = learner.quality.days["2017-01-01"]
    assert (sums["all:baskets"], sums["all:regulars:hits"]) == (4, 3)
    assert (sums["no-staples:baskets"], sums.get("no-staples:regulars:hits", 0)) == (1, 0)


def test_adjustments_teach_nothing() -> None:
    line = OrderLine("milk", 0, 0, 100, 100)
    _, delta = taught(
        OrderPaid(order="1", member="ann", session=None, currency="USD", lines=(line,), net=100, at=HALF_PAST_TEN)
    )
    assert not delta.documents
    assert not delta.fields


def test_an_erased_member_leaves_no_habit_and_no_list() -> None:
    learner, delta = taught(paid("1", "ann", "milk"), paid("2", "bob", "milk"), MemberErased("ann", HALF_PAST_TEN))
    assert delta.documents["recommend:ann"] is None
    assert {name for name, value in delta.fields["repeat:ann"].items() if value is not None} == {".erased"}
    assert set(learner.repeat.members) == {"bob"}


def test_an_order_paid_after_its_member_was_erased_teaches_nothing_of_them() -> None:
    learner, delta = taught(paid("1", "ann", "milk"), MemberErased("ann", HALF_PAST_TEN), paid("2", "ann", "tea"))
    assert delta.documents["recommend:ann"] is None
    assert learner.repeat.members == {}
    assert learner.items["tea"].baskets == 1


def test_a_shop_of_fifty_years_is_learned_like_a_young_one() -> None:
    half_century = 50 * 365
    old = [paid(f"old {n}", "ann", "milk", "tea", day=n - half_century) for n in range(3)]
    now = [paid(f"new {n}", "bob", "rice", "salt", day=n) for n in range(3)]
    young, aged = taught(*now)[0], taught(*old, *now)[0]
    for items in (young.items, aged.items):
        surge = items["rice"].surge * 2.0 ** ((items.surging - HALF_PAST_TEN) / WEEK)
        assert surge == pytest.approx(1 + 2 ** (1 / 7) + 2 ** (2 / 7))
    assert aged.items["milk"].surge < 1e-100


def test_a_basket_told_half_a_century_late_breaks_nothing() -> None:
    days = (0, 1, -50 * 365, 50 * 365, 2)
    _, delta = taught(*(paid(f"o{day}", "ann", "milk", "tea", day=day) for day in days))
    entries = recommended(delta, "ann").items
    assert {entry.product for entry in entries} == {"milk", "tea"}
    assert sum(entry.score for entry in entries) == pytest.approx(1)


def test_a_member_who_wants_nothing_that_there_is_sees_an_empty_list() -> None:
    _, delta = taught(
        Dismissed(product="tea", member="ann", session=None, at=HALF_PAST_TEN), paid("1", "ann", "tea"), paid("2", "ann", "tea")
    )
    assert recommended(delta, "ann").items == ()


def popular(delta: Delta) -> list[str]:
    found = delta.documents["popular"]
    assert isinstance(found, Popular)
    return [entry.product for entry in found.items]


def test_what_a_member_dismisses_leaves_their_list_at_once_and_the_list_is_filled_up() -> None:
    learner, _ = taught(paid("1", "ada", "tea", "pot"), paid("2", "eve", "cup"))
    unwanted = Dismissed(product="tea", member="ada", session=None, at=HALF_PAST_TEN + DAY)
    found = recommended(learner.fold([Recorded(3, unwanted)]), "ada")
    assert [entry.product for entry in found.items] == ["pot", "cup"]
    assert (found.as_of, found.position) == (HALF_PAST_TEN, 3)


@pytest.mark.parametrize(
    "gone", [ProductRetired("lemon", HALF_PAST_TEN), replace(listed("lemon"), stock=0)], ids=["retired", "sold out"]
)
def test_what_is_not_sold_any_more_leaves_the_shops_lists_at_once(gone: ProductRetired | ProductListed) -> None:
    companions = ("lemon", *(f"p{n}" for n in range(12)))
    learner, delta = taught(*(paid(f"o{n}", None, "tea", *companions) for n in range(4)))
    before = delta.documents["also:tea"]
    assert isinstance(before, Companions)
    assert "lemon" in [item.product for item in before.items]
    delta = learner.fold([Recorded(9, gone)])
    also = delta.documents["also:tea"]
    assert isinstance(also, Companions)
    assert (len(also.items), "lemon" in [item.product for item in also.items]) == (len(before.items), False)
    assert "lemon" not in popular(delta)
    assert "tea" in popular(delta)


def test_a_closed_member_has_no_list_and_teaches_nothing_until_they_register_again() -> None:
    closed = MemberClosed("ann", "moved", HALF_PAST_TEN)
    learner, delta = taught(paid("1", "ann", "milk"), closed, paid("2", "ann", "tea"))
    assert delta.documents["recommend:ann"] is None
    assert list(learner.repeat.members["ann"].places) == ["milk"]
    again = MemberRegistered(member="ann", name=None, email=None, birthday=None, profile={}, at=HALF_PAST_TEN)
    delta = learner.fold([Recorded(8, again), Recorded(9, paid("3", "ann", "pot"))])
    assert {entry.product for entry in recommended(delta, "ann").items} == {"milk", "pot", "tea"}


def test_shoppers_are_counted_and_not_their_baskets() -> None:
    people = [paid(f"o{n}", f"m{n}", "good", "mug") for n in range(20)]
    others = [paid(f"x{n}", f"m{n}", f"p{n % 7}") for n in range(20)]
    member = [paid(f"b{n}", "bot", "good", "spam") for n in range(40)]
    guest = [replace(paid(f"g{n}", None, "good", "junk"), session="s") for n in range(40)]
    learner, delta = taught(*people, *others, *member, *guest, paid("last", "ann", "good"))
    assert [learner.items[product].baskets for product in ("good", "mug", "spam", "junk")] == [23, 20, 1, 1]
    also = [item.product for item in learner.slots.product("good", learner.pairs.neighbours("good", 9))]
    assert also == ["mug"]
    assert popular(delta)[:2] == ["good", "mug"]


def test_a_pair_counts_once_a_day_and_shopper_even_with_something_new_beside_it() -> None:
    one_day = [paid(f"o{n}", "ann", "tea", "pot", f"p{n}") for n in range(5)]
    learner, _ = taught(*one_day, paid("next day", "ann", "tea", "pot", day=1))
    assert learner.pairs.together["tea"] == {"pot": 2}
    assert set(learner.pairs.once["tea"]) == {f"p{n}" for n in range(5)}


def test_no_field_of_a_members_map_makes_redis_keep_it_as_a_table() -> None:
    products = [f"product-{n:03}" for n in range(40)]
    _, delta = taught(*(paid(f"o{n}", "ann", *products[n : n + 20], day=n) for n in range(20)))
    fields = delta.fields["repeat:ann"]
    assert {".list", ".list1"} <= fields.keys()
    assert max(len(str(value)) for value in fields.values()) <= 64
