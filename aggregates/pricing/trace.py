"""The price trace of an order: every figure that a reader needs to compute the price again.

Amounts are minor units. Lines stand in the order of their ids, so the order of entry decides nothing. A step says what it
wanted, what limited it and what each line bore; running amounts follow from the list prices by subtracting the parts.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from aggregates.programme.text_values import Rate
from aggregates.value import Value

LineKind: TypeAlias = Literal["goods", "gift", "shipping", "deposit", "gift_card", "fee"]
Mode: TypeAlias = Literal["included", "added"]
Basis: TypeAlias = Literal["group", "line"]
RefundRule: TypeAlias = Literal["proportional", "recompute"]


class PricedLine(Value):
    """``floor``: the least that one unit may cost. ``locked``: an activity price excludes it from all later promotions."""

    id: str
    product: str
    quantity: int
    list_unit: int
    rate: Rate
    floor: int = 0
    kind: LineKind = "goods"
    tax_class: str = "standard"
    locked: bool = False


class LadderStep(Value):
    """From ``start`` on: ``off`` minor units, or the rate, off."""

    start: int
    off: int
    rate: Rate | None


class UnitsOff(Value):
    """``units`` of a line, reduced by ``each``."""

    line: str
    units: int
    each: int


class Op(Value):
    """What a step computes.

    ``unit``: the unit price ``n`` · ``percent``: ``rate`` off · ``fixed``: ``n`` off · ``per_full``: ``n`` off for each full
    ``a`` · ``ladder``: the highest rung reached, of money or (``by`` "count") of units · ``units``: units of lines reduced ·
    ``bundle``: ``a`` times the units at the price ``n`` · ``points``: ``a`` at ``rate``, worth ``n`` · ``tax``: ``rate``.
    """

    kind: Literal["unit", "percent", "fixed", "per_full", "ladder", "units", "bundle", "points", "tax"]
    n: int = 0
    a: int = 0
    rate: Rate | None = None
    by: Literal["amount", "count"] = "amount"
    rungs: tuple[LadderStep, ...] = ()
    units: tuple[UnitsOff, ...] = ()
    group: tuple[int, int] | None = None  # of a quantity deal: units bought and units reduced, so that it can be replayed


class PriceStep(Value):
    """``entry``: the amount of the counted lines (those in scope, if empty) on entry to the stage.

    ``limits``: the bounds that do not follow from the trace itself (``cap``, ``budget``, ``share``), where there are any.
    ``use``: the code with which it was had. ``after``: what happens to it when goods come back.
    """

    stage: int
    source: str
    use: str | None
    scope: tuple[str, ...]
    entry: int
    threshold: int
    op: Op
    wanted: int
    limited_by: Literal["floor", "cap", "max_discount", "budget", "share", "left", "none"]
    amount: int
    parts: tuple[tuple[str, int], ...]
    counted: tuple[str, ...] = ()
    least_units: int = 0
    limits: tuple[tuple[str, int], ...] = ()
    refund: RefundRule = "proportional"
    gift: Literal["keep", "charge"] = "keep"


class NotUsed(Value):
    """A promotion or code that was not used, and why. ``amount``: what is missing, or by how much another set was better.

    ``units``: how many units are missing. ``by``: the promotions that it conflicts with or that beat it.
    """

    reason: str
    campaign: str | None = None
    code: str | None = None
    amount: int = 0
    by: tuple[str, ...] = ()
    units: int = 0


class Hint(Value):
    """``spend`` more on what the campaign counts, and the order gets ``gain`` cheaper than those goods would make it."""

    campaign: str
    spend: int
    gain: int


class Share(Value):
    """What a line was sold for in the end: ``paid`` with its ``tax``, and the ``points`` that were used on it."""

    line: str
    paid: int
    tax: int
    points: int = 0
    refund: RefundRule = "proportional"


class Trace(Value):
    """``most_off``: the part of the list prices that promotions may take off at most. ``proven``: no better set exists."""

    currency: str
    digits: int
    policy: int
    mode: Mode
    basis: Basis
    most_off: Rate | None
    lines: tuple[PricedLine, ...]
    steps: tuple[PriceStep, ...]
    refused: tuple[NotUsed, ...]
    hints: tuple[Hint, ...]
    proven: bool
    payable: int
    tax: int
    shares: tuple[Share, ...]

    @property
    def net(self) -> int:
        return self.payable - self.tax
