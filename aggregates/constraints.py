"""What must hold across streams: rows that an event takes, counts or returns in the append's own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from aggregates.campaign import CampaignLaunched
from aggregates.coupon import CouponRedeemed
from aggregates.decider import Refusal
from aggregates.member import MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.ledger.events import RewardClaimed, RewardReturned


@dataclass(frozen=True)
class ClaimKey:
    """``key`` belongs to ``owner`` alone. With key None, the owner gives up its claims of this kind."""

    kind: str
    key: str | None
    owner: str
    taken: Refusal


@dataclass(frozen=True)
class LimitUses:
    """At most ``limit`` uses of ``key`` from now on."""

    key: str
    limit: int


@dataclass(frozen=True)
class UseKey:
    """One use of ``key``, refused past its limit if one is set. With ``exhausted`` None it has happened, so it counts."""

    key: str
    exhausted: Refusal | None


@dataclass(frozen=True)
class ReturnUse:
    """One counted use of ``key`` counts no more."""

    key: str


Constraint: TypeAlias = ClaimKey | LimitUses | UseKey | ReturnUse

EMAIL_TAKEN = Refusal("email_taken", "Another member uses this e-mail address.")
REWARD_EXHAUSTED = Refusal("reward_exhausted", "No more of this reward is left.")
CAMPAIGN_EXHAUSTED = Refusal("campaign_exhausted", "All coupons of this campaign are used.")


CONSTRAINED = (
    MemberRegistered,
    MemberProfileChanged,
    MemberErased,
    CampaignLaunched,
    CouponRedeemed,
    RewardClaimed,
    RewardReturned,
)


def constraints_of(event: object) -> list[Constraint]:
    """Return the rows that an event needs; if one cannot be had, the whole request is refused."""
    if not isinstance(event, CONSTRAINED):
        return []
    match event:
        case MemberRegistered() | MemberProfileChanged():
            email = event.email.strip().casefold() if event.email else None
            return [ClaimKey("email", email, event.member, EMAIL_TAKEN)]
        case MemberErased():
            return [ClaimKey("email", None, event.member, EMAIL_TAKEN)]
        case CampaignLaunched(limit=int(limit)):
            return [LimitUses(f"campaign:{event.campaign}", limit)]
        case RewardClaimed(stock=int(stock)):
            return [LimitUses(f"reward:{event.reward}", stock), UseKey(f"reward:{event.reward}", REWARD_EXHAUSTED)]
        case RewardReturned(stock=int()):
            return [ReturnUse(f"reward:{event.reward}")]
        case CouponRedeemed(flags=()):
            return [UseKey(f"campaign:{event.campaign}", None if event.recorded else CAMPAIGN_EXHAUSTED)]
        case _:
            return []
