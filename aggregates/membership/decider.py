"""The decisions on a membership, and what time brings to it.

Every decision first records what is due: holds and lots that have ended, reviews of the tier. ``now`` is the later of the
command's time and the stream's, so a late purchase counts in the window of its own date, but no decision acts backwards. A
decision goes by the version of the programme in force at ``now``; a refund goes by the version of its purchase.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import assert_never

from aggregates.decider import Context, Decider, Refusal
from aggregates.membership.actions import record_action, tag_member
from aggregates.membership.commands import (
    ActivateLot,
    ActivatePoints,
    AdjustPoints,
    CaptureHold,
    ClaimReward,
    ClawBackPoints,
    Command,
    EndTierOverride,
    EnterPool,
    GrantPoints,
    HoldPoints,
    JoinPool,
    LapsePending,
    LeavePool,
    MemberRequest,
    OverrideTier,
    PointsMove,
    ReceivePoints,
    RecordAction,
    RecordDue,
    RedeemPoints,
    ReinstatePoints,
    ReleaseHold,
    ReturnPoints,
    TagMember,
    TransferPoints,
)
from aggregates.membership.events import Event, LotActivated, PointsGranted, PointsReturned, TierRaised
from aggregates.membership.ledger.grants import activate_lot, waits_for_action
from aggregates.membership.ledger.lots import NEVER
from aggregates.membership.ledger.redemptions import (
    RedemptionRequest,
    capture_hold,
    claim_reward,
    hold_points,
    redeem_points,
    release_hold,
    return_points,
    return_reward,
)
from aggregates.membership.ledger.state import Ledger, first_due, lapse_pending
from aggregates.membership.ledger.transfers import (
    adjust_points,
    enter_pool,
    exit_pool,
    join_pool,
    leave_pool,
    receive_points,
    reinstate_points,
    send_points,
    use_pool,
)
from aggregates.membership.orders import decide_order, is_order_settled
from aggregates.membership.state import Membership, evolve
from aggregates.membership.tiers.judging import OVER, end_override, override_tier, review_tier, tier_in_effect
from aggregates.membership.tiers.qualification import Qualification
from aggregates.membership.tiers.state import TierOverride
from aggregates.programme import Policies, Programme


def decide(command: Command, state: Membership, context: Context) -> list[Event]:
    """Return the events of a command, after those that time has brought by then."""
    if is_settled(command, state):
        return []
    now = max(command.at, state.latest)
    policies = context.policies
    events: list[Event] = []
    if earliest_due(state) <= now:
        events += due_events(command.member, now, policies, state)
        state = reduce(evolve, events, state)
        if is_settled(command, state):
            return events  # time alone has brought what was asked for
    decided = decide_now(command, now, policies, state)
    if may_bring_due(decided, now, state):
        state = reduce(evolve, decided, state)
        decided += due_events(command.member, now, policies, state)
    return events + decided


def is_settled(command: Command, state: Membership) -> bool:
    """Return whether a command has nothing left to do: it was given before, or is about an order that earned nothing."""
    match command:
        case GrantPoints() | ActivatePoints() | ClawBackPoints():
            return is_order_settled(command, state)
        case OverrideTier():
            return command.override in state.standing.overrides
        case RecordAction():
            return (command.action, command.occurrence) in state.earning.actions
        case EndTierOverride() | RecordDue() | LapsePending() | TagMember():
            return False
        case _:
            return is_request_settled(command, state)


def decide_now(command: Command, now: int, policies: Policies, state: Membership) -> list[Event]:
    """Return the events of a command by the terms in force at ``now``, with nothing due in ``state``."""
    terms = policies.at(now)
    match command:
        case GrantPoints() | ActivatePoints() | ClawBackPoints():
            return decide_order(command, now, policies, state)
        case RecordAction():
            return record_action(command, now, terms, state)
        case TagMember():
            return tag_member(command, now, state)
        case OverrideTier() | EndTierOverride():
            return decide_override(command, now, terms, state)
        case RecordDue():
            return []
        case LapsePending():
            return [] if terms.closing == "keep" else [*lapse_pending(command.member, now, state.points)]
        case AdjustPoints() | ReinstatePoints() | TransferPoints() | ReceivePoints() | JoinPool() | LeavePool() | EnterPool():
            return decide_move(command, now, terms, state)
        case ActivateLot():
            return [decide_activation(command, now, policies, state)]
        case _:
            return decide_use(command, now, terms, state)


def may_bring_due(decided: list[Event], now: int, state: Membership) -> bool:
    """Return whether something may be due at once, such as a debt that new points pay. A usual purchase brings nothing."""
    for event in decided:
        match event:
            case PointsGranted() | TierRaised():
                continue
            case LotActivated():
                if state.points.debts or (event.expires_at is not None and event.expires_at <= now):
                    return True
            case _:
                return True
    return False


def decide_override(command: OverrideTier | EndTierOverride, now: int, terms: Programme, state: Membership) -> list[Event]:
    counting = Qualification(terms, state)
    if isinstance(command, OverrideTier):
        laid = TierOverride(command.override, command.kind, command.tier, command.until)
        return [override_tier(command.member, laid, command.reason, command.actor, now, counting)]
    if command.override not in state.standing.overrides:
        raise Refusal("override_unknown", "This member has no such override.")
    current = state.standing.override
    if current is None or current.override != command.override:
        return []  # it was over before
    return [end_override(command.member, command.override, command.reason, command.actor, now, now, counting)]


def is_request_settled(command: MemberRequest, state: Membership) -> bool:
    """Return whether this was asked for before, under the same id."""
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


def decide_use(
    command: RedeemPoints | ReturnPoints | HoldPoints | CaptureHold | ReleaseHold | ClaimReward,
    now: int,
    terms: Programme,
    state: Membership,
) -> list[Event]:
    member, ledger = command.member, state.points
    match command:
        case RedeemPoints():
            require_no_use(command.redemption, ledger)
            wish = RedemptionRequest(command.points, command.wallet, command.order, command.total)
            used = use_pool(member, command.by, command.redemption, command.wallet, now, terms, ledger)
            return [*used, redeem_points(member, command.redemption, wish, now, terms, ledger)]
        case ReturnPoints():
            back = decide_return(command, now, terms, state)
            return [back, *return_reward(back, ledger)]
        case HoldPoints():
            if command.hold in ledger.redemptions:
                raise Refusal("hold_exists", "Another use of points has this name.")
            wish = RedemptionRequest(command.points, command.wallet, command.order, command.total)
            used = use_pool(member, command.by, command.hold, command.wallet, now, terms, ledger)
            return [*used, hold_points(member, command.hold, wish, now, terms, ledger)]
        case CaptureHold():
            return list(capture_hold(member, command.hold, now, ledger))
        case ReleaseHold():
            return [release_hold(member, command.hold, command.by_shop, now, terms, ledger)]
        case ClaimReward():
            require_no_use(command.claim, ledger)
            tier = tier_in_effect(state.tier, state.standing.override, terms)
            named = (command.claim, command.reward, tier, state.earning.tags)
            told = terms.reward(command.reward)
            used = use_pool(member, command.by, command.claim, told.wallet if told else None, now, terms, ledger)
            return [*used, *claim_reward(member, *named, now, terms, ledger)]
        case _:
            assert_never(command)


def use_of(name: str, ledger: Ledger) -> str | None:
    """Return what a name was given to: ``hold``, ``claim``, or ``redemption``; None if it is free."""
    for kind in ("hold", "claim"):
        if (kind, name) in ledger.settled:
            return kind
    return "redemption" if name in ledger.redemptions else None


def require_no_use(name: str, ledger: Ledger) -> None:
    """Refuse a name that is taken. A captured hold and a claim are redemptions of their name, so they count too."""
    if other := use_of(name, ledger):
        raise Refusal("redemption_exists", f"Another use of points, a {other}, has this name.")


def decide_return(command: ReturnPoints, now: int, terms: Programme, state: Membership) -> PointsReturned:
    if command.redemption not in state.points.redemptions:
        raise Refusal("redemption_unknown", "This member has no redemption of that name.")
    if command.points is None and not state.points.redemptions[command.redemption].left:
        raise Refusal("nothing_left", "All points of this redemption came back before.")
    return return_points(command.member, command.redemption, command.reversal, command.points, now, terms, state.points)


def decide_activation(command: ActivateLot, now: int, policies: Policies, state: Membership) -> Event:
    lot = state.points.lots.get(command.lot)
    if lot is None:
        raise Refusal("lot_unknown", "This member has no lot of that name.")
    if not waits_for_action(lot, state.earning.purchases, policies):
        raise Refusal("lot_not_on_action", "The points of this lot do not wait for an action.")
    terms = policies.at(now)
    tier = tier_in_effect(state.tier, state.standing.override, terms)
    return activate_lot(command.member, lot.lot, lot.wallet, now, now, tier, terms, policies.wallet(lot.wallet, now))


def decide_move(command: PointsMove, now: int, terms: Programme, state: Membership) -> list[Event]:
    member, ledger = command.member, state.points
    match command:
        case AdjustPoints():
            return [adjust_points(command, now, terms, ledger)]
        case ReinstatePoints():
            return [reinstate_points(command, now, terms, ledger)]
        case TransferPoints():
            return [send_points(command, now, terms, ledger)]
        case ReceivePoints():
            return [receive_points(member, command.sent, now, ledger)]
        case JoinPool():
            return [*join_pool(member, command.joiner, now, terms, ledger)]
        case LeavePool():
            return [*leave_pool(member, command.leaver, now, ledger)]
        case EnterPool():
            return [*(exit_pool if command.leaves else enter_pool)(member, command.pool, now, ledger)]
        case _:
            assert_never(command)


# What time brings: each thing counts from its own instant, whether it is recorded then, later or by a tick


def due_at(state: Membership, _: Context | None = None) -> int | None:
    """Return the instant from which something is due, or None if time alone changes nothing."""
    instant = earliest_due(state)
    return None if instant == NEVER else instant


def earliest_due(state: Membership) -> int:
    """Return the same, or ``NEVER``."""
    tier, points = state.standing.due, state.points.due
    return points if tier is None or points < tier else tier


def due_events(member: str, now: int, policies: Policies, state: Membership) -> Iterator[Event]:
    """Yield all that is due at ``now`` in order of time, each by the terms in force when it was due."""
    while (instant := earliest_due(state)) <= now:
        event = next_due_event(member, instant, max(instant, state.latest), policies, state)
        yield event
        state = evolve(state, event)


def next_due_event(member: str, due: int, at: int, policies: Policies, state: Membership) -> Event:
    """Return what is due first, recorded ``at``: points, then an override that ends, then the review of the tier."""
    if state.points.due <= due:
        return first_due(member, state.points, state.latest)
    override, counting = state.standing.override, Qualification(policies.at(due), state)
    if override and override.until == due:
        return end_override(member, override.override, OVER, None, due, at, counting)
    return review_tier(member, due, at, counting)


def membership_as_of(now: int, policies: Policies, state: Membership) -> Membership:
    """Return the membership as it is at ``now``, whether or not what was due by then is recorded."""
    return reduce(evolve, due_events("", now, policies, state), state)


membership = Decider("membership", Membership(), decide, evolve, due=due_at)
