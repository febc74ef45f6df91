"""The types of lines: what each may hold, which of its fields it needs, and the table of them all.

Money is minor units of the shop's currency, instants are UTC epoch milliseconds, and None is what a line does not say. The
attributes' names are part of a line's content, which logs store; the file's names are in ``fields.JSON_NAMES``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, NamedTuple, Self, TypeAlias

from aggregates.decider import LARGEST_COUNT
from streams.imports.shop_log.amounts import TOO_LARGE, gross_of
from streams.imports.shop_log.fields import OURS, Line, ValueKind, list_of
from streams.imports.shop_log.rejected import Rejected
from streams.imports.shop_log.values import (
    AT,
    ATTRIBUTES,
    CATEGORY,
    CATEGORY_NAME,
    COUNT,
    EMBEDDING,
    ID,
    IDS,
    INSTANT,
    MONEY,
    NAME,
    OBJECT,
    PIECES,
    PLACE,
    PROFILE,
    PROFILE_VALUE,
    PROPENSITIES,
    QUANTITY,
    RATING,
    SOME_IDS,
    STATUS,
    TAGS,
    TENDER,
    TEXT,
    UNIT_PRICE,
)


class FileLine(Line, kw_only=True):
    """What every line of the file has. They say what it is about, or which line it is, so they are not its content."""

    type: Annotated[str, TEXT, "What the line tells of."]
    at: Annotated[int, AT, "When it happened: ISO 8601 with an offset, or epoch milliseconds."]
    id: Annotated[str | None, ID, "The shop's own name for this line: one that was taken is not taken twice."] = None

    def content(self) -> dict[str, Any]:
        content = super().content()
        for name in ("type", "at", "id"):
            content.pop(name, None)
        return content


class Shopper(NamedTuple):
    """A member, a session, or both: then the session is the member's from here on. Neither: a guest without a session."""

    member: str | None = None
    session: str | None = None


MemberId: TypeAlias = Annotated[str | None, ID, "The member."]
SessionId: TypeAlias = Annotated[str | None, ID, "The guest's session; with a member, it is theirs from here on."]
ProductId: TypeAlias = Annotated[str, ID, "The product."]
OrderId: TypeAlias = Annotated[str, ID, "The order."]


class ProductLine(FileLine, kw_only=True):
    product: ProductId
    name: Annotated[str | None, TEXT, "Its name."] = None
    category: Annotated[tuple[str, ...] | None, CATEGORY, "Its category, or the path to it, widest first."] = None
    brand: Annotated[str | None, TEXT, "Its brand."] = None
    description: Annotated[str | None, TEXT, "Its description."] = None
    price: Annotated[int | None, MONEY, "Its list price."] = None
    stock: Annotated[int | None, COUNT, "Pieces in stock."] = None
    image: Annotated[str | None, TEXT, "Its picture's address."] = None
    embedding: Annotated[tuple[float, ...] | None, EMBEDDING, "A vector that says what it is like."] = None
    department: Annotated[str | None, TEXT, "Its department.", OURS] = None
    attributes: Annotated[Mapping[str, str] | None, ATTRIBUTES, "What else is known of it, text by name.", OURS] = None


class MemberLine(FileLine, kw_only=True):
    """``profile`` has every field that is not declared here, and the tags with commas between them.

    ``tags``: all that the member has from now on, separated by commas; None if the line says nothing of them.
    """

    rest: ClassVar[ValueKind | None] = PROFILE_VALUE

    member: Annotated[str, ID, "The member."]
    name: Annotated[str | None, TEXT, "Their name."] = None
    email: Annotated[str | None, TEXT, "Their e-mail address."] = None
    birthday: Annotated[str | None, TEXT, "Their birthday, as in 1990-12-31."] = None
    tags: Annotated[str | None, TAGS, "A list of words, or text with commas between them."] = None
    profile: Annotated[
        Mapping[str, str], PROFILE, "Profile fields by name, for names that mean something else on a line.", OURS
    ] = {}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        profile = {**values.pop("profile", {}), **values.pop("rest")}
        if "tags" in values:
            profile["tags"] = values["tags"]
        return cls(**values, profile=profile)

    def content(self) -> dict[str, Any]:
        """Return the content with the tags in the profile alone."""
        return {name: value for name, value in super().content().items() if name != "tags"}


