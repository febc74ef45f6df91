"""Batches of coupon codes: which serial numbers were issued for which campaign. No code is stored.

A code is a serial number permuted with the shop's secret key (``aggregates/pricing/codes.py``), so a million codes are one
event, and a reader of the log cannot make codes. Serials count over the whole shop, so a serial alone tells its batch.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias, assert_never

from aggregates.decider import Context, Decider, Refusal
from aggregates.fields import ActorId, Count, Id, Instant
from aggregates.value import Value

MOST_CODES = 10_000_000
"""Of one batch."""

KEY = "codes.1"
"""The name of the key by which codes are made now; it is kept with the other keys, never in the log."""

CampaignId: TypeAlias = Annotated[str, Id("campaign")]
BatchId: TypeAlias = Annotated[str, Id("batch")]

# Commands


class IssueCodes(Value):
    """Issue ``count`` codes that lead to a campaign; ``batch`` names them within it."""

    campaign: CampaignId
    batch: BatchId
    count: Annotated[int, Count("count", least=1)]
    actor: ActorId
    at: Instant


class RevokeCodes(Value):
    """Take all codes of a batch back; orders that used one keep their price."""

    campaign: CampaignId
    batch: BatchId
    actor: ActorId
    at: Instant
    reason: str = ""


Command: TypeAlias = IssueCodes | RevokeCodes

# Events


class CodesIssued(Value, kw_only=True):
    """``first``: the serial of the first of ``count`` codes. ``key_name``: of the key that makes codes of serials."""

    campaign: str
    batch: str
    first: int
    count: int
    key_name: str
    actor: str
    at: int


class CodesRevoked(Value, kw_only=True):
    campaign: str
    batch: str
    first: int
    count: int
    actor: str
    reason: str
    at: int


Event: TypeAlias = CodesIssued | CodesRevoked

# State


@dataclass(frozen=True)
class Batch:
    campaign: str
    batch: str
    first: int
    count: int
    revoked: bool = False


@dataclass(frozen=True)
class Batches:
    """``issued``: in the order of their serials, without a gap."""

    issued: tuple[Batch, ...] = ()

    @property
    def next_serial(self) -> int:
        return self.issued[-1].first + self.issued[-1].count if self.issued else 0

    def find(self, serial: int) -> Batch | None:
        """Return the batch that a serial belongs to, None of one that was never issued."""
        if not 0 <= serial < self.next_serial:
            return None
        return self.issued[bisect_right(self.issued, serial, key=lambda batch: batch.first) - 1]

    def named(self, campaign: str, batch: str) -> Batch | None:
        return next((known for known in self.issued if (known.campaign, known.batch) == (campaign, batch)), None)


def decide(command: Command, batches: Batches, _: Context) -> list[Event]:
    known = batches.named(command.campaign, command.batch)
    match command:
        case IssueCodes():
            if known is not None and known.count == command.count:
                return []
            if known is not None:
                raise Refusal("batch_exists", f"This batch has {known.count} codes: give another one its own name.")
            if command.count > MOST_CODES:
                raise Refusal("count_invalid", f"A batch has at most {MOST_CODES} codes.")
            return [
                CodesIssued(
                    campaign=command.campaign,
                    batch=command.batch,
                    first=batches.next_serial,
                    count=command.count,
                    key_name=KEY,
                    actor=command.actor,
                    at=command.at,
                )
            ]
        case RevokeCodes():
            if known is None:
                raise Refusal("batch_unknown", "This campaign has no batch of codes of that name.")
            if known.revoked:
                return []
            return [
                CodesRevoked(
                    campaign=command.campaign,
                    batch=command.batch,
                    first=known.first,
                    count=known.count,
                    actor=command.actor,
                    reason=command.reason,
                    at=command.at,
                )
            ]
        case _:
            assert_never(command)


def evolve(batches: Batches, event: Event) -> Batches:
    match event:
        case CodesIssued():
            return Batches((*batches.issued, Batch(event.campaign, event.batch, event.first, event.count)))
        case CodesRevoked():
            revoked = (replace(b, revoked=True) if b.first == event.first else b for b in batches.issued)
            return Batches(tuple(revoked))
        case _:
            assert_never(event)


code_batches = Decider("codes", Batches(), decide, evolve)
