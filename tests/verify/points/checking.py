"""What is said of a check, and whether the cards say what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from aggregates.membership.decider import membership
from aggregates.membership.events import Event
from streams.queries import views as reading
from streams.running.app import App
from tests.verify.points.daily import Checked


def report(policy: str, found: Checked) -> str:
    moved = ", ".join(f"{points:,} {what}" for what, points in sorted(found.moved.items()) if points)
    return f"{policy}: {found.members:,} members, {found.days:,} days, {len(found.wrong)} differences; {moved}"


def differences_of_cards(app: App) -> Iterator[str]:
    """Cards against their streams, at each card's own instant."""
    for card in reading.documents(app.views, "card"):
        state = membership.rebuild(cast("list[Event]", app.log.read(f"membership-{card['member']}")[0]))
        now = card["as_of"]
        told, known = (card["points"], card["pending"]), (state.available(now), state.pending(now))
        if told != known:
            yield f"card of {card['member']}: {told}, but {known} by its stream"
