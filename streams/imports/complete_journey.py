"""Complete Journey as requests: a year of 2,469 households, in the order in which it happened.

Every request has an id made from the data's keys, so a repeated import, or one resumed after a kill, changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from heapq import merge
from typing import TypeAlias

from aggregates.calendar import day_start, end_of_day, local_day
from aggregates.campaign import LaunchCampaign, Offer
from aggregates.cart import AddToCart, CheckOutCart, OpenCart
from aggregates.coupon import RedeemCoupon, SendCoupon
from aggregates.member import RegisterMember
from aggregates.order.decider import PayOrder
from aggregates.order.events import OrderLine
from aggregates.order.fulfilment import DeliverOrder
from aggregates.order.placing import PlaceOrder
from aggregates.product import ListProduct
from infra.event_log.types import Shop
from streams.commands.request import Request
from streams.imports.journey_files import Basket, BasketLine, JourneyFiles, JourneyRedemption

SHOP = Shop(zone="America/New_York", currency="USD")
FIRST_DAY = date(2017, 1, 1)
SECOND_WEEK = date(2017, 1, 2)  # week 1 is a single day; weeks begin on Mondays, in the shop's zone
TOGETHER = 500  # listings or sends that make one request

Offers: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Products by campaign and coupon."""

Timed: TypeAlias = tuple[int, int, str, Callable[[], Iterator[Request]]]
"""The instant; the order at the same instant; the data's key; what makes the requests when their turn comes."""


class CompleteJourney:
    """The year, or its first ``weeks``. After iterating over :meth:`requests`, ``counts`` says what was odd, and how often."""

    def __init__(self, weeks: int | None = None) -> None:
        self.weeks = weeks
        self.counts: Counter[str] = Counter()
        self._files = JourneyFiles()
        self.basket_count = self._files.basket_count(weeks)
        self._catalogue = self._files.catalogue()
        self._demographics = self._files.demographics()
        self._offers = self._files.offers()
        self._listed: set[str] = set()
        self._registered: set[str] = set()
        self._until = self._end()
        self._placed, self._alone, rules = self._attribute()
        self.counts.update({f"redemptions: {rule}": count for rule, count in rules.items()})

    def requests(self) -> Iterator[Request]:
        """Yield every request in order of time: campaigns, then baskets, then redemptions without a basket."""
        for *_, make in merge(self._campaigns(), self._baskets(), self._redemptions()):
            yield from make()

    def _end(self) -> int | None:
        if self.weeks is None:
            return None
        after = SECOND_WEEK + timedelta(weeks=self.weeks - 1)
        return day_start(after.isoformat(), SHOP.zone)

    def _attribute(self) -> tuple[dict[str, list[JourneyRedemption]], list[JourneyRedemption], Counter[str]]:
        within = [r for r in self._files.redemptions() if self._is_within(day_start(r.day, SHOP.zone))]
        return attribute(within, self._files.baskets(self.weeks) if within else (), self._offers, SHOP.zone)

    def _is_within(self, at: int) -> bool:
        return self._until is None or at < self._until

    # Campaigns

    def _campaigns(self) -> Iterator[Timed]:
        sent = self._files.sent()
        launches = []
        for campaign, row in self._files.campaigns().items():
            starts = day_start(row["start_date"].date().isoformat(), SHOP.zone)
            ends = end_of_day(day_start(row["end_date"].date().isoformat(), SHOP.zone), SHOP.zone)
            if self._is_within(starts):
                launches.append((starts, int(campaign), ends, str(row["campaign_type"])))
        for starts, number, ends, kind in sorted(launches):
            campaign = str(number)
            yield starts, 0, campaign, partial(self._campaign, campaign, kind, starts, ends, sent.get(campaign, []))

    def _campaign(self, campaign: str, kind: str, starts: int, ends: int, households: list[str]) -> Iterator[Request]:
        key = f"complete-journey/campaign/{campaign}"
        offers = tuple(Offer(coupon, products) for coupon, products in self._offers.get(campaign, {}).items())
        listings = self._list({product for offer in offers for product in offer.products}, starts)
        sends = [SendCoupon(campaign, household, starts, kind, starts, ends) for household in households]
        launch = LaunchCampaign(campaign, starts, kind, starts, ends, offers=offers)
        for part, commands in enumerate((*together(listings), (launch,), *together(sends))):
            yield Request(f"{key}/{part}", tuple(commands))

    def _list(self, products: set[str] | dict[str, None], at: int) -> list[ListProduct]:
        new = [product for product in products if product not in self._listed]
        self._listed.update(new)
        return [self._listing(product, at) for product in (sorted(new, key=int) if isinstance(products, set) else new)]

    def _listing(self, product: str, at: int) -> ListProduct:
        row = self._catalogue.get(product)
        if row is None:
            self.counts["products without a catalogue row"] += 1
            return ListProduct(product, at)
        attributes = {"manufacturer": str(row["manufacturer_id"]), "size": row["package_size"]}
        if is_fuel(row["product_category"], row["product_type"]):
            self.counts["fuel products"] += 1
            attributes["staple"] = "fuel"
        return ListProduct(
            product,
            at,
            name=row["product_type"],
            department=row["department"],
            category=row["product_category"],
            brand=row["brand"],
            attributes={name: value for name, value in attributes.items() if value},
        )

    # Baskets

    def _baskets(self) -> Iterator[Timed]:
        for basket in self._files.baskets(self.weeks):
            yield basket.at, 1, basket.basket, partial(self._shopping, basket)

    def _shopping(self, basket: Basket) -> Iterator[Request]:
        self._count(basket)
        yield Request(f"complete-journey/basket/{basket.basket}", tuple(self._basket(basket)))

    def _basket(self, basket: Basket) -> Iterator[object]:
        at, household, number = basket.at, basket.household, basket.basket
        if household not in self._registered:
            self._registered.add(household)
            yield RegisterMember(household, at, profile=self._demographics.get(household, {}))
        yield from self._list(dict.fromkeys(line.product for line in basket.lines), at)
        goods = [line for line in basket.lines if line.quantity]
        if goods:
            yield OpenCart(number, at, household)
            for line in goods:
                yield AddToCart(number, line.product, at, line.quantity, unit_price(line))
            yield CheckOutCart(number, at)
        lines = tuple(self._order_line(line.product, line.quantity, line.gross, line.total, line.paid) for line in basket.lines)
        yield PlaceOrder(number, lines, SHOP.currency, at, household, cart=number if goods else None)
        yield PayOrder(number, at)
        yield DeliverOrder(number, at)
        for redemption in self._placed.get(number, ()):
            yield redeem(redemption, at, number)

    def _order_line(self, product: str, quantity: int, gross: int, total: int, paid: int) -> OrderLine:
        row = self._catalogue.get(product)
        department, category = (row["department"], row["product_category"]) if row else (None, None)
        return OrderLine(product, quantity, gross, total, paid, department, category)

    def _count(self, basket: Basket) -> None:
        counts = self.counts
        counts["baskets"] += 1
        counts["lines"] += len(basket.lines)
        counts["baskets that total 0"] += not sum(line.total for line in basket.lines)
        counts["baskets paid below 0"] += sum(line.paid for line in basket.lines) < 0
        counts["baskets of adjustments alone"] += not any(line.quantity for line in basket.lines)
        for line in basket.lines:
            counts["lines of quantity 0"] += not line.quantity
            counts["lines paid below 0"] += line.paid < 0
            counts["lines whose total does not divide into cents"] += bool(line.quantity and line.total % line.quantity)

    # Redemptions without a basket

    def _redemptions(self) -> Iterator[Timed]:
        for redemption in sorted(self._alone, key=lambda r: (r.day, r.household, r.coupon, r.campaign)):
            key = f"{redemption.household}/{redemption.coupon}/{redemption.campaign}/{redemption.day}"
            yield day_start(redemption.day, SHOP.zone), 2, key, partial(self._redemption, redemption, key)

    def _redemption(self, redemption: JourneyRedemption, key: str) -> Iterator[Request]:
        at = day_start(redemption.day, SHOP.zone)
        yield Request(f"complete-journey/redemption/{key}", (redeem(redemption, at, None),))


