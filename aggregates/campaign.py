"""A campaign: the coupons that it offers, the products that they cover, its days, and how many may be used.

``starts`` and ``ends`` are instants; ``ends`` is the first one after the campaign. None is no bound. What it takes off is a
document of terms, of which each change is a new version; an order keeps the version that it was priced by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from aggregates.decider import Context, Decider, Refusal, require_count, require_id, require_text
from aggregates.fields import ActorId, Instant
from aggregates.pricing.campaign_document import plain_campaign, read_campaign
from aggregates.pricing.terms import CampaignTerms
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


class ChangeCampaign(Value):
    """``document``: the terms from now on. ``replaces``: the newest version its author knew, if that is to be so still."""

    campaign: str
    document: Mapping[str, Any]
    actor: ActorId
    at: Instant
    replaces: int | None = None


class EndCampaign(Value):
    """End a campaign before its time: no new order uses it; an order that does keeps its price."""

    campaign: str
    actor: ActorId
    at: Instant
    reason: str = ""


# Events


class CampaignLaunched(Value, kw_only=True):
    campaign: str
    kind: str | None
    starts: int | None
    ends: int | None
    limit: int | None
    offers: tuple[Offer, ...]
    at: int


class CampaignChanged(Value, kw_only=True):
    """``document``: the terms, complete, so that no later default changes what it says. The launch is version 1."""

    campaign: str
    version: int
    document: Mapping[str, Any]
    actor: str
    at: int


class CampaignEnded(Value, kw_only=True):
    campaign: str
    version: int
    actor: str
    reason: str
    at: int


Command: TypeAlias = LaunchCampaign | ChangeCampaign | EndCampaign
Event: TypeAlias = CampaignLaunched | CampaignChanged | CampaignEnded

# State


@dataclass(frozen=True)
class Campaign:
    """``terms``: those of the newest version, None of a campaign without. ``ended``: when it was ended before its time."""

    launched: CampaignLaunched | None = None
    version: int = 0
    terms: CampaignTerms | None = None
    ended: int | None = None


def decide(command: Command, campaign: Campaign, _: Context) -> list[Event]:
    require_id("campaign", command.campaign)
    match command:
        case LaunchCampaign():
            return launch(command, campaign)
        case ChangeCampaign():
            return change(command, campaign)
        case EndCampaign():
            require_known(campaign)
            if campaign.ended is not None:
                return []
            return [
                CampaignEnded(
                    campaign=command.campaign,
                    version=campaign.version,
                    actor=command.actor,
                    reason=command.reason,
                    at=command.at,
                )
            ]
        case _:
            assert_never(command)


def launch(command: LaunchCampaign, campaign: Campaign) -> list[Event]:
    require_text("kind", command.kind)
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


def change(command: ChangeCampaign, campaign: Campaign) -> list[Event]:
    terms, problems = read_campaign(command.document)
    for path, reason in problems:
        raise Refusal("campaign_invalid", f"{'.'.join(map(str, path)) or 'The document'}: {reason}.")
    require_known(campaign)
    if campaign.ended is not None:
        raise Refusal("campaign_ended", "This campaign was ended; launch another one.")
    if terms is None or terms == campaign.terms:
        return []
    if command.replaces not in (None, campaign.version):
        raise Refusal("campaign_changed", f"The newest version is {campaign.version}: look at it before replacing it.")
    document = plain_campaign(terms)
    return [
        CampaignChanged(
            campaign=command.campaign,
            version=campaign.version + 1,
            document=document,
            actor=command.actor,
            at=command.at,
        )
    ]


def require_known(campaign: Campaign) -> None:
    if campaign.launched is None:
        raise Refusal("campaign_unknown", "No campaign has this id; launch it first.")


def is_bare(launched: CampaignLaunched) -> bool:
    """Return whether a campaign is known by its id alone: a later launch may complete it."""
    return launched == CampaignLaunched(
        campaign=launched.campaign, kind=None, starts=None, ends=None, limit=None, offers=(), at=launched.at
    )


def evolve(campaign: Campaign, event: Event) -> Campaign:
    match event:
        case CampaignLaunched():
            return Campaign(event, max(1, campaign.version), campaign.terms, campaign.ended)
        case CampaignChanged():
            return replace(campaign, version=event.version, terms=read_campaign(event.document)[0])
        case CampaignEnded():
            return replace(campaign, ended=event.at)
        case _:
            assert_never(event)


campaign = Decider("campaign", Campaign(), decide, evolve)
