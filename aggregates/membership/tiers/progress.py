"""What a member sees of their tier, frozen into the facts that change it: no reader has to know the policy."""

from __future__ import annotations

from aggregates.programme import Benefits, Metric
from aggregates.value import Value


class Ahead(Value):
    """The way to the next tier, as of the fact that tells it. Amounts are the metric's: minor units, points, or orders.

    ``tier``: the next one, None above the highest; ``missing``: what it still takes. ``leaving``: what leaves the window within
    30 days. ``forecast``: when the next tier is reached if buying goes on as in the last 90 days, None if it is not.
    """

    metric: Metric
    tier: str | None
    missing: int
    leaving: int
    forecast: int | None


class Shown(Value):
    """``tier``: the one in effect, an override included, with its ``benefits``."""

    tier: str
    benefits: Benefits
    ahead: Ahead
