"""What must hold across streams: rows of the append's own transaction that an event takes, counts or gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from unicodedata import normalize

from aggregates.campaign import CampaignLaunched
from aggregates.coupon import CouponRedeemed
from aggregates.decider import Refusal
from aggregates.member import MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.ledger.uses import RewardClaimed, RewardReturned


@dataclass(frozen=True)
class Claim:
    """``key`` belongs to ``owner`` alone; with no key, the owner gives up its claims of this kind."""

    kind: str
    key: str | None
    owner: str
    taken: Refusal


@dataclass(frozen=True)
class Allow:
    """At most ``limit`` uses of ``key`` from now on."""

    key: str
    limit: int


@dataclass(frozen=True)
class Use:
    """One use of ``key``, refused past its limit (none set: no limit); ``exhausted`` None: it happened, so it counts."""

    key: str
    exhausted: Refusal | None


@dataclass(frozen=True)
class GiveBack:
    """One use of ``key`` that was counted is none any more."""

    key: str


Guard: TypeAlias = Claim | Allow | Use | GiveBack

EMAIL_TAKEN = Refusal("email_taken", "Another member uses this e-mail address.")
REWARD_EXHAUSTED = Refusal("reward_exhausted", "No more of this reward is left.")
CAMPAIGN_EXHAUSTED = Refusal("campaign_exhausted", "All coupons of this campaign are used.")


GUARDED = (
    MemberRegistered,
    MemberProfileChanged,
    MemberErased,
    CampaignLaunched,
    CouponRedeemed,
    RewardClaimed,
    RewardReturned,
)


def comparable_email(email: str) -> str:
    """Return what two equal addresses have in common: letter case and Unicode's ways to compose a letter do not count.

    >>> comparable_email(" Ann@Example.org"), comparable_email("STRASSE@x.org") == comparable_email("Straße@x.org")
    ('ann@example.org', False)
    """
    return normalize("NFC", normalize("NFC", email.strip()).lower())


def guards(event: object) -> list[Guard]:
    """The rows that an event needs; if one cannot be had, the whole command is refused."""
    if not isinstance(event, GUARDED):
        return []
    match event:
        case MemberRegistered() | MemberProfileChanged():
            email = comparable_email(event.email) if event.email else None
            return [Claim("email", email, event.member, EMAIL_TAKEN)]
        case MemberErased():
            return [Claim("email", None, event.member, EMAIL_TAKEN)]
        case CampaignLaunched(limit=int(limit)):
            return [Allow(f"campaign:{event.campaign}", limit)]
        case RewardClaimed(stock=int(stock)):
            return [Allow(f"reward:{event.reward}", stock), Use(f"reward:{event.reward}", REWARD_EXHAUSTED)]
        case RewardReturned(stock=int()):
            return [GiveBack(f"reward:{event.reward}")]
        case CouponRedeemed(flags=()):
            return [Use(f"campaign:{event.campaign}", None if event.recorded else CAMPAIGN_EXHAUSTED)]
        case _:
            return []
