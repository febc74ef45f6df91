"""What follows for a membership from what its member did: points by rules, streaks and missions, and the tier they reach."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.calendar import local_day
from aggregates.decider import Refusal, require_id
from aggregates.membership.commands_of_people import RecordAction, TagMember
from aggregates.membership.earning import activities as acting
from aggregates.membership.earning.activities import Act, Reward
from aggregates.membership.earning.events import ActionRecorded, MemberTagged
from aggregates.membership.earning.formula import times_points
from aggregates.membership.events import Event, LotActivated, Membership, PointsGranted, evolve
from aggregates.membership.ledger import granting
from aggregates.membership.ledger.allocation import unused
from aggregates.membership.tiers import judging as tiers
from aggregates.membership.tiers import override as overriding
from aggregates.membership.tiers.progress import Ahead
from aggregates.membership.tiers.qualification import Counting, ahead, engaged
from aggregates.programme import Programme, Rate
from aggregates.programme.earning import PURCHASE


def record(command: RecordAction, now: int, terms: Programme, state: Membership) -> list[Event]:
    """Nothing, where no rule is about it."""
    for what in ("member", "action", "occurrence"):
        require_id(what, getattr(command, what))
    if command.action == PURCHASE:
        raise Refusal("action_invalid", "What was bought is told by its order, not as an action.")
    if not acting.is_rewarded(command.action, terms):
        return []
    tier = overriding.in_effect(state.tier, state.standing.override, terms)
    act = Act(command.member, command.action, tier, now)
    done = ActionRecorded(command.member, command.action, command.occurrence, local_day(now, terms.zone), now)
    found: list[Reward | Event] = [*acting.of_rules(act, terms, state.earning), *acting.of_streaks(act, terms, state.earning)]
    found += acting.of_missions(act, terms, state.earning)
    return [done, *rewarded(act, command.occurrence, found, terms, state)]


def missions_of(act: Act, occurrence: str, terms: Programme, state: Membership) -> list[Event]:
    """What a purchase brings about in missions."""
    return list(rewarded(act, occurrence, [*acting.of_missions(act, terms, state.earning)], terms, state))


def rewarded(act: Act, occurrence: str, found: list[Reward | Event], terms: Programme, state: Membership) -> Iterator[Event]:
    """Facts as they are, rewards as lots; then the tier that all of it reaches."""
    counting = Counting(terms, state, act.at)
    for one in found:
        if not isinstance(one, Reward):
            yield one
            continue
        rate = terms.multiplier(act.tier) if one.by_tier else (1, 1)
        points = times_points(one.points, rate)
        counting = counting._replace(more=counting.more + engaged(points, one.wallet, terms))
        metric = counting.metric(act.at)
        way = ahead(act.tier, metric, act.at, counting) if counting.more else None
        for event in granted(act, occurrence, one, (points, rate), (metric, way), terms, state):
            yield event
            state = evolve(state, event)
    if counting.more:
        yield from tiers.raised(act.member, act.at, counting.metric(act.at), counting)


def granted(
    act: Act,
    occurrence: str,
    reward: Reward,
    worth: tuple[int, Rate],
    qualifying: tuple[int, Ahead | None],
    terms: Programme,
    state: Membership,
) -> Iterator[PointsGranted | LotActivated]:
    """Spendable at once, unless the wallet waits for an action. ``worth``: points, and the rate they were multiplied by."""
    (points, rate), (metric, way) = worth, qualifying
    lot = unused(state.points.lots, f"{reward.rule}+{occurrence}")
    told = (reward.wallet, reward.rule)
    yield PointsGranted(
        act.member, lot, None, points, 0, act.tier, rate, metric, terms.version, act.at, *told, period=reward.period, ahead=way
    )
    wallet = terms.wallet(reward.wallet)
    if wallet is None or wallet.activates != "on_action":
        yield granting.activated(act.member, lot, reward.wallet, act.at, act.at, act.tier, terms, wallet)


def tag(command: TagMember, now: int, state: Membership) -> list[Event]:
    require_id("member", command.member)
    require_id("actor", command.actor)
    tags = tuple(sorted(set(command.tags)))
    for name in tags:
        require_id("tag", name)
    return [] if tags == state.earning.tags else [MemberTagged(command.member, tags, command.actor, now)]
