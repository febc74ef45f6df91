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


def test_viewed_and_clicked_products_are_listed_newest_first() -> None:
    assert of_m(SEEN, CLICKED) == Activity(
        "m", viewed=(ProductEntry("milk", 20), ProductEntry("tea", 10)), as_of=20, position=2
    )


def test_a_product_is_listed_once_with_its_latest_view() -> None:
    again = replace(SEEN, at=30)
    assert of_m(SEEN, CLICKED, again).viewed == (ProductEntry("tea", 30), ProductEntry("milk", 20))
    assert of_m(SEEN, again, again).viewed == (ProductEntry("tea", 30),)


def test_a_late_view_takes_its_place_by_time() -> None:
    late = replace(SEEN, product="rice", at=15)
    found = of_m(SEEN, CLICKED, late)
    assert products(found.viewed) == ["milk", "rice", "tea"]
    assert (found.as_of, found.position) == (20, 3)


def test_of_two_views_at_one_instant_the_later_event_is_newest() -> None:
    assert products(of_m(SEEN, replace(SEEN, product="rice"), replace(SEEN, product="oats")).viewed) == ["oats", "rice", "tea"]


def test_an_older_view_of_a_product_seen_since_changes_nothing() -> None:
    assert of_m(SEEN, CLICKED, replace(SEEN, at=5)) == of_m(SEEN, CLICKED)


def test_only_the_latest_entries_are_kept() -> None:
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


def test_a_search_is_listed_once_newest_first() -> None:
    other = replace(ASKED, query="Tea", at=20)
    assert of_m(ASKED, other, replace(ASKED, at=30)).searched == (SearchEntry("green tea", 30), SearchEntry("Tea", 20))


def test_a_favourite_is_listed_until_it_is_withdrawn() -> None:
    assert of_m(LIKED).favourites == (ProductEntry("tea", 10),)
    assert of_m(LIKED, UNLIKED) == Activity("m", as_of=20, position=2)
    assert products(of_m(LIKED, replace(UNLIKED, product="milk")).favourites) == ["tea"]


def test_a_favourite_ends_a_dismissal_and_a_dismissal_ends_a_favourite() -> None:
    disliked = of_m(LIKED, UNWANTED)
    assert (products(disliked.favourites), products(disliked.dismissed)) == ([], ["tea"])
    liked = of_m(UNWANTED, replace(LIKED, at=30))
    assert (products(liked.favourites), products(liked.dismissed)) == (["tea"], [])


def test_an_earlier_event_does_not_undo_a_later_one() -> None:
    liked = replace(LIKED, at=30)
    assert of_m(liked, UNLIKED) == of_m(liked, UNWANTED) == of_m(liked)
    assert of_m(UNWANTED, LIKED) == of_m(UNWANTED)


def test_the_latest_review_of_a_product_is_kept() -> None:
    better = replace(REVIEW, half_stars=10, order="o-2", at=20)
    assert of_m(REVIEW, better, replace(REVIEW, half_stars=2, at=15)).reviews == (ReviewEntry("tea", 10, 20),)


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_guests_have_no_activity_document(event: object) -> None:
    guests = replace(event, member=None, session="m")
    assert folded(activity, guests) == {}
    assert activity.keys[type(event)](guests) == ()


def test_withdrawing_an_unknown_favourite_makes_no_document() -> None:
    assert folded(activity, UNLIKED) == {}


def test_an_erased_members_document_says_only_that() -> None:
    erased = MemberErased("m", at=40)
    assert of_m(*EVERY, erased, *EVERY) == Activity("m", erased=True, as_of=40, position=len(EVERY) + 1)
    assert of_m(erased, *EVERY) == Activity("m", erased=True, as_of=40, position=1)


def test_members_stay_apart() -> None:
    contents = folded(activity, SEEN, replace(SEEN, member="n"), MemberErased("n", at=40))
    assert contents["activity:m"] == of_m(SEEN)


STEPS = st.lists(
    st.builds(
        lambda kind, product, at: kind(product=product, member="m", session=None, at=at),
        st.sampled_from([Viewed, Clicked, Favourited, Unfavourited, Dismissed]),
        st.sampled_from(["tea", "milk", "rice"]),
        st.integers(0, 5),
    ),
    max_size=30,
)


@given(STEPS)
def test_in_any_order_of_events_lists_are_newest_first_and_no_product_is_in_both(
    events: list[object],
) -> None:
    found = of_m(SEEN, *events)
    for entries in (found.viewed, found.favourites, found.dismissed):
        assert len(set(products(entries))) == len(entries)
        assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    assert set(products(found.favourites)).isdisjoint(products(found.dismissed))