class ShopperFields:
    """A line about someone; ``member`` and ``session`` stand in each type, in the schema's order."""

    __slots__ = ()

    @property
    def who(self) -> Shopper:
        return Shopper(self.member, self.session)  # type: ignore[attr-defined]

    def content(self) -> dict[str, Any]:
        """Return the content with the shopper's ids in an object of their own."""
        content: dict[str, Any] = super().content()  # type: ignore[misc]
        content["who"] = {name: content.pop(name) for name in ("member", "session") if name in content}
        return content


NEEDS_SHOPPER = ("member", "session")


class BehaviourLine(ShopperFields, FileLine, kw_only=True):
    """A view, click, favourite, unfavourite, dismiss or share."""

    any_of: ClassVar[tuple[str, ...]] = NEEDS_SHOPPER

    product: ProductId
    member: MemberId = None
    session: SessionId = None
    slot: Annotated[str | None, ID, "The list or place on the page where the product stood."] = None
    order_position: Annotated[int | None, COUNT, "Its place in that list, counted from 1; 0 tells none."] = None

    def content(self) -> dict[str, Any]:
        return {"kind": self.type, **super().content()}


class SearchLine(ShopperFields, FileLine, kw_only=True):
    any_of: ClassVar[tuple[str, ...]] = NEEDS_SHOPPER

    query: Annotated[str, TEXT, "What for."]
    member: MemberId = None
    session: SessionId = None
    shown: Annotated[tuple[str, ...], IDS, "What was shown, best first."] = ()


class ImpressionLine(ShopperFields, FileLine, kw_only=True):
    any_of: ClassVar[tuple[str, ...]] = NEEDS_SHOPPER

    slot: Annotated[str, ID, "The list or place on the page."]
    products: Annotated[tuple[str, ...], SOME_IDS, "What was shown, in order."]
    member: MemberId = None
    session: SessionId = None
    propensities: Annotated[
        tuple[float, ...] | None, PROPENSITIES, "How likely each of them was to be shown: above 0, at most 1."
    ] = None
    strategy: Annotated[str | None, TEXT, "What chose them."] = None

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        propensities = values.get("propensities")
        if propensities is not None and len(propensities) != len(values["products"]):
            raise Rejected("propensities_unmatched", "There is one propensity for each product that was shown.")
        return cls(**values)


class CartLine(ShopperFields, FileLine, kw_only=True):
    """A product that was put into the cart, or taken out of it."""

    any_of: ClassVar[tuple[str, ...]] = NEEDS_SHOPPER

    product: ProductId
    member: MemberId = None
    session: SessionId = None
    quantity: Annotated[int, PIECES, "Pieces, 1 if left out."] = 1
    cart: Annotated[str | None, ID, "The cart, where a shopper has several.", OURS] = None

    def content(self) -> dict[str, Any]:
        return {"added": isinstance(self, CartAdditionLine), **super().content()}


class CartAdditionLine(CartLine, kw_only=True):
    price: Annotated[int | None, MONEY, "The unit price shown.", OURS] = None


class ReviewLine(ShopperFields, FileLine, kw_only=True):
    """``rating``: half stars, 2 to 10."""

    any_of: ClassVar[tuple[str, ...]] = NEEDS_SHOPPER

    product: ProductId
    member: MemberId = None
    session: SessionId = None
    rating: Annotated[int, RATING, "1 to 5, halves allowed."]
    text: Annotated[str | None, TEXT, "What they wrote."] = None
    order: Annotated[str | None, ID, "The order."] = None


