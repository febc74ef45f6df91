"""The programme: its terms, one concept a file, and every version of them."""

from aggregates.programme.earning import Bonus, Earning, EventRule, Mission, Multiplier, SpendRule, Step, StreakRule
from aggregates.programme.points import Clawback, Pools, Redemption, Transfers, Wallet
from aggregates.programme.rate import Rate
from aggregates.programme.rewards import Reward
from aggregates.programme.selection import Audience, Days, Selection
from aggregates.programme.terms import InForce, Policies, Programme
from aggregates.programme.tiers import ENTRY_TIER, Benefits, Metric, Qualifying, Tier
from aggregates.programme.validity import Validity

__all__ = [
    "ENTRY_TIER",
    "Audience",
    "Benefits",
    "Bonus",
    "Clawback",
    "Days",
    "Earning",
    "EventRule",
    "InForce",
    "Metric",
    "Mission",
    "Multiplier",
    "Policies",
    "Pools",
    "Programme",
    "Qualifying",
    "Rate",
    "Redemption",
    "Reward",
    "Selection",
    "SpendRule",
    "Step",
    "StreakRule",
    "Tier",
    "Transfers",
    "Validity",
    "Wallet",
]
