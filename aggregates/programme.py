"""The programme's terms: what a purchase earns, when it becomes spendable, and what each tier asks and gives.

A term that a decision uses is frozen into its event, with the version of these terms, so changing them rewrites nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from aggregates.money import minor_units

Rate: TypeAlias = tuple[int, int]
"""A rational: numerator, denominator."""

ENTRY_TIER = "member"


@dataclass(frozen=True)
class Tier:
    """``threshold`` reaches the tier, ``keep`` holds it at review: qualifying spend of 12 months, in major units."""

    name: str
    threshold: int
    keep: int
    multiplier: Rate


@dataclass(frozen=True)
class Programme:
    """``zone``: an IANA name; ``currency``: ISO 4217; ``tiers``: lowest first, without the entry tier."""

    zone: str = "UTC"
    currency: str = "USD"
    version: int = 1
    return_days: int = 14
    window_months: int = 12
    tiers: tuple[Tier, ...] = (
        Tier("silver", threshold=1000, keep=800, multiplier=(5, 4)),
        Tier("gold", threshold=3000, keep=2400, multiplier=(3, 2)),
    )

    def rank(self, tier: str) -> int:
        """0 for the entry tier (and for a tier that these terms no longer know), then 1, 2, …"""
        return next((i for i, known in enumerate(self.tiers, 1) if known.name == tier), 0)

    def name(self, rank: int) -> str:
        return self.tiers[rank - 1].name if rank else ENTRY_TIER

    def multiplier(self, tier: str) -> Rate:
        rank = self.rank(tier)
        return self.tiers[rank - 1].multiplier if rank else (1, 1)

    def reached(self, spend: int) -> int:
        """The rank of the highest tier whose threshold ``spend`` (minor units) reaches."""
        return sum(spend >= tier.threshold * self.unit for tier in self.tiers)

    def kept(self, spend: int, rank: int) -> int:
        """The rank that a holder of ``rank`` keeps at review: the highest up to it whose keep-threshold is met."""
        return max((i for i, tier in enumerate(self.tiers[:rank], 1) if spend >= tier.keep * self.unit), default=0)

    @property
    def unit(self) -> int:
        return minor_units(self.currency)