def unit_price(line: BasketLine) -> int | None:
    """Return the price to show, in cents; None where a unit costs less than half a cent (fuel is counted in tiny units)."""
    price = round(line.gross / line.quantity)
    return price if price or not line.gross else None


def redeem(redemption: JourneyRedemption, at: int, order: str | None) -> RedeemCoupon:
    """Return the use of a coupon, named by household, coupon, campaign and day. It happened at the till, so it is recorded."""
    use = f"{redemption.coupon}/{redemption.day}"
    return RedeemCoupon(redemption.campaign, redemption.household, redemption.coupon, use, at, order, recorded=True)


def is_fuel(category: str | None, kind: str | None) -> bool:
    return "GASOLINE" in (kind or "") or "FUEL" in (category or "")


def together(commands: list[ListProduct] | list[SendCoupon]) -> Iterator[list[ListProduct] | list[SendCoupon]]:
    for at in range(0, len(commands), TOGETHER):
        yield commands[at : at + TOGETHER]


# Which basket a coupon was used in: the data names a day, the till knows the basket


def attribute(
    redemptions: Iterable[JourneyRedemption], baskets: Iterable[Basket], offers: Offers, zone: str
) -> tuple[dict[str, list[JourneyRedemption]], list[JourneyRedemption], Counter[str]]:
    """Return the redemptions of each basket, the redemptions without a basket, and how many each rule placed.

    A redemption belongs to the household's basket of that day with coupon money on a product the coupon covers, else with a
    covered product, else with any coupon money; the earliest wins.
    """
    wanted = list(redemptions)
    households = {redemption.household for redemption in wanted}
    of_day: defaultdict[tuple[str, str], list[Basket]] = defaultdict(list)
    for basket in baskets:
        if basket.household in households:
            of_day[basket.household, local_day(basket.at, zone)].append(basket)
    placed: defaultdict[str, list[JourneyRedemption]] = defaultdict(list)
    alone: list[JourneyRedemption] = []
    rules: Counter[str] = Counter()
    for redemption in wanted:
        covered = frozenset(offers.get(redemption.campaign, {}).get(redemption.coupon, ()))
        rule, basket_found = find_basket(of_day[redemption.household, redemption.day], covered)
        rules[rule] += 1
        if basket_found:
            placed[basket_found.basket].append(redemption)
        else:
            alone.append(redemption)
    return placed, alone, rules


def find_basket(baskets: list[Basket], covered: Collection[str]) -> tuple[str, Basket | None]:
    """Return the rule that holds, and the earliest basket that it holds for."""
    for basket in baskets:
        if any(line.product in covered and line.paid < line.total for line in basket.lines):
            return "coupon money on a covered product", basket
    for basket in baskets:
        if any(line.product in covered for line in basket.lines):
            return "a covered product", basket
    for basket in baskets:
        if any(line.paid < line.total for line in basket.lines):
            return "any coupon money", basket
    return "alone", None
