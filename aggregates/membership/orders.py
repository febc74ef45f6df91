"""What follows for a membership from its orders: paid, delivered, refunded, cancelled."""

from __future__ import annotations

from functools import reduce
from typing import assert_never

from aggregates.membership.actions import missions_of_purchase
from aggregates.membership.commands import ActivatePoints, ClawBackPoints, GrantPoints, OrderCommand
from aggregates.membership.earning.activities import MemberAction
from aggregates.membership.earning.formula import NewPurchase
from aggregates.membership.events import Event
from aggregates.membership.ledger.grants import activate_delivered, claw_back_all, grant_lots, is_pending, points_earned
from aggregates.membership.ledger.redemptions import capture_hold, points_due_back, release_hold, return_points
from aggregates.membership.ledger.state import Ledger, evolve_ledger
from aggregates.membership.state import Membership, evolve
from aggregates.membership.tiers.judging import raise_tier, revoke_upgrade, tier_in_effect
from aggregates.membership.tiers.qualification import Qualification, metric_of_order, progress_to_next
from aggregates.programme import Policies, Programme
from aggregates.programme.earning import PURCHASE
from aggregates.value import replace


def is_order_settled(command: OrderCommand, state: Membership) -> bool:
    """Return whether nothing is left to do: decided before, or about an order that earned and spent nothing."""
    order, ledger, purchases = command.order, state.points, state.earning.purchases
    match command:
        case GrantPoints():
            return order in purchases or (command.net <= 0 and not has_hold(order, ledger))
        case ActivatePoints():
            return order not in purchases or not is_pending(purchases[order], ledger)
        case ClawBackPoints():
            if order in purchases:
                return ("clawback", purchases[order].grants[0].lot, command.reversal) in ledger.settled
            return not has_hold(order, ledger) and not unreturned(command, ledger)
        case _:
            assert_never(command)


def has_hold(order: str, ledger: Ledger) -> bool:
    return any(hold.order == order for hold in ledger.holds.values())


def unreturned(command: ClawBackPoints, ledger: Ledger) -> list[str]:
    """Return the redemptions for an order of which this reversal has given back nothing yet."""
    return [
        name
        for name, spent in ledger.redemptions.items()
        if spent.order == command.order and spent.left and ("return", name, command.reversal) not in ledger.settled
    ]


def decide_order(command: OrderCommand, now: int, policies: Policies, state: Membership) -> list[Event]:
    terms = policies.at(now)
    match command:
        case GrantPoints():
            return grant_and_raise(command, now, terms, state)
        case ActivatePoints():
            bought = state.earning.purchases[command.order]
            tier = tier_in_effect(state.tier, state.standing.override, terms)
            return [*activate_delivered(command.member, bought, command.at, tier, policies, terms, state.points)]
        case ClawBackPoints():
            return claw_back_and_revoke(command, now, policies, state)
        case _:
            assert_never(command)


def grant_and_raise(command: GrantPoints, now: int, terms: Programme, state: Membership) -> list[Event]:
    """Return the grant of an order, at the multiplier of the tier in effect before it. Points held for the order are spent."""
    member, ledger = command.member, state.points
    captured: list[Event] = []
    for name, hold in ledger.holds.items():
        if hold.order == command.order:
            captured += capture_hold(member, name, now, ledger)
    if command.net <= 0:
        return captured
    tier = tier_in_effect(state.tier, state.standing.override, terms)
    bought = NewPurchase(command.net, command.lines, tier, state.earning.tags, command.at)
    earned = points_earned(bought, terms)
    counting = Qualification(terms, state, command.at, metric_of_order(command.net, earned, terms))
    metric = counting.metric(now)
    raised = raise_tier(member, now, metric, counting)
    way = None if raised else progress_to_next(tier, metric, now, counting)  # who is raised is told so
    granted = grant_lots(member, command.order, bought, earned, terms, ledger, metric, way)
    events: list[Event] = [*captured, *granted, *raised]
    if terms.earning.missions:
        act = MemberAction(member, PURCHASE, tier, now, command.net, command.lines)
        events += missions_of_purchase(act, command.order, terms, reduce(evolve, events, state))
    return events


def claw_back_and_revoke(command: ClawBackPoints, now: int, policies: Policies, state: Membership) -> list[Event]:
    """Give back the points spent on the order or held for it, then take back what the order earned, also from those."""
    terms = policies.at(now)
    member, ledger = command.member, state.points
    bought = state.earning.purchases.get(command.order)
    events: list[Event] = []
    after = ledger
    for name, hold in ledger.holds.items():
        if hold.order == command.order and command.complete:
            released = release_hold(member, name, False, now, terms, after)
            events.append(released)
            after = evolve_ledger(after, released)
    for name in unreturned(command, ledger):
        points = points_back(command, name, bought.bought if bought else 0, ledger)
        if points:
            returned = return_points(member, name, command.reversal, points, now, terms, after)
            events.append(returned)
            after = evolve_ledger(after, returned)  # the next one names its new lots beside these
    if bought is None:
        return events
    reversal = (command.reversal, command.net, command.given_back)
    clawed = list(claw_back_all(member, bought, *reversal, now, policies, after))
    less = metric_of_order(bought.net, clawed, terms) - metric_of_order(command.net, (), terms)
    counting = Qualification(terms, state, bought.at, -less)
    metric = counting.metric(now)
    revoked = revoke_upgrade(member, now, metric, counting)
    tier = tier_in_effect(state.tier, state.standing.override, terms)
    way = None if revoked else progress_to_next(tier, metric, now, counting)
    qualified = [replace(one, qualifying=metric, ahead=None if number else way) for number, one in enumerate(clawed)]
    return [*events, *qualified, *revoked]


def points_back(command: ClawBackPoints, redemption: str, bought: int, ledger: Ledger) -> int:
    """Return how many points spent on the order come back: the same share as of the order's worth."""
    spent = ledger.redemptions[redemption]
    if command.complete or bought:
        return points_due_back(spent, bought, 0 if command.complete else command.net)
    return 0
