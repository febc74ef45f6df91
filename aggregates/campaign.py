"""A campaign: the coupons that it offers, the products that they cover, its days, and how many may be used.

``starts`` and ``ends`` are instants; ``ends`` is the first one after the campaign. None is no bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from aggregates.decider import Context, Decider, Refusal, require_count, require_id
from aggregates.value import Value, replace


class Offer(Value):
    """A coupon of a campaign and the products that it covers."""

    coupon: str
    products: tuple[str, ...]


# Commands


class LaunchCampaign(Value):
    campaign: str
    at: int
    kind: str | None = None
    starts: int | None = None
    ends: int | None = None
    limit: int | None = None
    offers: tuple[Offer, ...] = ()


# Events


class CampaignLaunched(Value, kw_only=True):
    campaign: str
    kind: str | None
    starts: int | None
    ends: int | None
    limit: int | None
    offers: tuple[Offer, ...]
    at: int


Command: TypeAlias = LaunchCampaign
Event: TypeAlias = CampaignLaunched

# State


@dataclass(frozen=True)
class Campaign:
    launched: CampaignLaunched | None = None


def decide(command: Command, campaign: Campaign, _: Context) -> list[Event]:
    require_id("campaign", command.campaign)
    if command.limit is not None:
        require_count("limit", command.limit)
    if command.starts is not None and command.ends is not None and command.ends <= command.starts:
        raise Refusal("campaign_dates", "A campaign ends after it starts.")
    launched = CampaignLaunched(
        campaign=command.campaign,
        kind=command.kind,
        starts=command.starts,
        ends=command.ends,
        limit=command.limit,
        offers=tuple(command.offers),
        at=command.at,
    )
    if campaign.launched is not None and replace(launched, at=campaign.launched.at) == campaign.launched:
        return []
    if campaign.launched is None or is_bare(campaign.launched):
        return [launched]
    raise Refusal("campaign_launched", "This campaign was launched before, on other terms.")


def is_bare(launched: CampaignLaunched) -> bool:
    """Return whether a campaign is known by its id alone: a later launch may complete it."""
    return launched == CampaignLaunched(
        campaign=launched.campaign, kind=None, starts=None, ends=None, limit=None, offers=(), at=launched.at
    )


def evolve(_: Campaign, event: Event) -> Campaign:
    return Campaign(event)


campaign = Decider("campaign", Campaign(), decide, evolve)
