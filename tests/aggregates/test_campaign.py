from __future__ import annotations

import pytest

from aggregates.campaign import (
    CampaignChanged,
    CampaignEnded,
    CampaignLaunched,
    ChangeCampaign,
    EndCampaign,
    LaunchCampaign,
    Offer,
    campaign,
)
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
    assert isinstance(launched, CampaignLaunched)
    assert (launched.starts, launched.ends) == (starts, ends)


def test_a_negative_limit_is_refused() -> None:
    with refusing("limit_invalid"):
        campaign.decide(replace(LAUNCH, limit=-1), UNKNOWN, CONTEXT)


def test_a_campaign_needs_an_id() -> None:
    with refusing("campaign_id_invalid"):
        campaign.decide(replace(LAUNCH, campaign=""), UNKNOWN, CONTEXT)


TERMS = {"effect": {"percent": "10 %"}, "stage": "code", "by_code": True}
CHANGE = ChangeCampaign("spring", TERMS, "ada", at=5)
CHANGED = CampaignChanged(
    campaign="spring",
    version=2,
    document={"effect": {"percent": "0.1"}, "stage": "code", "by_code": True},
    actor="ada",
    at=5,
)


def test_terms_are_published_as_the_next_version() -> None:
    (changed,) = campaign.decide(CHANGE, campaign.rebuild([LAUNCHED]), CONTEXT)
    assert isinstance(changed, CampaignChanged)
    assert (changed.version, changed.document["effect"]["percent"]) == (2, "0.1")
    after = campaign.rebuild([LAUNCHED, changed])
    assert after.terms is not None
    assert after.terms.effect.percent == (1, 10)


def test_a_stored_document_without_defaults_is_read() -> None:
    after = campaign.rebuild([LAUNCHED, CHANGED])
    assert after.terms is not None
    assert (after.version, after.terms.by_code) == (2, True)


def test_publishing_the_same_terms_changes_nothing() -> None:
    assert campaign.decide(replace(CHANGE, at=9), campaign.rebuild([LAUNCHED, CHANGED]), CONTEXT) == []


def test_wrong_terms_are_refused_with_their_place() -> None:
    with refusing("campaign_invalid") as refused:
        campaign.decide(replace(CHANGE, document={"effect": {"percent": "110 %"}}), campaign.rebuild([LAUNCHED]), CONTEXT)
    assert "effect.percent" in str(refused.value)


def test_terms_need_a_campaign() -> None:
    with refusing("campaign_unknown"):
        campaign.decide(CHANGE, UNKNOWN, CONTEXT)


def test_a_version_that_somebody_replaced_meanwhile_is_not_replaced_unseen() -> None:
    with refusing("campaign_changed"):
        campaign.decide(
            replace(CHANGE, document={"effect": {"fixed": 5}}, replaces=1), campaign.rebuild([LAUNCHED, CHANGED]), CONTEXT
        )


def test_a_campaign_is_ended_once_and_then_not_changed() -> None:
    ended = CampaignEnded(campaign="spring", version=2, actor="ada", reason="sold out", at=7)
    end = EndCampaign("spring", "ada", at=7, reason="sold out")
    assert campaign.decide(end, campaign.rebuild([LAUNCHED, CHANGED]), CONTEXT) == [ended]
    after = campaign.rebuild([LAUNCHED, CHANGED, ended])
    assert campaign.decide(end, after, CONTEXT) == []
    with refusing("campaign_ended"):
        campaign.decide(replace(CHANGE, document={"effect": {"fixed": 5}}), after, CONTEXT)
