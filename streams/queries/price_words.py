"""The words for a price trace: what each step did, why a code was not used, and amounts with the currency's decimals."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.pricing.trace import NotUsed, PriceStep, Trace

STAGE_NAMES = {1: "activity", 2: "price", 3: "line", 4: "order", 5: "code", 6: "points", 7: "shipping", 8: "tax"}

REASONS = {
    "code_unknown": "no promotion has this code",
    "code_used": "this code was used before",
    "not_started": "it has not begun",
    "ended": "it is over",
    "wrong_hours": "it holds at other hours",
    "not_yours": "it is for other shoppers",
    "members_only": "each member has their own uses of it: register first",
    "wrong_tier": "it is for another tier",
    "not_first_order": "it is for a first order",
    "limit_reached": "all its uses are taken",
    "member_limit": "the shopper has used it up",
    "budget_spent": "its budget is spent",
    "below_threshold": "{amount} is missing",
    "nothing_matches": "nothing in the cart is what it is about",
    "excluded": "what it is about is excluded",
    "conflicts_with": "it excludes {by}, which was chosen",
    "beaten_by": "with {by} the cart is {amount} cheaper",
    "no_effect": "it takes off nothing",
    "floor_reached": "the price is at its floor",
}


def sentences(trace: Trace) -> Iterator[str]:
    """Yield what is to pay, why codes were not used, and what a little more would bring."""
    yield f"To pay: {amount(trace.payable, trace)} {trace.currency}, with tax of {amount(trace.tax, trace)}."
    if not trace.proven:
        yield "Another set of promotions may be better: the search ran out of work."
    for refused in trace.refused:
        yield f"{refused.code or refused.campaign} was not used: {reason(refused, trace)}."
    for hint in trace.hints:
        yield f"Spend {amount(hint.spend, trace)} more to get {amount(hint.gain, trace)} off with {hint.campaign}."


def named(step: PriceStep) -> str:
    """Return what made a step: the line of a price, the code of a promotion."""
    if step.stage in (1, 2):
        return f"{step.source} on {step.scope[0]}"
    if step.stage == 8 and step.op.rate is not None:
        return f"{100 * step.op.rate[0] / step.op.rate[1]:g} %"
    limited = "" if step.limited_by == "none" else f", limited by {step.limited_by}"
    return f"{step.source}{f' ({step.use})' if step.use else ''}{limited}"


def amount(minor: int, trace: Trace) -> str:
    """Return an amount of minor units with the currency's own number of decimals."""
    whole, rest = divmod(abs(minor), 10**trace.digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}" + (f".{rest:0{trace.digits}}" if trace.digits else "")


def reason(refused: NotUsed, trace: Trace) -> str:
    if refused.units:
        return f"{refused.units} more units are needed"
    return REASONS[refused.reason].format(amount=amount(refused.amount, trace), by=" and ".join(refused.by))