class OrderLineItem(Line, kw_only=True):
    """``unit_price`` is in minor units and parts of them. ``paid`` is after tender: at most the total, perhaps negative."""

    product: Annotated[str, ID, "The product; the same one twice is two lines."]
    quantity: Annotated[int, QUANTITY, "Pieces, 1 if left out; 0 is an adjustment, money without goods."] = 1
    total: Annotated[int | None, MONEY, "What the line costs, after its discount."] = None
    unit_price: Annotated[Decimal | None, UNIT_PRICE, "What a piece costs before the discount, with up to six decimals."] = None
    discount: Annotated[int, MONEY, "What is taken off quantity × unit_price."] = 0
    paid: Annotated[int | None, TENDER, "What was paid in money; may be less than the total, and below nothing.", OURS] = None
    department: Annotated[str | None, NAME, "The product's department when it was sold.", OURS] = None
    category: Annotated[tuple[str, ...] | None, CATEGORY_NAME, "The product's category when it was sold.", OURS] = None

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        item = cls(**values)
        item.own_total()
        return item

    def own_total(self) -> int | None:
        """Return what the line costs after its discount, in minor units; None if it names no price of its own.

        Raises :class:`Rejected` if the discount exceeds the price, or the total the largest amount.
        """
        if self.total is not None or self.unit_price is None:
            return self.total
        total = gross_of(self.unit_price, self.quantity) - self.discount
        if total < 0:
            raise Rejected("total_negative", "The discount exceeds quantity × unit_price: a line costs at least nothing.")
        if total > LARGEST_COUNT:
            raise Rejected("money_too_large", TOO_LARGE)
        return total


class RefundLineItem(Line, kw_only=True):
    """A ``line`` of the order, a ``product`` of it, or both."""

    any_of: ClassVar[tuple[str, ...]] = ("line", "product")

    line: Annotated[int | None, PLACE, "The order's line, counted from 1."] = None
    product: Annotated[str | None, ID, "The product: its first line with something left, then the next."] = None
    quantity: Annotated[int | None, QUANTITY, "Pieces, 1 if left out; 0 is money without goods."] = None
    total: Annotated[int | None, MONEY, "What is given back; if left out, its share of what was paid."] = None


ORDER_LINES = list_of("order_lines", "order.lines", OrderLineItem)
REFUND_LINES = list_of("refund_lines", "refund.lines", RefundLineItem)


class OrderRecord(ShopperFields, FileLine, kw_only=True):
    """``status``: how far the order had come at its instant."""

    order: OrderId
    lines: Annotated[tuple[OrderLineItem, ...], ORDER_LINES, "What was ordered."]
    member: MemberId = None
    session: SessionId = None
    coupons: Annotated[tuple[str, ...], IDS, "Coupons that were used."] = ()
    status: Annotated[str, STATUS, "How far it has come."] = "delivered"
    cart: Annotated[str | None, ID, "The cart that was checked out.", OURS] = None
    tax: Annotated[int | None, MONEY, "The tax within what was paid.", OURS] = None


class StatusLine(FileLine, kw_only=True):
    order: OrderId
    status: Annotated[str, STATUS, "How far it has come."]


class CancelLine(FileLine, kw_only=True):
    order: OrderId
    reason: Annotated[str | None, NAME, "Why."] = None


class RefundLine(ShopperFields, FileLine, kw_only=True):
    """Without ``parts``, all that is left of the order is given back."""

    order: OrderId
    parts: Annotated[tuple[RefundLineItem, ...] | None, REFUND_LINES, "What was given back."] = None
    member: MemberId = None
    session: SessionId = None
    refund: Annotated[str | None, ID, "The refund's own name.", OURS] = None


