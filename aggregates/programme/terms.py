"""The programme's terms: what earns points, what points are worth, what each tier asks and gives.

A term that a decision uses is frozen into its event, with the version of these terms, so changing them rewrites nothing.
The defaults are the programme of a shop that has published none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from aggregates.money import minor_units
from aggregates.programme.earning import Earning
from aggregates.programme.points import Wallet
from aggregates.programme.rate import Rate
from aggregates.programme.rewards import Reward
from aggregates.programme.tiers import ENTRY_TIER, Qualifying, Tier


@dataclass(frozen=True)
class Programme:
    """``zone``: an IANA name; ``currency``: ISO 4217; ``tiers``: lowest first, without the entry tier.

    ``return_days``: how long after delivery goods can be sent back.
    """

    zone: str = "UTC"
    currency: str = "USD"
    version: int = 1
    return_days: int = 14
    wallets: tuple[Wallet, ...] = (Wallet(),)
    earning: Earning = Earning()
    qualifying: Qualifying = Qualifying()
    tiers: tuple[Tier, ...] = (
        Tier("silver", threshold=1000, keep=800, multiplier=(5, 4)),
        Tier("gold", threshold=3000, keep=2400, multiplier=(3, 2)),
    )
    rewards: tuple[Reward, ...] = ()

    def wallet(self, name: str | None = None) -> Wallet | None:
        """The wallet of a name, the first if none is named; None if these terms do not know it."""
        for wallet in self.wallets:
            if name is None or name == wallet.name:
                return wallet
        return None

    def reward(self, name: str) -> Reward | None:
        return next((reward for reward in self.rewards if reward.id == name), None)

    def rank(self, tier: str) -> int:
        """0 for the entry tier (and for a tier that these terms no longer know), then 1, 2, …"""
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
        """The rank of the highest tier whose threshold ``metric`` (of spend: minor units) reaches."""
        return sum(metric >= tier.threshold * self.scale for tier in self.tiers)

    def kept(self, metric: int, rank: int) -> int:
        """The rank that a holder of ``rank`` keeps at review: the highest up to it whose keep-threshold is met."""
        return max((i for i, tier in enumerate(self.tiers[:rank], 1) if metric >= tier.keep * self.scale), default=0)

    @cached_property
    def unit(self) -> int:
        return minor_units(self.currency)

    @cached_property
    def scale(self) -> int:
        """What a threshold is multiplied by to be in the metric's own units."""
        return self.unit if self.qualifying.metric == "spend" else 1


@dataclass(frozen=True)
class InForce:
    """A version of the terms, ``since`` an instant."""

    since: int
    terms: Programme


@dataclass(frozen=True)
class Policies:
    """Every version published, in their order; the first has always been in force.

    A version holds from its instant on, until that of a later version: what was to come after it is replaced as well.
    """

    versions: tuple[InForce, ...] = (InForce(0, Programme()),)

    @classmethod
    def first(cls, zone: str, currency: str) -> Policies:
        """Of a shop that has published none."""
        return cls((InForce(0, Programme(zone, currency)),))

    def at(self, instant: int) -> Programme:
        """The terms in force at an instant."""
        if len(self.versions) == 1 or instant >= self.versions[-1].since:
            return self.versions[-1].terms
        return next((known.terms for known in reversed(self.versions) if known.since <= instant), self.versions[0].terms)

    def version(self, number: int) -> Programme:
        """The terms of a version that was in force; versions count from 1."""
        return self.versions[number - 1].terms

    def wallet(self, name: str, instant: int) -> Wallet | None:
        """A wallet as of an instant; one that is gone, as the version had it that knew it last."""
        known = (version.terms.wallet(name) for version in reversed(self.timeline) if version.since <= instant)
        return next((wallet for wallet in known if wallet), None)

    def since(self, number: int) -> int:
        """From when on a version holds."""
        return self.versions[number - 1].since

    def with_version(self, terms: Programme, since: int) -> Policies:
        return Policies((*self.versions, InForce(since, replace(terms, version=len(self.versions) + 1))))

    @cached_property
    def needs_lines(self) -> bool:
        """Whether what an order earns may depend on more of it than its net."""
        return any(known.terms.earning.needs_lines for known in self.versions)

    @property
    def timeline(self) -> tuple[InForce, ...]:
        """The versions that hold at some time, in the order of time: without those replaced before they took effect."""
        holding: list[InForce] = []
        for published in self.versions:
            while holding and published.since <= holding[-1].since and len(holding) > 1:
                holding.pop()
            holding.append(published)
        return tuple(holding)

    @cached_property
    def rewarded(self) -> frozenset[str]:
        """What a member may do that a rule of any version is about."""
        return frozenset().union(*(known.terms.earning.rewarded for known in self.versions))

    @property
    def newest(self) -> Programme:
        return self.versions[-1].terms
