"""The terms of a programme: what points are worth, what tiers ask and give, rewards; and every version of them.

An event keeps each term that its decision used, with the version of the terms, so a change of terms rewrites nothing. A
programme may have several wallets, each a currency of points; the first is meant where none is named. The defaults are those of
a shop that has published no policy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

from aggregates.money import minor_units
from aggregates.programme.earning import Audience, Days, Earning
from aggregates.programme.selling import Selling
from aggregates.programme.text_values import Rate, Validity

# Points: when they can be spent and until when, for how much, and what a refund does to them

Activates: TypeAlias = Literal["at_payment", "after_return_window", "on_action"]
Sources: TypeAlias = Literal["own_pending", "own", "all"]
Shortfall: TypeAlias = Literal["debt", "write_off"]


@dataclass(frozen=True)
class RedemptionTerms:
    """Terms of points for a discount. ``value``: major units of money for one point.

    At least ``minimum`` points at a time, a multiple of ``multiple``; all those of an order worth at most ``share`` of it.
    """

    allowed: bool = True
    value: Rate = (1, 100)
    minimum: int = 1
    multiple: int = 1
    share: Rate = (1, 1)


@dataclass(frozen=True)
class Clawback:
    """What a refund un-earns is taken from ``sources``: the order's own lot while pending, that lot, or it and then others.

    The rest is owed (``debt``, up to ``debt_cap`` points in all; None: without bound) or written off.
    """

    sources: Sources = "all"
    shortfall: Shortfall = "debt"
    debt_cap: int | None = None


@dataclass(frozen=True)
class Transfers:
    """Terms of sending points to members: at least ``minimum`` at a time, at most ``daily_cap`` sent a local day.

    Received points wait ``cool_down_days`` before they may be sent on.
    """

    allowed: bool = False
    minimum: int = 1
    daily_cap: int | None = None
    cool_down_days: int = 0


@dataclass(frozen=True)
class Pools:
    """Terms of households that share points. ``members``: how many may be in one; ``spending``: who may spend from it."""

    allowed: bool = False
    members: int = 6
    spending: Literal["owner", "anyone"] = "anyone"


@dataclass(frozen=True)
class Wallet:
    """``activates``: when what a purchase earned can be spent; what an event earned can be at once, or on action.

    ``hold_minutes``: how long points stay held for an order that is not settled. ``hold_grace_days``: how long they live at
    least when the shop cancelled that order. ``reissue_days``: how long points live that come back after their lot has lapsed.
    ``reinstate_days``: how long after their expiry points can be given back.
    """

    name: str = "points"
    activates: Activates = "after_return_window"
    validity: Validity = Validity()
    redemption: RedemptionTerms = RedemptionTerms()
    clawback: Clawback = Clawback()
    hold_minutes: int = 30
    hold_grace_days: int = 30
    reissue_days: int = 30
    reinstate_days: int = 0
    transfers: Transfers = Transfers()
    pools: Pools = Pools()


# Tiers: what counts towards them, over which window, and how one is lost

ENTRY_TIER = "member"

Metric: TypeAlias = Literal["spend", "points", "orders", "engagement"]


@dataclass(frozen=True)
class Benefits:
    """``early_access_hours`` before others; the higher ``service_priority`` first; ``extra_validity_days`` for points."""

    free_shipping: bool = False
    early_access_hours: int = 0
    service_priority: int = 0
    extra_validity_days: int = 0
    perks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tier:
    """``threshold`` reaches the tier, ``keep`` holds it at review: of the metric, spend in major units.

    ``multiplier``: of points by spending.
    """

    name: str
    threshold: int
    keep: int
    multiplier: Rate = (1, 1)
    benefits: Benefits = Benefits()


@dataclass(frozen=True)
class Qualifying:
    """``metric``: net spend, points earned, paid orders, or points of event rules, streaks and missions (engagement).

    ``wallets``: those whose points count (all if empty). ``window``: the last ``months``, or cycles of so many: of the
    calendar (12: years), or since the member's first purchase (of points, since the first that were earned). A tier is
    held for ``months``, or to the end of the next cycle; then the keep-threshold decides, after ``grace_days`` of grace if
    it is not met. ``downgrade``: one tier down, to what the metric keeps, or to the entry tier. A reversal takes an upgrade
    back ``never``, ``within`` so many days of it (None: the return window), or ``always``. ``provisional``: an upgrade is
    shown as such while purchases that carry it can be returned.
    """

    metric: Metric = "spend"
    wallets: tuple[str, ...] = ()
    window: Literal["rolling", "calendar", "anniversary"] = "rolling"
    months: int = 12
    grace_days: int = 0
    downgrade: Literal["one_down", "to_metric", "base"] = "to_metric"
    revoke: Literal["never", "within", "always"] = "within"
    revoke_days: int | None = None
    provisional: bool = False

    def counts(self, wallet: str) -> bool:
        """Return whether points of a wallet count."""
        return not self.wallets or wallet in self.wallets


# Rewards: a coupon or a product for points


@dataclass(frozen=True)
class Reward:
    """``item``: the campaign whose coupon, or the product, that ``price`` points of ``wallet`` buy.

    ``stock``: how many there are in all, ``per_member``: for one member (None: no bound).
    """

    id: str
    gives: Literal["coupon", "product"]
    item: str
    price: int
    wallet: str = "points"
    stock: int | None = None
    per_member: int | None = None
    audience: Audience = Audience()
    days: Days = Days()


# The whole programme, and its versions


@dataclass(frozen=True)
class Programme:
    """``zone``: an IANA name; ``currency``: ISO 4217; ``tiers``: lowest first, without the entry tier.

    ``return_days``: how long after delivery goods can be sent back. ``session_days``: after so many days without an act, a
    device's session is a guest's again. ``closing``: whether the pending points of a member who closes lapse, or wait for the
    member to come back. ``digits``: the log's decimals of the currency; None for
    those of ISO 4217.
    """

    zone: str = "UTC"
    currency: str = "USD"
    version: int = 1
    return_days: int = 14
    session_days: int = 30
    closing: Literal["lapse", "keep"] = "lapse"
    wallets: tuple[Wallet, ...] = (Wallet(),)
    earning: Earning = Earning()
    qualifying: Qualifying = Qualifying()
    tiers: tuple[Tier, ...] = (
        Tier("silver", threshold=1000, keep=800, multiplier=(5, 4)),
        Tier("gold", threshold=3000, keep=2400, multiplier=(3, 2)),
    )
    rewards: tuple[Reward, ...] = ()
    selling: Selling = Selling()
    digits: int | None = None

    def wallet(self, name: str | None = None) -> Wallet | None:
        """Return the wallet of a name, the first for None; None if these terms do not have it."""
        for wallet in self.wallets:
            if name is None or name == wallet.name:
                return wallet
        return None

    def reward(self, name: str) -> Reward | None:
        return next((reward for reward in self.rewards if reward.id == name), None)

    def rank(self, tier: str) -> int:
        """Return 0 for the entry tier (and a tier that these terms do not have), then 1, 2, …"""
        for rank, known in enumerate(self.tiers, 1):
            if known.name == tier:
                return rank
        return 0

    def name(self, rank: int) -> str:
        return self.tiers[rank - 1].name if rank else ENTRY_TIER

    def multiplier(self, tier: str) -> Rate:
        rank = self.rank(tier)
        return self.tiers[rank - 1].multiplier if rank else (1, 1)

    def reached(self, metric: int) -> int:
        """Return the rank of the highest tier whose threshold ``metric`` (of spend: minor units) reaches."""
        return sum(metric >= tier.threshold * self.scale for tier in self.tiers)

    def kept(self, metric: int, rank: int) -> int:
        """Return the rank that a holder of ``rank`` keeps at review: the highest up to it whose keep-threshold is met."""
        return max((i for i, tier in enumerate(self.tiers[:rank], 1) if metric >= tier.keep * self.scale), default=0)

    @cached_property
    def unit(self) -> int:
        """Return how many minor units make one major unit."""
        return minor_units(self.currency) if self.digits is None else int(10**self.digits)

    @cached_property
    def scale(self) -> int:
        """Return what turns a threshold into units of the metric."""
        return self.unit if self.qualifying.metric == "spend" else 1


@dataclass(frozen=True)
class InForce:
    """A version of the terms, in force ``since`` an instant."""

    since: int
    terms: Programme


@dataclass(frozen=True)
class Policies:
    """Every published version, in order; the first has always been in force.

    A version holds from its instant until that of a later version, which also replaces versions that were to come after it.
    """

    versions: tuple[InForce, ...] = (InForce(0, Programme()),)

    @classmethod
    def first(cls, zone: str, currency: str, digits: int | None = None) -> Policies:
        """Return the policies of a shop that has published none."""
        return cls((InForce(0, Programme(zone, currency, digits=digits)),))

    def counted_as(self, first: Policies) -> Policies:
        """Return the same versions with the decimals of ``first``, the log's own: no published document tells them.

        >>> old = Policies.first("UTC", "JPY", digits=2)
        >>> Policies.first("UTC", "JPY").with_version(Programme(currency="JPY"), 0).counted_as(old).newest.unit
        100
        """
        terms = first.newest
        if self.newest.unit == terms.unit:
            return self
        return Policies(tuple(InForce(known.since, replace(known.terms, digits=terms.digits)) for known in self.versions))

    def at(self, instant: int) -> Programme:
        """Return the terms in force at an instant."""
        if len(self.versions) == 1 or instant >= self.versions[-1].since:
            return self.versions[-1].terms
        return next((known.terms for known in reversed(self.versions) if known.since <= instant), self.versions[0].terms)

    def version(self, number: int) -> Programme:
        """Return the terms of a version; versions count from 1."""
        return self.versions[number - 1].terms

    def wallet(self, name: str, instant: int) -> Wallet | None:
        """Return a wallet by the newest version that has it, of those that hold from an instant or earlier."""
        known = (version.terms.wallet(name) for version in reversed(self.timeline) if version.since <= instant)
        return next((wallet for wallet in known if wallet), None)

    def since(self, number: int) -> int:
        """Return the instant from which a version holds."""
        return self.versions[number - 1].since

    def with_version(self, terms: Programme, since: int) -> Policies:
        return Policies((*self.versions, InForce(since, replace(terms, version=len(self.versions) + 1))))

    @cached_property
    def needs_lines(self) -> bool:
        """Return whether what an order earns may depend on more than its net."""
        return any(known.terms.earning.needs_lines for known in self.versions)

    @property
    def timeline(self) -> tuple[InForce, ...]:
        """Return the versions that ever hold, in order of time: without those replaced before they took effect."""
        holding: list[InForce] = []
        for published in self.versions:
            while holding and published.since <= holding[-1].since and len(holding) > 1:
                holding.pop()
            holding.append(published)
        return tuple(holding)

    @cached_property
    def rewarded(self) -> frozenset[str]:
        """Return the events that a rule of any version is about."""
        return frozenset().union(*(known.terms.earning.rewarded for known in self.versions))

    @cached_property
    def refers(self) -> bool:
        """Return whether any version pays for newcomers who were brought."""
        return any(
            gives.referrer_points or gives.newcomer_points for gives in (v.terms.selling.referrals for v in self.versions)
        )

    @property
    def newest(self) -> Programme:
        return self.versions[-1].terms
