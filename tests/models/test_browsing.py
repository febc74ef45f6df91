from __future__ import annotations

import random

import pytest

from aggregates.behaviour import Clicked, Dismissed, Favourited, Searched, Unfavourited, Viewed
from aggregates.cart import CartItemAdded
from aggregates.delta import Delta
from aggregates.order.events import OrderLine, OrderPaid
from models.recommender.browsing import Browsing, Event
from models.recommender.browsing_state import BrowsingState
from models.recommender.transitions import KEPT, Paths
from models.recommender.visits import IDLE, MOST_CLOSED, REMEMBERED, Visits

MINUTE = 60_000


def viewed(product: str, at: int, session: str = "s") -> Viewed:
    return Viewed(product=product, member=None, session=session, at=at)


def learned(*events: Event) -> Browsing:
    browsing = Browsing()
    for event in events:
        browsing.learn_one(event)
    return browsing


def led_to(browsing: Browsing, shopper: str = "s.s") -> list[str]:
    return [found.product for found in browsing.onward(browsing.visits.live[shopper], 9)]


def test_a_visit_ends_after_half_an_hour_of_the_shops_time_whoever_moves_its_clock() -> None:
    browsing = learned(viewed("tea", 0), viewed("pot", MINUTE), viewed("cup", MINUTE + IDLE, session="other"))
    assert list(browsing.visits.live) == ["s.s", "s.other"]
    browsing.learn_one(viewed("cup", MINUTE + IDLE + 1, session="other"))
    assert list(browsing.visits.live) == ["s.other"]
    assert list(browsing.visits.closed.values()) == [("tea", "pot")]


def test_what_comes_late_keeps_a_visit_going_and_moves_no_clock_back() -> None:
    visits = Visits()
    visits.learn_one("a", "tea", "view", at=IDLE)
    visits.learn_one("b", "pot", "view", at=0)
    assert (visits.clock, list(visits.live)) == (IDLE, ["a", "b"])


def test_a_visit_of_one_product_teaches_nobody() -> None:
    visits = Visits()
    visits.learn_one("a", "tea", "view", at=0)
    visits.pass_time(IDLE + 1)
    assert (len(visits.live), len(visits.closed)) == (0, 0)


def test_visits_and_their_products_are_bounded() -> None:
    visits = Visits()
    for n in range(REMEMBERED + 5):
        visits.learn_one("long", f"p{n}", "view", at=0)
    assert list(visits.live["long"].products) == [f"p{n}" for n in range(5, REMEMBERED + 5)]
    for n in range(MOST_CLOSED + 7):
        visits.close(n + 1, ("tea", f"q{n}"))
    assert len(visits.closed) == MOST_CLOSED
    assert visits.with_product("q6", 1) == []
    assert visits.with_product("tea", 2) == [MOST_CLOSED + 7, MOST_CLOSED + 6]


def test_a_visit_leads_where_others_like_it_went() -> None:
    browsing = learned(*(viewed(p, n, session=f"s{n}") for n in range(3) for p in ("tea", "pot")), viewed("tea", 9))
    assert led_to(browsing) == ["pot"]


def test_a_visit_is_compared_with_those_before_it() -> None:
    browsing = learned(viewed("tea", 0, "a"), viewed("pot", 1, "a"), viewed("cup", 2, "a"))
    browsing.paths = Paths()  # visits alone
    browsing.learn_one(viewed("tea", 3 + 2 * IDLE))
    assert sorted(led_to(browsing)) == ["cup", "pot"]


def test_a_cart_says_more_than_a_look() -> None:
    paths = Paths()
    for _ in range(3):
        paths.learn_one("pot", "view", ["tea"], at=0)
    paths.learn_one("cup", "cart", ["tea"], at=0)
    assert [product for product, _ in paths.onward("tea", 2)] == ["cup", "pot"]


def test_paths_of_a_product_are_bounded_and_the_strongest_stay() -> None:
    paths = Paths()
    for _ in range(2):
        paths.learn_one("often", "view", ["tea"], at=0)
    for n in range(3 * KEPT):
        paths.learn_one(f"p{n}", "view", ["tea"], at=0)
    assert len(paths.counts["tea"]) <= 2 * KEPT
    assert paths.onward("tea", 1)[0][0] == "often"


