"""The decisions on a membership. Each first records what time has brought: holds and lots that ended, reviews that are due.

``now`` is the later of the command's time and the stream's: a late purchase counts in the window of its own date, but no
decision acts backwards. It goes by the version of the policy in force at ``now``, and a refund by that of its purchase.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import assert_never

from aggregates.decider import Decider, Refusal, require_count, require_id
from aggregates.membership.actions import record_action, tag_member
from aggregates.membership.commands import (
    ActionCommand,
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
    LeavePool,
    MemberRequest,
    OverrideTier,
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
from aggregates.membership.ledger.state import Ledger, first_due
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
from aggregates.membership.tiers.judging import OVER, end_override, override_tier, require_reason, review_tier, tier_in_effect
from aggregates.membership.tiers.qualification import Qualification
from aggregates.membership.tiers.state import TierOverride
from aggregates.membership.validation import require_fit
from aggregates.programme import Policies, Programme

ASKED: frozenset[type] = frozenset((*MemberRequest.__args__, *ActionCommand.__args__))


def decide(command: Command, state: Membership) -> list[Event]:
    if type(command) in ASKED:
        require_fit(command)  # type: ignore[arg-type]
    if is_settled(command, state):
        return []
    now = command.at if command.at > state.latest else state.latest
    terms = command.policies.at(now)
    events: list[Event] = []
    if earliest_due(state) <= now:
        events += due_events(command.member, now, command.policies, state)
        state = reduce(evolve, events, state)
        if is_settled(command, state):
            return events  # it has come of itself
    decided = decide_now(command, now, terms, state)
    if brings_more(decided, now, state):  # a debt, points that pay one, a lot that is over as soon as it is known
        state = reduce(evolve, decided, state)
        decided += due_events(command.member, now, command.policies, state)
    return events + decided


def is_settled(command: Command, state: Membership) -> bool:
    """Asked before, or about an order that earned nothing."""
    match command:
        case GrantPoints() | ActivatePoints() | ClawBackPoints():
            return is_order_settled(command, state)
        case OverrideTier():
            return isinstance(command.override, str) and command.override in state.standing.overrides
        case RecordAction():
            return (command.action, command.occurrence) in state.earning.actions
        case EndTierOverride() | RecordDue() | TagMember():
            return False
        case _:
            return is_request_settled(command, state)


def decide_now(command: Command, now: int, terms: Programme, state: Membership) -> list[Event]:
    match command:
        case GrantPoints() | ActivatePoints() | ClawBackPoints():
            return decide_order(command, now, terms, state)
        case RecordAction():
            return record_action(command, now, terms, state)
        case TagMember():
            return tag_member(command, now, state)
        case OverrideTier() | EndTierOverride():
            return decide_override(command, now, terms, state)
        case RecordDue():
            return []
        case _:
            return decide_request(command, now, terms, state)


def decide_override(command: OverrideTier | EndTierOverride, now: int, terms: Programme, state: Membership) -> list[Event]:
    for what in ("member", "override", "actor"):
        require_id(what, getattr(command, what))
    require_reason(command.reason)
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


def brings_more(decided: list[Event], now: int, state: Membership) -> bool:
    """Whether something may be due at once; of a purchase and its delivery, nothing is as a rule."""
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


def is_request_settled(command: MemberRequest, state: Membership) -> bool:
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


def decide_request(command: MemberRequest, now: int, terms: Programme, state: Membership) -> list[Event]:
    member, ledger = command.member, state.points
    require_id("member", member)
    match command:
        case RedeemPoints():
            require_id("redemption", command.redemption)
            require_no_use(command.redemption, ledger)
            wish = RedemptionRequest(command.points, command.wallet, command.order, command.total)
            used = use_pool(member, command.by, command.redemption, command.wallet, now, terms, ledger)
            return [*used, redeem_points(member, command.redemption, wish, now, terms, ledger)]
        case ReturnPoints():
            require_id("reversal", command.reversal)
            back = decide_return(command, now, terms, state)
            return [back, *return_reward(back, ledger)]
        case HoldPoints():
            require_id("hold", command.hold)
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
            require_id("claim", command.claim)
            require_no_use(command.claim, ledger)
            tier = tier_in_effect(state.tier, state.standing.override, terms)
            named = (command.claim, command.reward, tier, state.earning.tags)
            told = terms.reward(command.reward)
            used = use_pool(member, command.by, command.claim, told.wallet if told else None, now, terms, ledger)
            return [*used, *claim_reward(member, *named, now, terms, ledger)]
        case JoinPool():
            return [*join_pool(member, command.joiner, now, terms, ledger)]
        case LeavePool():
            return [*leave_pool(member, command.leaver, now, ledger)]
        case EnterPool():
            return [*(exit_pool if command.leaves else enter_pool)(member, command.pool, now, ledger)]
        case ActivateLot():
            return [decide_activation(command, now, terms, state)]
        case _:
            return decide_by_hand(command, now, terms, state)


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


def decide_by_hand(
    command: AdjustPoints | ReinstatePoints | TransferPoints | ReceivePoints, now: int, terms: Programme, state: Membership
) -> list[Event]:
    member, ledger = command.member, state.points
    match command:
        case AdjustPoints():
            require_id("adjustment", command.adjustment)
            return [
                adjust_points(
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
            return [reinstate_points(member, *named, now, terms, ledger)]
        case TransferPoints():
            require_id("transfer", command.transfer)
            require_id("member", command.to)
            return [send_points(member, command.to, command.transfer, command.points, command.wallet, now, terms, ledger)]
        case ReceivePoints():
            return [receive_points(command.sent, now, ledger)]
        case _:
            assert_never(command)


def decide_return(command: ReturnPoints, now: int, terms: Programme, state: Membership) -> PointsReturned:
    if command.redemption not in state.points.redemptions:
        raise Refusal("redemption_unknown", "This member has no redemption of that name.")
    if command.points is not None:
        require_count("points", command.points, least=1)
    elif not state.points.redemptions[command.redemption].left:
        raise Refusal("nothing_left", "All points of this redemption came back before.")
    return return_points(command.member, command.redemption, command.reversal, command.points, now, terms, state.points)


def decide_activation(command: ActivateLot, now: int, terms: Programme, state: Membership) -> Event:
    lot = state.points.lots.get(command.lot)
    if lot is None:
        raise Refusal("lot_unknown", "This member has no lot of that name.")
    if not waits_for_action(lot, state.earning.purchases, command.policies):
        raise Refusal("lot_not_on_action", "The points of this lot do not wait for an action.")
    tier = tier_in_effect(state.tier, state.standing.override, terms)
    wallet = command.policies.wallet(lot.wallet, now)
    return activate_lot(command.member, lot.lot, lot.wallet, now, now, tier, terms, wallet)


def due_at(state: Membership) -> int | None:
    """From when on something is due, None if time alone changes nothing."""
    instant = earliest_due(state)
    return None if instant == NEVER else instant


def earliest_due(state: Membership) -> int:
    tier, points = state.standing.due, state.points.due
    return points if tier is None or points < tier else tier


def due_events(member: str, now: int, policies: Policies, state: Membership) -> Iterator[Event]:
    """All that is due at ``now``, one fact after the other, each by the terms in force when it was due."""
    while (instant := earliest_due(state)) <= now:
        event = next_due_event(member, instant, max(instant, state.latest), policies, state)
        yield event
        state = evolve(state, event)


def next_due_event(member: str, due: int, at: int, policies: Policies, state: Membership) -> Event:
    """What is due, recorded ``at``: points first. An override that ends when its tier is reviewed ends before that."""
    if state.points.due <= due:
        return first_due(member, state.points, state.latest)
    override, counting = state.standing.override, Qualification(policies.at(due), state)
    if override and override.until == due:
        return end_override(member, override.override, OVER, None, due, at, counting)
    return review_tier(member, due, at, counting)


def membership_as_of(now: int, policies: Policies, state: Membership) -> Membership:
    """The membership as it is at ``now``, whether or not what was due by then is recorded."""
    return reduce(evolve, due_events("", now, policies, state), state)


membership = Decider("membership", Membership(), decide, evolve, due=due_at)
