"""The commands that each type of line stands for; of orders and refunds, see ``order_plans``.

A plan is a function from a line, and the states that it looks up, to commands. None of its commands is decided while it looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import blake2b
from itertools import count
from typing import Any, TypeAlias

import msgspec

from aggregates.behaviour import Clicked, Dismissed, Favourited, Impressed, OfProduct, Searched, Shared, Unfavourited, Viewed
from aggregates.campaign import LaunchCampaign
from aggregates.campaign import campaign as campaign_decider
from aggregates.cart import AddToCart, Cart, OpenCart, RemoveFromCart
from aggregates.cart import cart as cart_decider
from aggregates.coupon import RedeemCoupon, SendCoupon
from aggregates.decider import LONGEST_ID, Look, Refusal
from aggregates.member import ChangeProfile, RegisterMember
from aggregates.member import member as member_decider
from aggregates.membership.commands import TagMember
from aggregates.product import ListProduct, Product, ProductListed, RepriceProduct
from aggregates.product import product as product_decider
from aggregates.review import ReviewProduct
from aggregates.session import JoinSession, LeaveSession
from aggregates.session import session as session_decider
from aggregates.value import field_names
from streams.imports.shop_log.lines import (
    BehaviourLine,
    CartAdditionLine,
    CartLine,
    CommandLine,
    CouponLine,
    CouponRedeemedLine,
    CouponSentLine,
    ImpressionLine,
    MemberLine,
    ProductLine,
    ReviewLine,
    SearchLine,
    SessionLeftLine,
    Shopper,
)
from streams.registry import COMMANDS, REACTIONS

Commands: TypeAlias = list[object]
Plan: TypeAlias = Callable[[Any, Look], Commands]

HASH_BYTES = 16

IMPORTER = "import"
"""Who tags a member whose line has tags."""

LIKE_RUNNING = re.compile(r"(?:c\.)*[ms]\.")
"""How the ids of running carts begin, and those of carts whose names the shop began so."""

# Shared by the plans: names, and what a line mentions for the first time


def name_within_limit(prefix: str, name: str) -> str:
    """Return the prefix and the name; a hash replaces the end of what would be longer than an id may be.

    >>> name_within_limit("m.", "42")
    'm.42'
    >>> len(name_within_limit("m.", "4" * 200))
    200
    """
    whole = prefix + name
    if len(whole) <= LONGEST_ID:
        return whole
    return whole[: LONGEST_ID - 2 * HASH_BYTES] + blake2b(whole.encode(), digest_size=HASH_BYTES).hexdigest()


def running_cart(who: Shopper) -> str:
    """Return the name of a shopper's one cart: the member's, else the session's.

    >>> running_cart(Shopper("42", "s")), running_cart(Shopper(None, "42"))
    ('m.42', 's.42')
    """
    if who.member is not None:
        return name_within_limit("m.", who.member)
    return name_within_limit("s.", str(who.session))


def cart_named(name: str) -> str:
    """Return the id of a cart that the shop names, which is never that of a running cart.

    >>> cart_named("c-1"), cart_named("m.42"), cart_named("c.m.42"), cart_named("c.1")
    ('c-1', 'c.m.42', 'c.c.m.42', 'c.1')
    """
    return name_within_limit("c.", name) if LIKE_RUNNING.match(name) else name


def find_cart(named: str | None, who: Shopper, look: Look) -> str:
    """Return the id of the cart that the shop names, else of the shopper's running cart.

    A cart of a running cart's name that a program opened for someone else is left to them.
    """
    if named is not None:
        return cart_named(named)
    name = first = running_cart(who)
    for number in count(2):
        if owns(who, look(cart_decider, name), look):
            return name
        name = name_within_limit(f"{first}#", str(number))
    raise AssertionError  # there is always a name that nobody has


def owns(who: Shopper, cart: Cart, look: Look) -> bool:
    """Return whether a cart is this shopper's, nobody's yet, or of a session that became this member's."""
    if cart.member is not None:
        return cart.member == who.member
    if cart.session is None or cart.session == who.session:
        return True
    return who.member is not None and look(session_decider, cart.session).member == who.member


def use_of(order: str, coupon: str | None = None) -> str:
    """Return the name of an order's use of a campaign. A separate line about the same use has the same name, and counts once.

    ``coupon``: which of the campaign's coupons, where it has several; each may be used once.

    >>> use_of("1", "a/b"), use_of("1/a", "b"), use_of("1/a/b")
    ('order/1/a/b', 'order/1%2Fa/b', 'order/1%2Fa%2Fb')
    """
    order = order.replace("%", "%25").replace("/", "%2F")  # so that no two orders' uses share a name
    return name_within_limit("order/", order) if coupon is None else name_within_limit(f"order/{order}/", coupon)