def test_one_goes_back_to_what_was_looked_at_and_not_taken() -> None:
    browsing = learned(
        viewed("tea", 0),
        viewed("pot", 1),
        viewed("cup", 2),
        CartItemAdded(cart="c", member=None, session="s", product="pot", quantity=1, price=None, at=3),
    )
    visit = browsing.visits.live["s.s"]
    assert browsing.revisit(visit, 5) == ["cup", "tea"]
    browsing.learn_one(viewed("tin", 4))
    assert browsing.revisit(visit, 5) == ["cup", "tea"], "the tin is before their eyes"


def test_what_is_dismissed_is_not_wanted_until_it_is_liked() -> None:
    browsing = learned(viewed("tea", 0), Dismissed(product="tea", member=None, session="s", at=1))
    assert (list(browsing.unwanted("s.s")), list(browsing.visits.live["s.s"].products)) == (["tea"], [])
    browsing.learn_one(Favourited(product="tea", member=None, session="s", at=2))
    assert (list(browsing.unwanted("s.s")), list(browsing.visits.live["s.s"].liked)) == ([], ["tea"])


def test_a_guest_is_forgotten_with_their_visit_and_a_member_is_not() -> None:
    browsing = learned(
        Dismissed(product="tea", member=None, session="s", at=0),
        Dismissed(product="tea", member="m", session=None, at=0),
        viewed("pot", IDLE + 1, "other"),
    )
    assert list(browsing.dismissed) == ["m.m"]


def test_who_shops_without_looking_has_no_visit() -> None:
    assert (
        learned(CartItemAdded(cart="c", member="m", session=None, product="tea", quantity=1, price=None, at=0)).visits.live
        == {}
    )


def random_act(chance: random.Random, at: int) -> Event | OrderPaid:
    product, session = f"p{chance.randrange(12)}", f"s{chance.randrange(6)}"
    member = chance.choice([None, None, "m1", "m2"])
    of_product = (Viewed, Viewed, Clicked, Favourited, Unfavourited, Dismissed)
    match chance.randrange(10):
        case 0:
            return Searched(query=f"words {at}", member=member, session=session, shown=(), at=at)
        case 1:
            return CartItemAdded(cart="c", member=member, session=session, product=product, quantity=1, price=None, at=at)
        case 2:
            return OrderPaid(
                order="o", member=member, session=session, currency="USD", lines=(OrderLine(product, 1, 1, 1, 1),), net=1, at=at
            )
        case _:
            return chance.choice(of_product)(product=product, member=member, session=session, at=at)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_written_and_brought_again_is_the_same_state_wherever_it_is_cut(seed: int) -> None:
    chance = random.Random(seed)
    acts = [random_act(chance, at=n * 4 * MINUTE + chance.randrange(IDLE // 2)) for n in range(300)]

    def run(cuts: set[int]) -> dict[str, dict[str, str]]:
        written: dict[str, dict[str, str]] = {}
        browsing = Browsing()
        state = BrowsingState(browsing)
        for n, act in enumerate(acts):
            if n in cuts:
                browsing = Browsing()
                state = BrowsingState(browsing)
            shopper = f"m.{act.member}" if act.member else f"s.{act.session}"
            product = act.lines[0].product if isinstance(act, OrderPaid) else getattr(act, "product", "p0")
            while missing := state.needs({shopper: [product]}, [shopper]):
                state.restore({key: written.get(key, {}) for key in missing})
            browsing.learn_basket(act, [product]) if isinstance(act, OrderPaid) else browsing.learn_one(act)
            delta = Delta()
            state.write(delta)
            for key, fields in delta.fields.items():
                for name, value in fields.items():
                    if value is None:
                        written.setdefault(key, {}).pop(name, None)
                    else:
                        written.setdefault(key, {})[name] = str(value)
        return {key: fields for key, fields in written.items() if fields}

    undisturbed = run(set())
    assert undisturbed["visits"]
    assert undisturbed["visiting"]
    assert run(set(chance.sample(range(300), 20))) == undisturbed
