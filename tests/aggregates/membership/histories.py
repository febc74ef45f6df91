"""Random lives of a membership: what a shop may ask in any order, early, late and twice, decided one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from aggregates.decider import Context, Refusal
from aggregates.membership.commands import ActivatePoints, ClawBackPoints, Command, GrantPoints, RedeemPoints
from aggregates.membership.decider import decide, membership
from aggregates.membership.events import Event
from aggregates.programme import Policies
from tests.aggregates.given import DAY, ZONE, instant

POLICIES = Policies.first(ZONE, "USD")
CONTEXT = Context(POLICIES)
TERMS = POLICIES.newest
START = instant("2026-01-01")


@dataclass(frozen=True)
class Step:
    """``order``: which of those that earned. ``late``: days in the past.

    ``part``: of 100, of the points that can be spent, or of the net that the order still has.
    """

    kind: str
    order: int
    net: int
    part: int
    wait: int
    late: int


steps = st.builds(
    Step,
    kind=st.sampled_from(["grant", "deliver", "deliver", "redeem", "refund"]),
    order=st.integers(0, 5),
    net=st.integers(-100, 200_000),
    part=st.sampled_from([0, 1, 33, 50, 100, 100, 110]),
    wait=st.sampled_from([0, 1, 10, 20, 20, 100]),
    late=st.sampled_from([0, 0, 0, 0, 3, 40]),
)
lives = st.lists(steps, min_size=12, max_size=30).map(lambda life: lived(life))


def lived(life: list[Step]) -> list[Event]:
    """The events of a life; what is refused did not happen."""
    events: list[Event] = []
    state = membership.initial
    now = START
    for number, step in enumerate(life):
        now += step.wait * DAY
        known = [*state.points.lots, "unknown"]
        order = f"o-{number}" if step.kind == "grant" else known[step.order % len(known)]
        net = state.earning.purchases[order].net if order in state.earning.purchases else 0
        command = asked(step, number, order, net, state.available(now), now - step.late * DAY)
        try:
            decided = decide(command, state, CONTEXT)
        except Refusal:
            continue
        for event in decided:
            state = membership.evolve(state, event)
        events += decided
    return events


def asked(step: Step, number: int, order: str, net: int, available: int, at: int) -> Command:
    match step.kind:
        case "grant":
            return GrantPoints("m", order, step.net, at)
        case "deliver":
            return ActivatePoints("m", order, at)
        case "redeem":
            return RedeemPoints("m", f"p-{number}", max(1, available * step.part // 100), at)
        case _:
            return ClawBackPoints("m", order, f"r-{number}", net * min(step.part, 100) // 100, at)
