from __future__ import annotations

from aggregates.coupon import CouponRedeemed, CouponRestored, CouponSent, Reserved
from aggregates.member import MemberErased
from aggregates.value import replace
from projections.wallet import CouponUse, CouponWallet, WalletEntry, wallet
from tests.projections.folding import folded, removed

SENT = CouponSent(campaign="spring", member="m", kind="A", starts=10, ends=20, at=1)
REDEEMED = CouponRedeemed(campaign="spring", member="m", coupon="c-1", use="u-1", order="o-1", recorded=False, flags=(), at=15)
ENTRY = WalletEntry("spring", "A", 10, 20, sent_at=1)
USE = CouponUse("c-1", "o-1", (), at=15)


def test_a_campaign_sent_is_in_the_wallet_with_its_dates() -> None:
    assert folded(wallet, SENT) == {"wallet:m": CouponWallet("m", {"spring": ENTRY}, as_of=1, position=1)}


def test_the_latest_terms_hold() -> None:
    longer = replace(SENT, ends=30, at=5)
    assert folded(wallet, SENT, REDEEMED, longer) == {
        "wallet:m": CouponWallet("m", {"spring": replace(ENTRY, ends=30, sent_at=5, uses=(USE,))}, as_of=15, position=3)
    }


def test_uses_are_listed_in_the_order_they_came() -> None:
    second = replace(REDEEMED, use="u-2", order=None, flags=("too_late",), at=25)
    uses = (USE, CouponUse("c-1", None, ("too_late",), at=25))
    assert folded(wallet, SENT, REDEEMED, second) == {
        "wallet:m": CouponWallet("m", {"spring": replace(ENTRY, uses=uses)}, as_of=25, position=3)
    }


def test_a_use_of_a_campaign_that_was_not_sent_is_in_the_wallet() -> None:
    entry = WalletEntry("spring", uses=(USE,))
    assert folded(wallet, REDEEMED) == {"wallet:m": CouponWallet("m", {"spring": entry}, as_of=15, position=1)}


def test_campaigns_and_members_stay_apart() -> None:
    contents = folded(wallet, SENT, replace(SENT, campaign="summer"), replace(SENT, member="n"))
    assert {key: set(view.campaigns) for key, view in contents.items() if view} == {
        "wallet:m": {"spring", "summer"},
        "wallet:n": {"spring"},
    }


def test_an_erased_member_has_no_wallet() -> None:
    contents = folded(wallet, SENT, replace(SENT, member="n"), MemberErased("m", at=9))
    assert removed(contents) == {"wallet:m"}
    assert set(contents) == {"wallet:m", "wallet:n"}


RESTORED = CouponRestored(campaign="spring", member="m", order="o-1", reservation=Reserved(version=1), at=20)


def test_a_use_whose_order_came_back_as_a_whole_leaves_the_wallet() -> None:
    other = replace(REDEEMED, coupon="c-2", use="u-2", order="o-2")
    kept = replace(ENTRY, uses=(CouponUse("c-2", "o-2", (), at=15),))
    assert folded(wallet, SENT, REDEEMED, other, RESTORED) == {
        "wallet:m": CouponWallet("m", {"spring": kept}, as_of=20, position=4)
    }


def test_a_use_restored_after_an_erasure_makes_no_wallet() -> None:
    contents = folded(wallet, SENT, REDEEMED, MemberErased("m", at=18), RESTORED)
    assert removed(contents) == {"wallet:m"}