def resolve_shopper(who: Shopper, at: int, look: Look) -> Shopper:
    """Return who it is: a session that was joined to a member is that member's, until it is left or was not used for long."""
    if who.member is None and who.session is not None:
        return Shopper(look(session_decider, who.session).member_at(at), who.session)
    return who


def end_session(who: Shopper, at: int, look: Look) -> Commands:
    """Leave a session that its member has not used for long, if a guest uses it now."""
    if who.member is not None or who.session is None:
        return []
    session = look(session_decider, who.session)
    return [LeaveSession(who.session, at)] if session.member is not None and session.member_at(at) is None else []


def ensure_member(member: str | None, at: int, look: Look) -> Commands:
    """Register a member whom nobody declared, with the id alone. Raises ``Refusal`` if the member was erased."""
    if member is None:
        return []
    status = look(member_decider, member).status
    if status == "erased":
        raise Refusal("member_erased", "This member was erased; a new membership needs a new id.")
    return [RegisterMember(member, at)] if status == "unknown" else []


def ensure_joined(who: Shopper, at: int, look: Look) -> Commands:
    """Join a session to a member if a line names both. A reaction does so too, but only if the line leads to an event."""
    if who.member is None or who.session is None or look(session_decider, who.session).member_at(at) == who.member:
        return []
    return [JoinSession(who.session, who.member, at)]


def ensure_products(products: Iterable[str], at: int, look: Look) -> Commands:
    """List each product that nobody declared, with its id alone."""
    return [ListProduct(name, at) for name in dict.fromkeys(products) if look(product_decider, name).listed is None]


def ensure_campaigns(campaigns: Iterable[str], at: int, look: Look) -> Commands:
    """Launch each campaign that nobody launched, with its id alone."""
    return [LaunchCampaign(name, at) for name in dict.fromkeys(campaigns) if look(campaign_decider, name).launched is None]


# Products and members: field by field, over what was declared before


def declare_product(line: ProductLine, look: Look) -> Commands:
    """A line that has a listed product's price and nothing else reprices it."""
    known = look(product_decider, line.product)
    if line.price is not None and known.listed and not known.retired and line.content().keys() == {"product", "price"}:
        return [RepriceProduct(line.product, line.price, line.at)]
    return [merged(line, known)]


def merged(line: ProductLine, known: Product) -> ListProduct:
    before = known.listed or ProductListed(
        product=line.product,
        name=None,
        department=None,
        category=None,
        brand=None,
        price=None,
        stock=None,
        attributes={},
        at=line.at,
    )
    department, category = department_and_category(line, before)
    return ListProduct(
        line.product,
        line.at,
        name=before.name if line.name is None else line.name,
        department=department,
        category=category,
        brand=before.brand if line.brand is None else line.brand,
        price=known.price if line.price is None else line.price,
        stock=before.stock if line.stock is None else line.stock,
        attributes={**before.attributes, **(line.attributes or {})},
        description=before.description if line.description is None else line.description,
        image=before.image if line.image is None else line.image,
        embedding=before.embedding if line.embedding is None else line.embedding,
    )


def department_and_category(line: ProductLine, before: ProductListed) -> tuple[str | None, str | None]:
    """Return both: the first step of a path is the department, unless the line names one."""
    if line.category is None:
        return before.department if line.department is None else line.department, before.category
    if line.department is None and len(line.category) > 1:
        return line.category[0], " / ".join(line.category[1:])
    return before.department if line.department is None else line.department, " / ".join(line.category)


def declare_member(line: MemberLine, look: Look) -> Commands:
    """The tags come first: a rule may reward the registration of members who have one."""
    values = (line.member, line.at, line.name, line.email, line.birthday, line.profile)
    declared = RegisterMember(*values) if look(member_decider, line.member).status == "unknown" else ChangeProfile(*values)
    if line.tags is None:
        return [declared]
    tags = tuple(dict.fromkeys(tag for part in line.tags.split(",") if (tag := part.strip())))
    return [TagMember(line.member, tags, IMPORTER, line.at), declared]


# Behaviour, reviews and carts

BEHAVIOUR: dict[str, type[OfProduct]] = {
    "view": Viewed,
    "click": Clicked,
    "favourite": Favourited,
    "unfavourite": Unfavourited,
    "dismiss": Dismissed,
    "share": Shared,
}


