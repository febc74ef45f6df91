from __future__ import annotations

from aggregates.delta import Delta


def test_counts_of_one_field_add_up_and_fields_stay_apart() -> None:
    delta = Delta()
    delta.count("sales", "orders", 1)
    delta.count("sales", "orders", 2)
    delta.count("sales", "lines", 5)
    assert delta.counts == {"sales": {"orders": 3, "lines": 5}}


def test_scores_add_up_apart_from_counts() -> None:
    delta = Delta()
    delta.score("trending:1", "tea", 4)
    delta.score("trending:1", "tea", -1)
    assert delta.scores == {"trending:1": {"tea": 3}}
    assert delta.counts == {}
