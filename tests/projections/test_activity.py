from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.behaviour import Clicked, Dismissed, Favourited, Searched, Unfavourited, Viewed
from aggregates.member import MemberErased
from aggregates.review import ProductReviewed
from aggregates.value import replace
from projections.activity import MARKED, REVIEWED, SEARCHED, VIEWED, Activity, ProductEntry, ReviewEntry, SearchEntry, activity
from tests.projections.folding import folded

SEEN = Viewed(product="tea", member="m", session=None, at=10)
CLICKED = Clicked(product="milk", member="m", session="s", at=20, slot="home", place=1)
LIKED = Favourited(product="tea", member="m", session=None, at=10)
UNLIKED = Unfavourited(product="tea", member="m", session=None, at=20)
UNWANTED = Dismissed(product="tea", member="m", session=None, at=20)
ASKED = Searched(query="green tea", member="m", session=None, shown=(), at=10)
REVIEW = ProductReviewed(product="tea", member="m", session=None, half_stars=9, text="Good.", order="o-1", at=10)
EVERY = (SEEN, CLICKED, LIKED, UNLIKED, UNWANTED, ASKED, REVIEW)


def of_m(*events: object) -> Activity:
    found = folded(activity, *events)["activity:m"]
    assert isinstance(found, Activity)
    return found


def products(entries: tuple[ProductEntry, ...]) -> list[str]:
    return [entry.product for entry in entries]


def test_what_was_looked_at_stands_newest_first_clicks_too() -> None:
    assert of_m(SEEN, CLICKED) == Activity(
        "m", viewed=(ProductEntry("milk", 20), ProductEntry("tea", 10)), as_of=20, position=2
    )


def test_a_product_stands_once_when_it_was_last_looked_at() -> None:
    again = replace(SEEN, at=30)
    assert of_m(SEEN, CLICKED, again).viewed == (ProductEntry("tea", 30), ProductEntry("milk", 20))
    assert of_m(SEEN, again, again).viewed == (ProductEntry("tea", 30),)


def test_a_look_told_late_takes_its_place_by_time() -> None:
    late = replace(SEEN, product="rice", at=15)
    found = of_m(SEEN, CLICKED, late)
    assert products(found.viewed) == ["milk", "rice", "tea"]
    assert (found.as_of, found.position) == (20, 3)


def test_of_one_instant_what_is_told_last_is_newest() -> None:
    assert products(of_m(SEEN, replace(SEEN, product="rice"), replace(SEEN, product="oats")).viewed) == ["oats", "rice", "tea"]


def test_an_older_look_at_what_was_seen_since_changes_nothing() -> None:
    assert of_m(SEEN, CLICKED, replace(SEEN, at=5)) == of_m(SEEN, CLICKED)


def test_the_latest_are_kept_and_one_older_than_all_is_not_let_in() -> None:
    looks = [Viewed(product=f"p-{n}", member="m", session=None, at=100 + n) for n in range(VIEWED + 3)]
    asked = [Searched(query=f"q-{n}", member="m", session=None, shown=(), at=100 + n) for n in range(SEARCHED + 3)]
    reviews = [
        ProductReviewed(product=f"p-{n}", member="m", session=None, half_stars=2, text=None, order=None, at=100 + n)
        for n in range(REVIEWED + 3)
    ]
    liked = [Favourited(product=f"p-{n}", member="m", session=None, at=100 + n) for n in range(MARKED + 3)]
    unwanted = [Dismissed(product=f"d-{n}", member="m", session=None, at=100 + n) for n in range(MARKED + 3)]
    found = of_m(*looks, *asked, *reviews, *liked, *unwanted)
    assert products(found.viewed) == [f"p-{n}" for n in reversed(range(3, VIEWED + 3))]
    assert [entry.query for entry in found.searched] == [f"q-{n}" for n in reversed(range(3, SEARCHED + 3))]
    assert [len(found.reviews), len(found.favourites), len(found.dismissed)] == [REVIEWED, MARKED, MARKED]
    assert [found.reviews[-1].product, found.favourites[-1].product, found.dismissed[-1].product] == ["p-3", "p-3", "d-3"]
    assert of_m(*looks, SEEN) == of_m(*looks)


def test_searches_stand_once_each_newest_first() -> None:
    other = replace(ASKED, query="Tea", at=20)
    assert of_m(ASKED, other, replace(ASKED, at=30)).searched == (SearchEntry("green tea", 30), SearchEntry("Tea", 20))


def test_a_like_is_there_until_it_is_taken_back() -> None:
    assert of_m(LIKED).favourites == (ProductEntry("tea", 10),)
    assert of_m(LIKED, UNLIKED) == Activity("m", as_of=20, position=2)
    assert products(of_m(LIKED, replace(UNLIKED, product="milk")).favourites) == ["tea"]


def test_liking_what_was_dismissed_wants_it_again_and_dismissing_unlikes() -> None:
    disliked = of_m(LIKED, UNWANTED)
    assert (products(disliked.favourites), products(disliked.dismissed)) == ([], ["tea"])
    liked = of_m(UNWANTED, replace(LIKED, at=30))
    assert (products(liked.favourites), products(liked.dismissed)) == (["tea"], [])


def test_what_happened_earlier_does_not_undo_what_came_since() -> None:
    liked = replace(LIKED, at=30)
    assert of_m(liked, UNLIKED) == of_m(liked, UNWANTED) == of_m(liked)
    assert of_m(UNWANTED, LIKED) == of_m(UNWANTED)


def test_the_last_word_on_a_product_is_its_review() -> None:
    better = replace(REVIEW, half_stars=10, order="o-2", at=20)
    assert of_m(REVIEW, better, replace(REVIEW, half_stars=2, at=15)).reviews == (ReviewEntry("tea", 10, 20),)


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_of_guests_nothing_is_kept_and_nothing_read(event: object) -> None:
    guests = replace(event, member=None, session="m")
    assert folded(activity, guests) == {}
    assert activity.keys[type(event)](guests) == ()


def test_taking_back_what_was_never_liked_makes_no_document() -> None:
    assert folded(activity, UNLIKED) == {}


def test_an_erased_members_document_says_that_alone_whatever_is_told_later() -> None:
    erased = MemberErased("m", at=40)
    assert of_m(*EVERY, erased, *EVERY) == Activity("m", erased=True, as_of=40, position=len(EVERY) + 1)
    assert of_m(erased, *EVERY) == Activity("m", erased=True, as_of=40, position=1)


def test_members_stay_apart() -> None:
    contents = folded(activity, SEEN, replace(SEEN, member="n"), MemberErased("n", at=40))
    assert contents["activity:m"] == of_m(SEEN)


STEPS = st.lists(
    st.builds(
        lambda kind, product, at: kind(product, "m", None, at),
        st.sampled_from([Viewed, Clicked, Favourited, Unfavourited, Dismissed]),
        st.sampled_from(["tea", "milk", "rice"]),
        st.integers(0, 5),
    ),
    max_size=30,
)


@given(STEPS)
def test_in_whatever_order_things_are_told_each_list_is_newest_first_and_nothing_is_both_liked_and_dismissed(
    events: list[object],
) -> None:
    found = of_m(SEEN, *events)
    for entries in (found.viewed, found.favourites, found.dismissed):
        assert len(set(products(entries))) == len(entries)
        assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    assert set(products(found.favourites)).isdisjoint(products(found.dismissed))
