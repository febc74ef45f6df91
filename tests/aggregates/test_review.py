from __future__ import annotations

import pytest

from aggregates.review import LONGEST, ProductReviewed, ReviewProduct, author, review
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, refusing

SAY = ReviewProduct("tea", 1, 9, member="m", text="Good.", order="o-1")
SAID = ProductReviewed(product="tea", member="m", session=None, half_stars=9, text="Good.", order="o-1", at=1)
SILENT = review.rebuild([])
GIVEN = review.rebuild([SAID])


def test_a_review_is_recorded() -> None:
    assert review.decide(SAY, SILENT, CONTEXT) == [SAID]
    guests = ReviewProduct("tea", 1, 2, session="s")
    assert review.decide(guests, SILENT, CONTEXT) == [
        ProductReviewed(product="tea", member=None, session="s", half_stars=2, text=None, order=None, at=1)
    ]


@pytest.mark.parametrize("half_stars", range(2, 11))
def test_a_rating_counts_half_stars(half_stars: int) -> None:
    assert review.decide(replace(SAY, half_stars=half_stars), SILENT, CONTEXT) == [replace(SAID, half_stars=half_stars)]


def test_the_same_review_again_changes_nothing() -> None:
    assert review.decide(replace(SAY, at=9), GIVEN, CONTEXT) == []


@pytest.mark.parametrize("change", [{"half_stars": 3}, {"text": "Bad."}, {"text": None}, {"session": "s"}])
def test_another_review_replaces_it(change: dict[str, object]) -> None:
    edited = replace(SAY, at=9, **change)
    assert review.decide(edited, GIVEN, CONTEXT) == [replace(SAID, at=9, **change)]


def test_the_last_review_counts() -> None:
    worse = replace(SAID, half_stars=3, at=9)
    assert review.decide(replace(SAY, at=10), review.rebuild([SAID, worse]), CONTEXT) == [replace(SAID, at=10)]
    assert review.decide(replace(SAY, half_stars=3, at=10), review.rebuild([SAID, worse]), CONTEXT) == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (replace(SAY, product=""), "product_id_invalid"),
        (replace(SAY, member=None), "shopper_missing"),
        (replace(SAY, member=""), "member_id_invalid"),
        (replace(SAY, session=""), "session_id_invalid"),
        (replace(SAY, order=""), "order_id_invalid"),
        (replace(SAY, half_stars=1), "rating_invalid"),
        (replace(SAY, half_stars=11), "rating_invalid"),
        (replace(SAY, half_stars=4.5), "rating_invalid"),
        (replace(SAY, half_stars=True), "rating_invalid"),
        (replace(SAY, text="x" * (LONGEST + 1)), "review_too_long"),
    ],
)
def test_invalid_values_are_refused(command: ReviewProduct, code: str) -> None:
    with refusing(code):
        review.decide(command, SILENT, CONTEXT)


def test_a_long_review_is_taken_whole() -> None:
    assert review.decide(replace(SAY, text="x" * LONGEST), SILENT, CONTEXT) == [replace(SAID, text="x" * LONGEST)]


def test_a_shopper_has_one_review_of_a_product_and_of_each_purchase() -> None:
    words = [
        SAY,
        replace(SAY, order=None),
        replace(SAY, order="o-2"),
        replace(SAY, product="milk"),
        replace(SAY, member="n"),
        replace(SAY, member=None, session="m"),
    ]
    assert len({author(word) for word in words}) == len(words)
    assert author(replace(SAY, session="s", half_stars=2, text=None)) == author(SAY)