class CouponLine(FileLine, kw_only=True):
    """``code``: the coupon's, where the campaign is told; else the code is the campaign."""

    any_of: ClassVar[tuple[str, ...]] = ("campaign", "code")

    campaign: Annotated[str, ID, "The campaign."] = ""
    code: Annotated[str | None, ID, "The coupon's code; it stands for the campaign where no campaign_id is told."] = None
    member: Annotated[str, ID, "The member."]
    order: Annotated[str | None, ID, "The order."] = None
    amount: Annotated[int | None, MONEY, "What the coupon is worth, or took off."] = None

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        if "campaign" not in values:
            values["campaign"] = values.pop("code")
        return cls(**values)

    def content(self) -> dict[str, Any]:
        content = super().content()
        if (code := content.pop("code", None)) is not None:
            content.setdefault("coupon", code)
        return {"sent": isinstance(self, CouponSentLine), **content}


class CouponSentLine(CouponLine, kw_only=True):
    kind: Annotated[str | None, TEXT, "The campaign's kind.", OURS] = None
    starts: Annotated[int | None, INSTANT, "From when it is valid.", OURS] = None
    ends: Annotated[int | None, INSTANT, "The first instant at which it no longer is.", OURS] = None


class CouponRedeemedLine(CouponLine, kw_only=True):
    coupon: Annotated[str | None, ID, "The coupon, where the campaign has several.", OURS] = None
    use: Annotated[str | None, ID, "This use's own name.", OURS] = None


class SessionLeftLine(FileLine, kw_only=True):
    session: Annotated[str, ID, "The session: a guest's from here on."]


class CommandLine(FileLine, kw_only=True):
    """A command of Regulars, where no other type of line says as much."""

    command: Annotated[str, ID, "The command's name.", OURS]
    values: Annotated[Mapping[str, Any], OBJECT, "Its values by name.", OURS]


class LineType(NamedTuple):
    line: type[Line]
    about: str


TABLE: dict[str, LineType] = {
    "product": LineType(ProductLine, "A product as it is from now on; told again, it is updated field by field."),
    "member": LineType(
        MemberLine,
        "A member as they are from now on; told again, they are updated field by field. Any other field is of their profile.",
    ),
    "view": LineType(BehaviourLine, "Someone looked at a product."),
    "click": LineType(BehaviourLine, "Someone clicked on a product that was shown."),
    "favourite": LineType(BehaviourLine, "Someone marked a product."),
    "unfavourite": LineType(BehaviourLine, "Someone took that mark away."),
    "dismiss": LineType(BehaviourLine, "Someone does not want to see a product."),
    "share": LineType(BehaviourLine, "Someone shared a product."),
    "search": LineType(SearchLine, "Someone searched."),
    "impression": LineType(ImpressionLine, "Products were shown to someone."),
    "add_to_cart": LineType(CartAdditionLine, "Someone put a product into the cart."),
    "remove_from_cart": LineType(CartLine, "Someone took a product out of the cart."),
    "review": LineType(ReviewLine, "Someone rated a product."),
    "order": LineType(
        OrderRecord, "An order; without a status it was placed, paid and delivered at once. Without who, it is a guest's."
    ),
    "order_status": LineType(StatusLine, "An order went on."),
    "cancel": LineType(CancelLine, "An order was cancelled."),
    "refund": LineType(RefundLine, "Something of an order was given back; without lines, all that was left of it."),
    "coupon_sent": LineType(CouponSentLine, "A member was sent a coupon."),
    "coupon_redeemed": LineType(CouponRedeemedLine, "A member used a coupon."),
    "session_left": LineType(SessionLeftLine, "A member signed out of a session, or left a shared device."),
    "regulars": LineType(CommandLine, "A command that only Regulars writes."),
}
"""The types of lines by name. The reader and the schema both go by it."""

NESTED: dict[str, LineType] = {
    "order_line": LineType(
        OrderLineItem,
        "A product, how many, and what it costs: total, or unit_price and discount, or else the product's price.",
    ),
    "refund_line": LineType(RefundLineItem, "What of the order is given back: of a line, or of a product."),
}
"""Objects within lines, by their names in the schema."""
