"""A shopper's review of a product. A later review of the same purchase replaces it.

The rating counts half stars, so it is exact. The text is personal and stored sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from aggregates.decider import Context, Decider, Refusal, require_id, require_shopper
from aggregates.value import Value, replace

LONGEST = 20_000


class ReviewProduct(Value):
    """``half_stars``: 2 (one star) to 10 (five)."""

    product: str
    at: int
    half_stars: int
    member: str | None = None
    session: str | None = None
    text: str | None = None
    order: str | None = None


class ProductReviewed(Value, kw_only=True):
    product: str
    member: str | None
    session: str | None
    half_stars: int
    text: str | None
    order: str | None
    at: int


@dataclass(frozen=True)
class Review:
    given: ProductReviewed | None = None


def decide(command: ReviewProduct, review: Review, _: Context) -> list[ProductReviewed]:
    require_id("product", command.product)
    require_shopper(command.member, command.session)
    if command.order is not None:
        require_id("order", command.order)
    if type(command.half_stars) is not int or not 2 <= command.half_stars <= 10:
        raise Refusal("rating_invalid", "A rating is 1 to 5 stars, halves allowed.")
    if command.text is not None and len(command.text) > LONGEST:
        raise Refusal("review_too_long", f"A review has at most {LONGEST} characters.")
    reviewed = ProductReviewed(
        product=command.product,
        member=command.member,
        session=command.session,
        half_stars=command.half_stars,
        text=command.text,
        order=command.order,
        at=command.at,
    )
    if review.given and replace(reviewed, at=review.given.at) == review.given:
        return []
    return [reviewed]


def evolve(_: Review, event: ProductReviewed) -> Review:
    return Review(event)


def author(command: ReviewProduct) -> tuple[str, str, str]:
    """Return product, order and shopper: these have one review. A member and a session of the same name differ."""
    who = f"m.{command.member}" if command.member is not None else f"s.{command.session}"
    return command.product, "" if command.order is None else f"o.{command.order}", who


review = Decider("review", Review(), decide, evolve)

Command: TypeAlias = ReviewProduct
Event: TypeAlias = ProductReviewed
