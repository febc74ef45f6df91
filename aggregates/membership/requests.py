"""What members and the shop's people ask of a membership, each thing by a name of its own."""

from __future__ import annotations

from typing import assert_never

from aggregates.decider import Refusal, require_count, require_id
from aggregates.membership.commands import Asked
from aggregates.membership.commands_of_people import (
    AdjustPoints,
    EnterPool,
    JoinPool,
    LeavePool,
    ReceivePoints,
    ReinstatePoints,
    TransferPoints,
)
from aggregates.membership.commands_of_use import (
    ActivateLot,
    CaptureHold,
    ClaimReward,
    HoldPoints,
    RedeemPoints,
    ReleaseHold,
    ReturnPoints,
)
from aggregates.membership.events import Event, Membership, PointsReturned
from aggregates.membership.ledger import adjusting, granting, holding, pooling, redeeming, returning, rewarding, transferring
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.redeeming import Wish
from aggregates.membership.tiers import override as overriding
from aggregates.programme import Programme


def is_settled(command: Asked, state: Membership) -> bool:
    """Asked before."""
    ledger = state.points
    match command:
        case RedeemPoints():
            return use_of(command.redemption, ledger) == "redemption"
        case ReturnPoints():
            return ("return", command.redemption, command.reversal) in ledger.settled
        case HoldPoints():
            return ("hold", command.hold) in ledger.settled
        case CaptureHold():
            return command.hold in ledger.redemptions and use_of(command.hold, ledger) == "hold"
        case ClaimReward():
            return use_of(command.claim, ledger) == "claim"
        case ReleaseHold():
            return ("hold", command.hold) in ledger.settled and command.hold not in ledger.holds
        case ActivateLot():
            return command.lot in ledger.lots and ledger.lots[command.lot].active_from is not None
        case AdjustPoints():
            return ("adjustment", command.adjustment) in ledger.settled
        case ReinstatePoints():
            return ("reinstatement", command.reinstatement) in ledger.settled
        case TransferPoints():
            return ("transfer", "out", command.transfer) in ledger.settled
        case JoinPool() | LeavePool() | EnterPool():
            return False
        case ReceivePoints():
            return ("transfer", "in", command.sent.transfer, command.sent.member) in ledger.settled
        case _:
            assert_never(command)


def decide(command: Asked, now: int, terms: Programme, state: Membership) -> list[Event]:
    member, ledger = command.member, state.points
    require_id("member", member)
    match command:
        case RedeemPoints():
            require_id("redemption", command.redemption)
            require_no_use(command.redemption, ledger)
            wish = Wish(command.points, command.wallet, command.order, command.total)
            used = pooling.used(member, command.by, command.redemption, command.wallet, now, terms, ledger)
            return [*used, redeeming.redeem(member, command.redemption, wish, now, terms, ledger)]
        case ReturnPoints():
            require_id("reversal", command.reversal)
            back = return_asked(command, now, terms, state)
            return [back, *rewarding.taken_back(back, ledger)]
        case HoldPoints():
            require_id("hold", command.hold)
            if command.hold in ledger.redemptions:
                raise Refusal("hold_exists", "Another use of points has this name.")
            wish = Wish(command.points, command.wallet, command.order, command.total)
            used = pooling.used(member, command.by, command.hold, command.wallet, now, terms, ledger)
            return [*used, holding.hold(member, command.hold, wish, now, terms, ledger)]
        case CaptureHold():
            return list(holding.capture(member, command.hold, now, ledger))
        case ReleaseHold():
            return [holding.release(member, command.hold, command.by_shop, now, terms, ledger)]
        case ClaimReward():
            require_id("claim", command.claim)
            require_no_use(command.claim, ledger)
            tier = overriding.in_effect(state.tier, state.standing.override, terms)
            named = (command.claim, command.reward, tier, state.earning.tags)
            told = terms.reward(command.reward)
            used = pooling.used(member, command.by, command.claim, told.wallet if told else None, now, terms, ledger)
            return [*used, *rewarding.claim(member, *named, now, terms, ledger)]
        case JoinPool():
            return [*pooling.join(member, command.joiner, now, terms, ledger)]
        case LeavePool():
            return [*pooling.leave(member, command.leaver, now, ledger)]
        case EnterPool():
            return [*(pooling.exited if command.leaves else pooling.enter)(member, command.pool, now, ledger)]
        case ActivateLot():
            return [activate(command, now, terms, state)]
        case _:
            return by_hand(command, now, terms, state)


def use_of(name: str, ledger: Ledger) -> str | None:
    """What a name was given to: a hold, a claim, or a redemption for itself."""
    for kind in ("hold", "claim"):
        if (kind, name) in ledger.settled:
            return kind
    return "redemption" if name in ledger.redemptions else None


def require_no_use(name: str, ledger: Ledger) -> None:
    """A hold that is captured, and a claim, are redemptions of their name, so no other use may have that."""
    if other := use_of(name, ledger):
        raise Refusal("redemption_exists", f"Another use of points, a {other}, has this name.")


def by_hand(
    command: AdjustPoints | ReinstatePoints | TransferPoints | ReceivePoints, now: int, terms: Programme, state: Membership
) -> list[Event]:
    member, ledger = command.member, state.points
    match command:
        case AdjustPoints():
            require_id("adjustment", command.adjustment)
            return [
                adjusting.adjust(
                    member,
                    command.adjustment,
                    command.points,
                    command.wallet,
                    command.reason,
                    command.actor,
                    now,
                    terms,
                    ledger,
                )
            ]
        case ReinstatePoints():
            require_id("reinstatement", command.reinstatement)
            named = (command.reinstatement, command.lot, command.reason, command.actor)
            return [adjusting.reinstate(member, *named, now, terms, ledger)]
        case TransferPoints():
            require_id("transfer", command.transfer)
            require_id("member", command.to)
            return [transferring.send(member, command.to, command.transfer, command.points, command.wallet, now, terms, ledger)]
        case ReceivePoints():
            return [transferring.receive(command.sent, now, ledger)]
        case _:
            assert_never(command)


def return_asked(command: ReturnPoints, now: int, terms: Programme, state: Membership) -> PointsReturned:
    if command.redemption not in state.points.redemptions:
        raise Refusal("redemption_unknown", "This member has no redemption of that name.")
    if command.points is not None:
        require_count("points", command.points, least=1)
    elif not state.points.redemptions[command.redemption].left:
        raise Refusal("nothing_left", "All points of this redemption came back before.")
    return returning.give_back(command.member, command.redemption, command.reversal, command.points, now, terms, state.points)


def activate(command: ActivateLot, now: int, terms: Programme, state: Membership) -> Event:
    lot = state.points.lots.get(command.lot)
    if lot is None:
        raise Refusal("lot_unknown", "This member has no lot of that name.")
    if not granting.waits_for_action(lot, state.earning.purchases, command.policies):
        raise Refusal("lot_not_on_action", "The points of this lot do not wait for an action.")
    tier = overriding.in_effect(state.tier, state.standing.override, terms)
    wallet = command.policies.wallet(lot.wallet, now)
    return granting.activated(command.member, lot.lot, lot.wallet, now, now, tier, terms, wallet)
