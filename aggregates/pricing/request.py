"""What is to be priced: the lines, the shopper, the campaigns that run, the codes entered, and the shop's rules of price."""

from __future__ import annotations

from dataclasses import dataclass

from aggregates.pricing.terms import CampaignTerms
from aggregates.pricing.trace import Basis, LineKind, Mode
from aggregates.programme.text_values import Rate


@dataclass(frozen=True)
class LineItem:
    """One line of a cart. ``list_unit``: minor units, without tax where the rules add it; ``floor``: the least a unit costs."""

    id: str
    product: str
    quantity: int
    list_unit: int
    rate: Rate = (0, 1)
    floor: int = 0
    kind: LineKind = "goods"
    tax_class: str = "standard"
    department: str | None = None
    category: str | None = None


@dataclass(frozen=True)
class Buyer:
    member: str | None = None
    tier: str = "member"
    tags: frozenset[str] = frozenset()
    first_order: bool = False


@dataclass(frozen=True)
class Running:
    """A campaign, and how far it is used up. ``budget_left``: minor units, None without a budget."""

    id: str
    terms: CampaignTerms
    version: int = 1
    used: int = 0
    used_by_member: int = 0
    budget_left: int | None = None

    @property
    def source(self) -> str:
        return f"{self.id}@{self.version}"


@dataclass(frozen=True)
class Entered:
    """A code that the shopper entered. ``problem``: why it cannot be used (``code_unknown``, ``code_used``), None if it can."""

    code: str
    campaign: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class PointsWanted:
    """``value``: minor units a point. ``share``: the part of the goods that points may pay. Points are used in multiples."""

    points: int
    value: Rate
    wallet: str = "points"
    share: Rate = (1, 1)
    multiple: int = 1


@dataclass(frozen=True)
class PriceRules:
    """``most_off``: the part of the list prices that promotions may take off.

    ``work``: how many amounts the search may compute; 1,600 take about 8 ms.
    """

    currency: str = "USD"
    digits: int = 2
    zone: str = "UTC"
    policy: int = 1
    mode: Mode = "included"
    basis: Basis = "group"
    most_off: Rate | None = None
    work: int = 1_600


@dataclass(frozen=True)
class PriceRequest:
    """``pins``: ids of campaigns that the shopper chose; they are used wherever they can be."""

    items: tuple[LineItem, ...]
    at: int = 0
    shopper: Buyer = Buyer()
    campaigns: tuple[Running, ...] = ()
    codes: tuple[Entered, ...] = ()
    pins: tuple[str, ...] = ()
    points: PointsWanted | None = None
    rules: PriceRules = PriceRules()
    hints: bool = True
