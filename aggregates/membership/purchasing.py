"""What follows for a membership from its orders: paid, delivered, given back."""

from __future__ import annotations

from functools import reduce
from typing import assert_never

from aggregates.membership import rewarding as acting
from aggregates.membership.commands import ActivatePoints, ClawBackPoints, GrantPoints, OfOrder
from aggregates.membership.earning.activities import Act
from aggregates.membership.earning.spending import Purse
from aggregates.membership.events import Event, Membership, evolve
from aggregates.membership.ledger import clawback, folding, granting, holding, returning
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.tiers import judging as tiers
from aggregates.membership.tiers import override as overriding
from aggregates.membership.tiers.qualification import Counting, ahead, worth
from aggregates.programme import Programme
from aggregates.programme.earning import PURCHASE
from aggregates.value import replace


def is_settled(command: OfOrder, state: Membership) -> bool:
    """Asked before, or about an order that earned and spent nothing."""
    order, ledger, purchases = command.order, state.points, state.earning.purchases
    match command:
        case GrantPoints():
            return order in purchases or (command.net <= 0 and not any_held(order, ledger))
        case ActivatePoints():
            return order not in purchases or not granting.is_pending(purchases[order], ledger)
        case ClawBackPoints():
            if order in purchases:
                return ("clawback", purchases[order].grants[0].lot, command.reversal) in ledger.settled
            return not any_held(order, ledger) and not outstanding(command, ledger)
        case _:
            assert_never(command)


def any_held(order: str, ledger: Ledger) -> bool:
    return any(hold.order == order for hold in ledger.holds.values())


def outstanding(command: ClawBackPoints, ledger: Ledger) -> list[str]:
    """The redemptions for an order of which a reversal has given back nothing yet."""
    return [
        name
        for name, spent in ledger.redemptions.items()
        if spent.order == command.order and spent.left and ("return", name, command.reversal) not in ledger.settled
    ]


def decide(command: OfOrder, now: int, terms: Programme, state: Membership) -> list[Event]:
    match command:
        case GrantPoints():
            return grant_and_raise(command, now, terms, state)
        case ActivatePoints():
            bought = state.earning.purchases[command.order]
            tier = overriding.in_effect(state.tier, state.standing.override, terms)
            return [*granting.delivered(command.member, bought, command.at, tier, command.policies, terms, state.points)]
        case ClawBackPoints():
            return claw_back_and_revoke(command, now, terms, state)
        case _:
            assert_never(command)


def grant_and_raise(command: GrantPoints, now: int, terms: Programme, state: Membership) -> list[Event]:
    """The multiplier is that of the tier in effect before this order. What was held for the order is spent."""
    member, ledger = command.member, state.points
    captured: list[Event] = []
    for name, hold in ledger.holds.items():
        if hold.order == command.order:
            captured += holding.capture(member, name, now, ledger)
    if command.net <= 0:
        return captured
    tier = overriding.in_effect(state.tier, state.standing.override, terms)
    bought = Purse(command.net, command.lines, tier, state.earning.tags, command.at)
    earned = granting.earned(bought, terms)
    counting = Counting(terms, state, command.at, worth(command.net, earned, terms))
    metric = counting.metric(now)
    raised = tiers.raised(member, now, metric, counting)
    way = None if raised else ahead(tier, metric, now, counting)  # who is raised is told so
    granted = granting.granted(member, command.order, bought, earned, terms, ledger, metric, way)
    events: list[Event] = [*captured, *granted, *raised]
    if terms.earning.missions:
        act = Act(member, PURCHASE, tier, now, command.net, command.lines)
        events += acting.missions_of(act, command.order, terms, reduce(evolve, events, state))
    return events


def claw_back_and_revoke(command: ClawBackPoints, now: int, terms: Programme, state: Membership) -> list[Event]:
    """The order gets back what was spent or held for it, and gives back what it earned: from that too, before any is owed."""
    member, ledger = command.member, state.points
    bought = state.earning.purchases.get(command.order)
    events: list[Event] = []
    after = ledger
    for name, hold in ledger.holds.items():
        if hold.order == command.order and command.complete:
            released = holding.release(member, name, False, now, terms, after)
            events.append(released)
            after = folding.evolve(after, released)
    for name in outstanding(command, ledger):
        points = points_back(command, name, bought.bought if bought else 0, ledger)
        if points:
            returned = returning.give_back(member, name, command.reversal, points, now, terms, after)
            events.append(returned)
            after = folding.evolve(after, returned)  # the next one names its new lots beside these
    if bought is None:
        return events
    reversal = (command.reversal, command.net, command.given_back)
    clawed = list(clawback.claw_back_all(member, bought, *reversal, now, command.policies, after))
    less = worth(bought.net, clawed, terms) - worth(command.net, (), terms)
    counting = Counting(terms, state, bought.at, -less)
    metric = counting.metric(now)
    revoked = tiers.revoked(member, now, metric, counting)
    tier = overriding.in_effect(state.tier, state.standing.override, terms)
    way = None if revoked else ahead(tier, metric, now, counting)
    qualified = [replace(one, qualifying=metric, ahead=None if number else way) for number, one in enumerate(clawed)]
    return [*events, *qualified, *revoked]


def points_back(command: ClawBackPoints, redemption: str, bought: int, ledger: Ledger) -> int:
    """How many of the points that were spent on the order come back: as much of them as of the order's worth."""
    spent = ledger.redemptions[redemption]
    if command.complete or bought:
        return returning.due_back(spent, bought, 0 if command.complete else command.net)
    return 0