def behave(line: BehaviourLine, look: Look) -> Commands:
    who = resolve_shopper(line.who, line.at, look)
    place = line.order_position or None  # places count from 1, so 0 says nothing
    return [
        *end_session(line.who, line.at, look),
        *ensure_member(who.member, line.at, look),
        *ensure_products((line.product,), line.at, look),
        BEHAVIOUR[line.type](
            product=line.product, member=who.member, session=who.session, at=line.at, slot=line.slot, place=place
        ),
    ]


def search(line: SearchLine, look: Look) -> Commands:
    who = resolve_shopper(line.who, line.at, look)
    return [
        *end_session(line.who, line.at, look),
        *ensure_member(who.member, line.at, look),
        *ensure_products(line.shown, line.at, look),
        Searched(query=line.query, member=who.member, session=who.session, shown=line.shown, at=line.at),
    ]


def impress(line: ImpressionLine, look: Look) -> Commands:
    who = resolve_shopper(line.who, line.at, look)
    return [
        *end_session(line.who, line.at, look),
        *ensure_member(who.member, line.at, look),
        *ensure_products(line.products, line.at, look),
        Impressed(
            slot=line.slot,
            products=line.products,
            member=who.member,
            session=who.session,
            propensities=line.propensities or (),
            strategy=line.strategy,
            at=line.at,
        ),
    ]


def give_review(line: ReviewLine, look: Look) -> Commands:
    who = resolve_shopper(line.who, line.at, look)
    return [
        *end_session(line.who, line.at, look),
        *ensure_member(who.member, line.at, look),
        *ensure_products((line.product,), line.at, look),
        ReviewProduct(line.product, line.at, line.rating, who.member, who.session, line.text, line.order),
    ]


def change_cart(line: CartLine, look: Look) -> Commands:
    """A shopper's running cart is opened by the first product put into it and closed by their next order.

    To remove what is not in the cart is accepted and does nothing. Raises ``Refusal`` for another shopper's cart.
    """
    who, at = resolve_shopper(line.who, line.at, look), line.at
    first = [
        *end_session(line.who, at, look),
        *ensure_member(who.member, at, look),
        *ensure_joined(line.who, at, look),
        *ensure_products((line.product,), at, look),
    ]
    name = find_cart(line.cart, who, look)
    cart = look(cart_decider, name)
    is_open = cart.status == "open"
    if is_open and line.cart and (cart.member, cart.session) != (who.member, who.session):
        raise Refusal("cart_anothers", "This cart is another shopper's.")
    if not isinstance(line, CartAdditionLine):
        return [*first, *([RemoveFromCart(name, line.product, at, line.quantity)] if is_open else [])]
    opening = [] if is_open else [OpenCart(name, at, who.member, who.session, anew=line.cart is None)]
    return [*first, *opening, AddToCart(name, line.product, at, line.quantity, line.price)]


def leave_session(line: SessionLeftLine, _: Look) -> Commands:
    return [LeaveSession(line.session, line.at)]


# Coupons, and commands that no other line stands for


def send_coupon(line: CouponSentLine, look: Look) -> Commands:
    return [*coupon_needs(line, look), SendCoupon(line.campaign, line.member, line.at, line.kind, line.starts, line.ends)]


def redeem_coupon(line: CouponRedeemedLine, name: str, look: Look) -> Commands:
    """``name`` names the use where neither the line nor its order does. Broken terms are flagged, not refused."""
    told = line.coupon or line.code
    use = line.use or (name if line.order is None else use_of(line.order, told))
    coupon = told or line.campaign
    redeem = RedeemCoupon(line.campaign, line.member, coupon, use, line.at, line.order, recorded=True, amount=line.amount)
    return [*coupon_needs(line, look), redeem]


def coupon_needs(line: CouponLine, look: Look) -> Commands:
    return [*ensure_campaigns((line.campaign,), line.at, look), *ensure_member(line.member, line.at, look)]


COMMAND_NAMES: dict[str, type] = {command.__name__: command for command in COMMANDS if command not in REACTIONS}
"""Without those that reactions alone give: an import decides them anew."""


def recorded_command(line: CommandLine, _: Look) -> Commands:
    """Raises ``Refusal`` for an unknown command, or for values that do not fit it."""
    command = COMMAND_NAMES.get(line.command)
    if command is None:
        raise Refusal("command_unknown", f"There is no command named {line.command[:80]!r}.")
    values = {**line.values, **({"at": line.at} if "at" in field_names(command) else {})}
    try:
        return [msgspec.convert(values, command)]
    except (msgspec.ValidationError, TypeError) as fault:
        raise Refusal("command_invalid", f"{line.command}: {fault}.") from None
