"""What sells now: purchases that lose half their weight in a week of event time.

Forward decay (Cormode et al., 2009): a purchase weighs 2^(age at its landmark / half-life), fixed for ever, so increments
commute and the ranking needs no refresh. A landmark begins every 28 days. A purchase counts in its period and, decayed, in
the next one, so a reader needs the ranking of one period only, number ``at // PERIOD``. What is older than one period would
weigh less than a sixteenth, and is left out. Weights are integers, 2^20 at a period's beginning.
"""

from __future__ import annotations

from aggregates.delta import Delta
from aggregates.order.events import OrderPaid
from projections.projection import Tally

HOUR = 3_600_000
HALF_LIFE = 7 * 24  # hours
PERIOD = 28 * 24 * HOUR  # milliseconds
UNIT = 1 << 20
WEIGHTS = tuple(round(UNIT * 2 ** (hour / HALF_LIFE)) for hour in range(PERIOD // HOUR))
CARRIED = tuple(weight >> PERIOD // (HALF_LIFE * HOUR) for weight in WEIGHTS)  # four half-lives later


def project(delta: Delta, event: OrderPaid) -> None:
    period, into = divmod(event.at, PERIOD)
    hour = into // HOUR
    for line in event.lines:
        if line.quantity:
            delta.score(f"trending:{period}", line.product, WEIGHTS[hour])
            delta.score(f"trending:{period + 1}", line.product, CARRIED[hour])


trending = Tally("trending", 1, ("trending",), frozenset({OrderPaid}), project)
