from __future__ import annotations

from aggregates.campaign import CampaignLaunched, Offer
from aggregates.coupon import CouponRedeemed, CouponSent
from aggregates.value import replace
from projections.campaigns import campaigns
from tests.projections.folding import tallied

LAUNCHED = CampaignLaunched(
    campaign="spring", kind="A", starts=10, ends=20, limit=100, offers=(Offer("c-1", ("tea",)), Offer("c-2", ("milk",))), at=1
)
SENT = CouponSent(campaign="spring", member="m", kind="A", starts=10, ends=20, at=2)
REDEEMED = CouponRedeemed(campaign="spring", member="m", coupon="c-1", use="u-1", order="o-1", recorded=False, flags=(), at=15)


def test_a_launched_campaign_shows_its_terms() -> None:
    assert tallied(campaigns, LAUNCHED).fields == {
        "campaign:spring": {"kind": "A", "starts": 10, "ends": 20, "limit": 100, "coupons": 2}
    }


def test_a_campaign_known_by_its_id_alone_shows_no_terms() -> None:
    bare = CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=None, offers=(), at=1)
    assert tallied(campaigns, bare).fields["campaign:spring"] == {
        "kind": None, "starts": None, "ends": None, "limit": None, "coupons": 0
    }  # fmt: skip


def test_members_sent_and_coupons_used_are_counted() -> None:
    events = (SENT, replace(SENT, member="n"), REDEEMED, replace(REDEEMED, use="u-2", flags=("too_late",)))
    assert tallied(campaigns, *events).counts == {"campaign:spring": {"sent": 2, "redeemed": 2, "flagged": 1}}


def test_campaigns_are_counted_apart() -> None:
    counts = tallied(campaigns, SENT, replace(SENT, campaign="summer"), replace(REDEEMED, campaign="summer")).counts
    assert counts == {"campaign:spring": {"sent": 1}, "campaign:summer": {"sent": 1, "redeemed": 1}}
