"""The check itself: it finds nothing where all is well, and whatever is made to be missing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aggregates.membership.commands import AdjustPoints, RedeemPoints
from aggregates.membership.events import PointsClawedBack, PointsGranted
from aggregates.programme import Policies, Validity, Wallet
from aggregates.value import replace
from infra.event_log.types import Row
from tests.aggregates.membership.lives import Ledger, policies
from tests.verify.points.calendar import days, end_of
from tests.verify.points.daily import differences, member_days
from tests.verify.points.roll_forward import Account

DAY = 86_400_000
BEGAN = 1_483_300_000_000  # 1 January 2017


def wrong_days(events: list[Any], stored: list[Any]) -> list[str]:
    """The days, up to 1 February, on which a ledger of these ``events`` says something else than the bytes of ``stored``."""
    rows = [
        Row(number, "membership-m", number, type(event).__name__, msgspec.json.encode(event))
        for number, event in enumerate(stored, 1)
    ]
    accounts: dict[str, Account] = {}
    return [
        day
        for day, state in member_days(rows, events, "2017-02-01", "2017-02-01", accounts)
        if list(differences(accounts, state, end_of(day) - 1))
    ]


def lived(known: Policies) -> list[Any]:
    ledger = Ledger(known)
    ledger.buy("o1", 10_000, BEGAN)
    ledger.deliver("o1", BEGAN)
    ledger.give(RedeemPoints("m", "r1", 40, BEGAN + 15 * DAY))
    ledger.give(AdjustPoints("m", "a1", 7, "goodwill", "service", BEGAN + 30 * DAY))
    ledger.refund("o1", "f1", 0, BEGAN + 31 * DAY)
    return ledger.events


@pytest.mark.parametrize("validity", [Validity(), Validity("days", 10)])
def test_a_ledger_adds_up_every_day(validity: Validity) -> None:
    events = lived(policies(Wallet(validity=validity)))
    assert wrong_days(events, events) == []


def test_a_point_too_few_is_noticed_on_each_day_from_then_on() -> None:
    events = lived(policies())
    stored = [replace(event, points=99) if isinstance(event, PointsGranted) else event for event in events]
    assert wrong_days(events, stored) == list(days("2017-01-01", "2017-02-01"))


def test_a_debt_that_is_forgotten_is_noticed() -> None:
    events = lived(policies())
    stored = [
        replace(event, debt_added=0, written_off=33) if isinstance(event, PointsClawedBack) else event for event in events
    ]
    assert wrong_days(events, stored) == ["2017-02-01"]
