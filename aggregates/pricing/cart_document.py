"""A cart to be priced as plain data: its lines, shopper, campaigns and codes, as a file holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aggregates.currencies import digits
from aggregates.decider import LARGEST_COUNT, LATEST_INSTANT, Refusal
from aggregates.pricing.campaign_document import of_amount, problems_of
from aggregates.pricing.request import Buyer, Entered, LineItem, PointsWanted, PriceRequest, PriceRules, Running
from aggregates.pricing.terms import CampaignTerms
from aggregates.pricing.trace import Basis, LineKind, Mode
from aggregates.programme.document import ABSENT, DocumentReader, Flaw, Path
from aggregates.programme.text_values import Rate

MOST_DIGITS = 4
MOST_LINES = 1_000
MOST_QUANTITY = 10_000
MOST_UNITS = 20_000


@dataclass(frozen=True)
class DocumentLine:
    """``price``: of one unit, in minor units. ``tax``: the rate, such as ``20 %``. ``floor``: the least that a unit costs."""

    product: str
    price: int
    quantity: int = 1
    id: str | None = None
    tax: Rate = (0, 1)
    floor: int = 0
    kind: LineKind = "goods"
    tax_class: str = "standard"
    department: str | None = None
    category: str | None = None


@dataclass(frozen=True)
class CartCampaign:
    """``codes``: those that lead to it. ``used``, ``used_by_member`` and ``budget_left``: how far it is used up."""

    id: str
    terms: CampaignTerms
    codes: tuple[str, ...] = ()
    version: int = 1
    used: int = 0
    used_by_member: int = 0
    budget_left: int | None = None


@dataclass(frozen=True)
class CartShopper:
    member: str | None = None
    tier: str = "member"
    tags: tuple[str, ...] = ()
    first_order: bool = False


@dataclass(frozen=True)
class CartPoints:
    """``value``: minor units a point. ``share``: the part of the goods that points may pay."""

    points: int
    value: Rate
    wallet: str = "points"
    share: Rate = (1, 1)
    multiple: int = 1


NOBODY = CartShopper()


@dataclass(frozen=True)
class CartDocument:
    """``at``: an instant, UTC epoch milliseconds. ``pins``: campaigns that the shopper chose.

    ``digits``: decimals of the amounts, where they are not those of ISO 4217, as in older logs.
    """

    currency: str
    lines: tuple[DocumentLine, ...]
    at: int = 0
    zone: str = "UTC"
    mode: Mode = "included"
    basis: Basis = "group"
    most_off: Rate | None = None
    shopper: CartShopper = NOBODY
    campaigns: tuple[CartCampaign, ...] = ()
    codes: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    points: CartPoints | None = None
    digits: int | None = None


def read_cart(document: object) -> tuple[PriceRequest | None, list[Flaw]]:
    """Return what a document asks to be priced, None if it cannot be, and what is wrong with it.

    >>> request, _ = read_cart({"currency": "EUR", "lines": [{"product": "tea", "price": 450, "quantity": 2}]})
    >>> request.items[0].quantity
    2
    """
    reading = DocumentReader()
    cart = reading.record(CartDocument, document, ())
    if cart is ABSENT or reading.problems:
        return None, reading.problems
    problems = list(problems_of_cart(cart))
    return (None, problems) if problems else (request_of(cart), [])


def problems_of_cart(cart: CartDocument) -> Iterator[Flaw]:
    """Yield what is wrong with a cart that its types allow."""
    yield from of_shop(cart)
    if not 1 <= len(cart.lines) <= MOST_LINES:
        yield Flaw(("lines",), f"a cart has 1 to {MOST_LINES:,} lines")
    if sum(line.quantity for line in cart.lines) > MOST_UNITS:
        yield Flaw(("lines",), f"a cart has at most {MOST_UNITS:,} units")
    for place, line in enumerate(cart.lines):
        yield from of_line(line, ("lines", place))
    yield from of_names("lines", [line.id or line.product for line in cart.lines])
    yield from of_names("campaigns", [campaign.id for campaign in cart.campaigns])
    for place, campaign in enumerate(cart.campaigns):
        for path, reason in problems_of(campaign.terms):
            yield Flaw(("campaigns", place, "terms", *path), reason)
        for name in ("version", "used", "used_by_member"):
            yield from of_amount(getattr(campaign, name), ("campaigns", place, name), 0)
    if cart.points is not None:
        yield from of_amount(cart.points.points, ("points", "points"), 0)
        yield from of_amount(cart.points.multiple, ("points", "multiple"), 1)
        if cart.points.share[0] > cart.points.share[1]:
            yield Flaw(("points", "share"), "points cannot pay more than the whole order")


def of_shop(cart: CartDocument) -> Iterator[Flaw]:
    if cart.digits is not None and not 0 <= cart.digits <= MOST_DIGITS:
        yield Flaw(("digits",), f"must be from 0 to {MOST_DIGITS}, not {cart.digits}")
    try:
        digits(cart.currency)
    except Refusal as refusal:
        yield Flaw(("currency",), refusal.sentence)
    try:
        ZoneInfo(cart.zone)
    except (KeyError, ValueError, OSError):
        yield Flaw(("zone",), f"there is no zone {cart.zone!r}; expected one such as Europe/Paris")
    if not 0 <= cart.at < LATEST_INSTANT:
        yield Flaw(("at",), "must be an instant: UTC epoch milliseconds, from 1970 on")
    if cart.most_off is not None and cart.most_off[0] > cart.most_off[1]:
        yield Flaw(("most_off",), "must be at most 100 %")


def of_line(line: DocumentLine, path: Path) -> Iterator[Flaw]:
    yield from of_amount(line.price, (*path, "price"), 0)
    yield from of_amount(line.floor, (*path, "floor"), 0)
    if not 1 <= line.quantity <= MOST_QUANTITY:
        yield Flaw((*path, "quantity"), f"must be from 1 to {MOST_QUANTITY:,}, not {line.quantity:,}")
    if line.price * line.quantity > LARGEST_COUNT:
        yield Flaw((*path, "price"), f"a line costs at most {LARGEST_COUNT:,}")


def of_names(what: str, names: list[str]) -> Iterator[Flaw]:
    for place, name in enumerate(names):
        if name in names[:place]:
            yield Flaw((what, place, "id"), f"{name!r} is there twice: give each its own id")


def request_of(cart: CartDocument) -> PriceRequest:
    """Return what is to be priced."""
    rules = PriceRules(
        cart.currency,
        digits(cart.currency) if cart.digits is None else cart.digits,
        cart.zone,
        mode=cart.mode,
        basis=cart.basis,
        most_off=cart.most_off,
    )
    shopper = Buyer(cart.shopper.member, cart.shopper.tier, frozenset(cart.shopper.tags), cart.shopper.first_order)
    campaign_of = {code: campaign.id for campaign in cart.campaigns for code in campaign.codes}
    wish = cart.points
    return PriceRequest(
        tuple(item_of(line) for line in cart.lines),
        cart.at,
        shopper,
        tuple(running_of(campaign) for campaign in cart.campaigns),
        tuple(Entered(code, campaign_of.get(code), None if code in campaign_of else "code_unknown") for code in cart.codes),
        cart.pins,
        PointsWanted(wish.points, wish.value, wish.wallet, wish.share, wish.multiple) if wish else None,
        rules,
    )


def item_of(line: DocumentLine) -> LineItem:
    return LineItem(
        line.id or line.product,
        line.product,
        line.quantity,
        line.price,
        line.tax,
        line.floor,
        line.kind,
        line.tax_class,
        line.department,
        line.category,
    )


def running_of(campaign: CartCampaign) -> Running:
    return Running(campaign.id, campaign.terms, campaign.version, campaign.used, campaign.used_by_member, campaign.budget_left)
