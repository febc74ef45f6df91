from __future__ import annotations

import pytest

from aggregates.campaign import CampaignLaunched, LaunchCampaign, Offer, campaign
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, refusing

OFFERS = (Offer("c-1", ("tea", "milk")), Offer("c-2", ()))
LAUNCH = LaunchCampaign("spring", at=1, kind="A", starts=10, ends=20, limit=100, offers=OFFERS)
LAUNCHED = CampaignLaunched(campaign="spring", kind="A", starts=10, ends=20, limit=100, offers=OFFERS, at=1)
UNKNOWN = campaign.rebuild([])


def test_launching_records_the_terms() -> None:
    assert campaign.decide(LAUNCH, UNKNOWN, CONTEXT) == [LAUNCHED]


def test_a_campaign_first_seen_is_launched_with_its_id_alone() -> None:
    assert campaign.decide(LaunchCampaign("spring", at=1), UNKNOWN, CONTEXT) == [
        CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=None, offers=(), at=1)
    ]


def test_launching_twice_changes_nothing() -> None:
    assert campaign.decide(replace(LAUNCH, at=9), campaign.rebuild([LAUNCHED]), CONTEXT) == []


BARE = CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=None, offers=(), at=1)


def test_a_campaign_known_by_its_id_alone_is_completed_by_a_later_launch() -> None:
    assert campaign.decide(LaunchCampaign("spring", at=9), campaign.rebuild([BARE]), CONTEXT) == []
    completed = campaign.decide(replace(LAUNCH, at=9), campaign.rebuild([BARE]), CONTEXT)
    assert completed == [replace(LAUNCHED, at=9)]
    with refusing("campaign_launched"):
        campaign.decide(replace(LAUNCH, kind="B"), campaign.rebuild([BARE, *completed]), CONTEXT)


def test_a_campaign_with_terms_keeps_them() -> None:
    with refusing("campaign_launched"):
        campaign.decide(LaunchCampaign("spring", at=9), campaign.rebuild([LAUNCHED]), CONTEXT)


OTHERS = [
    replace(LAUNCH, kind="B"),
    replace(LAUNCH, starts=11),
    replace(LAUNCH, ends=21),
    replace(LAUNCH, limit=None),
    replace(LAUNCH, offers=OFFERS[:1]),
]


@pytest.mark.parametrize("other", OTHERS)
def test_launching_again_on_other_terms_is_refused(other: LaunchCampaign) -> None:
    with refusing("campaign_launched"):
        campaign.decide(other, campaign.rebuild([LAUNCHED]), CONTEXT)


@pytest.mark.parametrize("ends", [10, 9])
def test_a_campaign_that_ends_before_it_starts_is_refused(ends: int) -> None:
    with refusing("campaign_dates"):
        campaign.decide(replace(LAUNCH, ends=ends), UNKNOWN, CONTEXT)


@pytest.mark.parametrize(("starts", "ends"), [(None, 5), (5, None), (5, 6)])
def test_a_campaign_may_have_one_bound_or_last_a_millisecond(starts: int | None, ends: int | None) -> None:
    (launched,) = campaign.decide(replace(LAUNCH, starts=starts, ends=ends), UNKNOWN, CONTEXT)
    assert (launched.starts, launched.ends) == (starts, ends)


def test_a_negative_limit_is_refused() -> None:
    with refusing("limit_invalid"):
        campaign.decide(replace(LAUNCH, limit=-1), UNKNOWN, CONTEXT)


def test_a_campaign_needs_an_id() -> None:
    with refusing("campaign_id_invalid"):
        campaign.decide(replace(LAUNCH, campaign=""), UNKNOWN, CONTEXT)
