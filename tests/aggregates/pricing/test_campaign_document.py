"""Campaign terms as documents: what is read is what was meant, and what is wrong is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.pricing.campaign_document import plain_campaign, problems_of, read_campaign
from aggregates.pricing.terms import CampaignTerms
from tests.aggregates.pricing.carts import random_request


@given(st.integers(0, 10**9))
def test_terms_are_read_as_they_were_written(seed: int) -> None:
    for running in random_request(seed).campaigns:
        document = json.loads(json.dumps(plain_campaign(running.terms)))
        terms, problems = read_campaign(document)
        assert terms == running.terms
        assert problems == []


def test_a_document_in_words_is_read() -> None:
    document = {
        "title": "Friday tea",
        "stage": "line",
        "effect": {"deal": {"buy": "2", "percent": "50 %"}},
        "only": {"categories": "tea"},
        "when": {"hours": [{"days": ["fri"], "start": "18:00"}], "any_of": [{"tiers": ["gold"]}, {"first_order": "yes"}]},
        "limits": {"member": 1},
        "budget": {"amount": 100000, "per": "day"},
        "combines_with": ["codes", "shipping"],
    }
    terms, problems = read_campaign(document)
    assert problems == []
    assert terms is not None
    assert (terms.effect.deal and terms.effect.deal.percent, terms.when.any_of[1].first_order) == ((1, 2), True)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, ()),
        ({"effect": {}}, ("effect",)),
        ({"effect": {"percent": "10 %", "fixed": 5}}, ("effect",)),
        ({"effect": {"percent": "110 %"}}, ("effect", "percent")),
        ({"effect": {"unit": 5}}, ("stage",)),
        ({"effect": {"deal": {"buy": 0}}, "stage": "line"}, ("effect", "deal", "buy")),
        ({"effect": {"bundle": {"price": 5, "parts": []}}, "stage": "line"}, ("effect", "bundle", "parts")),
        ({"effect": {"ladder": [{"at": 5, "off": 9}, {"at": 9, "off": 5}]}}, ("effect", "ladder")),
        ({"effect": {"ladder": [{"at": 5, "off": 9, "percent": "5 %"}]}}, ("effect", "ladder")),
        ({"effect": {"fixed": 5}, "cap": -1}, ("cap",)),
        ({"effect": {"fixed": 5}, "when": {"starts": 9, "ends": 9}}, ("when", "ends")),
        ({"effect": {"fixed": 5}, "when": {"hours": [{"start": "25:00"}]}}, ("when", "hours", 0, "start")),
        ({"effect": {"unit": 5}, "stage": "price", "cap": 5}, ("cap",)),
        ({"effect": {"fixed": 5}, "limits": {"code": 5}}, ("limits", "code")),
        ({"effect": {"fixed": 5}, "sage": "order"}, ("sage",)),
        ({"effect": {"per_full": {"amount": 0, "off": 5}}}, ("effect", "per_full", "amount")),
    ],
)
def test_what_is_wrong_with_a_document_is_named(document: dict[str, Any], path: tuple[Any, ...]) -> None:
    _, problems = read_campaign(document)
    assert path in [problem.path for problem in problems]


def test_terms_without_a_problem_have_none() -> None:
    terms, _ = read_campaign({"effect": {"fixed": 5}})
    assert isinstance(terms, CampaignTerms)
    assert problems_of(terms) == []
