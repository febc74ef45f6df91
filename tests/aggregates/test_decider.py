from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.decider import LARGEST_COUNT, Decider, Refusal, require_count, require_id, stream_id
from tests.aggregates.given import refusing

IDS = st.text(st.sampled_from("ab-%25D"), min_size=1, max_size=6)
KEYS = st.one_of(
    st.tuples(st.sampled_from(["member", "membership", "order"]), IDS),
    st.tuples(st.sampled_from(["coupon"]), IDS, IDS),
)
appending: Decider[str, str, str] = Decider("text", "", lambda more, *_: [more], lambda text, more: text + more)


def test_rebuilding_folds_the_events_in_their_order() -> None:
    assert appending.rebuild(["a", "b", "c"]) == "abc"


def test_rebuilding_nothing_is_the_first_state() -> None:
    assert appending.rebuild([]) == ""


def test_a_refusal_has_a_code_for_programs_and_a_sentence_for_people() -> None:
    refusal = Refusal("cart_empty", "An empty cart cannot be checked out.")
    assert (refusal.code, refusal.sentence, str(refusal)) == ("cart_empty", refusal.sentence, refusal.sentence)


@given(KEYS, KEYS)
def test_no_two_aggregates_share_a_stream(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (stream_id(*one) == stream_id(*other)) == (one == other)


def test_an_id_with_a_dash_is_not_another_pair_of_ids() -> None:
    assert stream_id("coupon", "a-b", "c") != stream_id("coupon", "a", "b-c")
    assert stream_id("coupon", "a%2Db", "c") != stream_id("coupon", "a-b", "c")


@pytest.mark.parametrize("value", ["", "x" * 201, "a\nb", "a\x00", None, 7])
def test_an_id_that_is_no_printable_text_of_1_to_200_characters_is_refused(value: str) -> None:
    with refusing("order_id_invalid"):
        require_id("order", value)


@pytest.mark.parametrize("value", [-1, LARGEST_COUNT + 1, True, 1.0, "1", None])
def test_a_count_that_is_no_whole_number_within_bounds_is_refused(value: int) -> None:
    with refusing("stock_invalid"):
        require_count("stock", value)


def test_a_count_below_its_least_is_refused() -> None:
    require_count("points", 1, least=1)
    with refusing("points_invalid"):
        require_count("points", 0, least=1)


def test_the_bounds_themselves_are_allowed() -> None:
    require_id("order", "x" * 200)
    require_count("stock", 0)
    require_count("stock", LARGEST_COUNT)
