from __future__ import annotations

from aggregates.campaign import CampaignChanged, CampaignEnded, CampaignLaunched, Offer
from aggregates.coupon import CouponRedeemed, CouponReleased, CouponReserved, CouponRestored, CouponSent, Reserved
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


def test_published_terms_are_shown() -> None:
    document = {"effect": {"percent": "0.1"}, "stage": "code", "by_code": True, "title": "Spring", "cap": 900}
    shown = tallied(
        campaigns,
        CampaignChanged(campaign="spring", version=2, document=document, actor="ada", at=1),
        CampaignEnded(campaign="spring", version=2, actor="ada", reason="", at=9),
    )
    assert shown.fields["campaign:spring"] == {
        "version": 2,
        "stage": "code",
        "public": 1,
        "title": "Spring",
        "by_code": 1,
        "terms": '{"effect": {"percent": "0.1"}}',
        "ended": 9,
    }


def test_the_terms_of_a_campaign_that_is_not_public_are_not_shown() -> None:
    changed = CampaignChanged(
        campaign="spring",
        version=2,
        document={"effect": {"percent": "0.1"}, "public": False, "title": "Secret"},
        actor="ada",
        at=1,
    )
    shown = tallied(campaigns, changed).fields["campaign:spring"]
    assert (shown["public"], shown["title"], shown["terms"]) == (0, None, None)


def test_reservations_and_what_they_took_off_are_counted() -> None:
    held = Reserved(2, "17", 40)
    reserved = CouponReserved(campaign="spring", member="m", order="o", reservation=held, until=9, at=1)
    events = (
        reserved,
        CouponReleased(campaign="spring", member="m", order="o", reservation=held, reason="failed", at=2),
        reserved,
        replace(REDEEMED, amount=40, reservation=held),
        CouponRestored(campaign="spring", member="m", order="o", reservation=held, at=4),
        replace(REDEEMED, amount=40, reservation=held, overrun=True),
    )
    assert tallied(campaigns, *events).counts["campaign:spring"] == {
        "reserved": 2,
        "released": 1,
        "redeemed": 2,
        "spent": 80,
        "restored": 1,
        "given_back": 40,
        "overrun": 1,
    }
