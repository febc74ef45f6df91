"""Each member's days, one after the other: the sums of the stored bytes against what the ledger says at the day's end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from aggregates.membership.decider import membership
from aggregates.membership.state import Membership
from infra.event_log.log import EventLog
from infra.event_log.types import Row
from tests.verify.points.calendar import day_of, days, end_of
from tests.verify.points.roll_forward import Account, Raw, move


@dataclass
class Checked:
    """``wrong``: the differences that were found, in words. ``moved``: points by wallet and column."""

    members: int = 0
    days: int = 0
    wrong: list[str] = field(default_factory=list)
    moved: Counter[str] = field(default_factory=Counter)


def check(log: EventLog, last_day: str, until: str) -> Checked:
    """Every day up to ``last_day``, and from then on until ``until`` those on which something happens."""
    found = Checked()
    for stream in log.streams_between("membership-"):
        rows, events = log.rows_of(stream, 10**9), log.read(stream)[0]
        found.members += 1
        accounts: dict[str, Account] = {}
        for day, state in member_days(rows, events, last_day, until, accounts):
            found.days += 1
            found.wrong += [f"{stream} on {day}: {said}" for said in differences(accounts, state, end_of(day) - 1)]
        for wallet, account in accounts.items():
            found.moved.update({f"{wallet} {column}": points for column, points in account.moved.items()})
            found.moved[f"{wallet} closing"] += account.closing
            found.moved[f"{wallet} debt"] += account.debt
    return found


def member_days(
    rows: list[Row], events: Iterable[Any], last_day: str, until: str, accounts: dict[str, Account]
) -> Iterator[tuple[str, Membership]]:
    """Each day to be checked, with the ledger at its end; ``accounts`` stand at that end, too. Every event is folded once."""
    raws: list[Raw] = [orjson.loads(row.state) for row in rows]
    happening = sorted({day_of(raw["at"]) for raw in raws})
    if not happening:
        return
    later = [day for day in sorted({*happening, until}) if day > last_day]
    state, at, folded = membership.initial, 0, list(events)
    for day in [*days(happening[0], last_day), *later]:
        ends = end_of(day)
        while at < len(raws) and raws[at]["at"] < ends:
            assert at == 0 or raws[at - 1]["at"] <= raws[at]["at"], f"decided backwards: {raws[at]}"
            state = membership.evolve(state, folded[at])
            move(accounts, rows[at].name, raws[at])
            at += 1
        yield day, state
    assert at == len(raws), f"after {until}: {raws[at]}"


def differences(accounts: dict[str, Account], state: Membership, now: int) -> Iterator[str]:
    wallets = accounts.keys() | {lot.wallet for lot in state.points.lots.all()}
    for wallet in wallets:
        mine = accounts.get(wallet) or Account()
        available, pending, held = state.available(now, wallet), state.pending(now, wallet), state.held(now, wallet)
        if available + pending + held != mine.closing:
            yield f"{wallet}: {available} spendable + {pending} pending + {held} held, but {mine.closing} by the sums: {mine}"
        if held != mine.held:
            yield f"{wallet}: {held} held, but {mine.held} by the sums"
        if state.debt(now, wallet) != mine.debt:
            yield f"{wallet}: {state.debt(now, wallet)} owed, but {mine.debt} by the sums"
        if mine.debt and available:
            yield f"{wallet}: {available} spendable while {mine.debt} are owed"
