"""What follows from an action of a member: points by rules, streaks and missions, and the tier that they reach."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.calendar import local_day
from aggregates.decider import Refusal
from aggregates.membership.commands import RecordAction, TagMember
from aggregates.membership.earning import activities as acting
from aggregates.membership.earning.activities import EarnedReward, MemberAction
from aggregates.membership.earning.formula import times_points
from aggregates.membership.earning.state import ActionRecorded, MemberTagged
from aggregates.membership.events import Event, LotActivated, PointsGranted
from aggregates.membership.ledger.grants import activate_lot
from aggregates.membership.ledger.lots import unused_name
from aggregates.membership.state import Membership, evolve
from aggregates.membership.tiers.judging import raise_tier, tier_in_effect
from aggregates.membership.tiers.qualification import Qualification, metric_of_action, progress_to_next
from aggregates.membership.tiers.state import TierProgress
from aggregates.programme import Programme, Rate
from aggregates.programme.earning import PURCHASE


def record_action(command: RecordAction, now: int, terms: Programme, state: Membership) -> list[Event]:
    """Return the events of an action; none, if no rule rewards it."""
    if command.action == PURCHASE:
        raise Refusal("action_invalid", "What was bought is told by its order, not as an action.")
    if not acting.is_rewarded(command.action, terms):
        return []
    tier = tier_in_effect(state.tier, state.standing.override, terms)
    act = MemberAction(command.member, command.action, tier, now)
    done = ActionRecorded(
        member=command.member, action=command.action, occurrence=command.occurrence, day=local_day(now, terms.zone), at=now
    )
    found: list[EarnedReward | Event] = [
        *acting.apply_rules(act, terms, state.earning),
        *acting.extend_streaks(act, terms, state.earning),
    ]
    found += acting.advance_missions(act, terms, state.earning)
    return [done, *reward_events(act, command.occurrence, found, terms, state)]


def missions_of_purchase(act: MemberAction, occurrence: str, terms: Programme, state: Membership) -> list[Event]:
    """Return the events that a purchase causes in missions."""
    return list(reward_events(act, occurrence, [*acting.advance_missions(act, terms, state.earning)], terms, state))


def reward_events(
    act: MemberAction, occurrence: str, found: list[EarnedReward | Event], terms: Programme, state: Membership
) -> Iterator[Event]:
    """Yield events as they are and rewards as lots, then the tier that all of it reaches."""
    counting = Qualification(terms, state, act.at)
    for one in found:
        if not isinstance(one, EarnedReward):
            yield one
            continue
        rate = terms.multiplier(act.tier) if one.by_tier else (1, 1)
        points = times_points(one.points, rate)
        counting = counting._replace(more=counting.more + metric_of_action(points, one.wallet, terms))
        metric = counting.metric(act.at)
        way = progress_to_next(act.tier, metric, act.at, counting) if counting.more else None
        for event in grant_reward(act, occurrence, one, (points, rate), (metric, way), terms, state):
            yield event
            state = evolve(state, event)
    if counting.more:
        yield from raise_tier(act.member, act.at, counting.metric(act.at), counting)


def grant_reward(
    act: MemberAction,
    occurrence: str,
    reward: EarnedReward,
    worth: tuple[int, Rate],
    qualifying: tuple[int, TierProgress | None],
    terms: Programme,
    state: Membership,
) -> Iterator[PointsGranted | LotActivated]:
    """Yield the lot of a reward, spendable at once unless the wallet waits for an action. ``worth`` is its points and their
    rate.
    """
    (points, rate), (metric, way) = worth, qualifying
    lot = unused_name(state.points.lots, f"{reward.rule}+{occurrence}")
    yield PointsGranted(
        member=act.member,
        lot=lot,
        order=None,
        points=points,
        net=0,
        tier=act.tier,
        multiplier=rate,
        qualifying=metric,
        terms=terms.version,
        at=act.at,
        wallet=reward.wallet,
        rule=reward.rule,
        period=reward.period,
        ahead=way,
    )
    wallet = terms.wallet(reward.wallet)
    if wallet is None or wallet.activates != "on_action":
        yield activate_lot(act.member, lot, reward.wallet, act.at, act.at, act.tier, terms, wallet)


def tag_member(command: TagMember, now: int, state: Membership) -> list[Event]:
    tags = tuple(sorted(set(command.tags)))
    return [] if tags == state.earning.tags else [MemberTagged(member=command.member, tags=tags, actor=command.actor, at=now)]
