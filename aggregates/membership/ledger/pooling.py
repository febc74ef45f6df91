"""The rules of pools: who may join one, and who may spend from it."""

from __future__ import annotations

from aggregates.decider import Refusal
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.pools import PoolEntered, PoolExited, PoolJoined, PoolLeft, PoolUsed
from aggregates.membership.ledger.redeeming import wallet_of
from aggregates.programme import Programme


def join(pool: str, joiner: str, now: int, terms: Programme, ledger: Ledger) -> list[PoolJoined]:
    rules = next((wallet.pools for wallet in terms.wallets if wallet.pools.allowed), None)
    if rules is None:
        raise Refusal("pool_not_allowed", "Members do not share their points here.")
    if joiner == pool or ledger.inside is not None:
        raise Refusal("pool_within_pool", "A pool is joined by members, not by pools, and it has a name of its own.")
    if ledger.pool is None:
        if len(ledger.lots):
            raise Refusal("pool_is_member", "This name is a member's: give the pool one of its own.")
        return [PoolJoined(pool, joiner, joiner, now)]
    if joiner in ledger.pool.members:
        return []
    if len(ledger.pool.members) >= rules.members:
        raise Refusal("pool_full", f"A pool has at most {rules.members} members.")
    return [PoolJoined(pool, joiner, ledger.pool.owner, now)]


def enter(member: str, pool: str, now: int, ledger: Ledger) -> list[PoolEntered]:
    if ledger.pool is not None:
        raise Refusal("pool_within_pool", "A pool is joined by members, not by pools, and it has a name of its own.")
    if ledger.inside not in (None, pool):
        raise Refusal("pool_other", "This member is in another pool: leave that one first.")
    return [] if ledger.inside == pool else [PoolEntered(member, pool, now)]


def leave(pool: str, leaver: str, now: int, ledger: Ledger) -> list[PoolLeft]:
    if ledger.pool is None or leaver not in ledger.pool.members:
        return []
    return [PoolLeft(pool, leaver, now)]


def exited(member: str, pool: str, now: int, ledger: Ledger) -> list[PoolExited]:
    return [PoolExited(member, pool, now)] if ledger.inside == pool else []


def used(
    member: str, by: str | None, use: str, wallet: str | None, now: int, terms: Programme, ledger: Ledger
) -> list[PoolUsed]:
    """Refused where points of a pool are asked for by somebody who may not spend them; nothing, if it is no pool."""
    if ledger.pool is None:
        if by not in (None, member):
            raise Refusal("pool_unknown", "These are a member's own points, not a pool's.")
        return []
    only_owner = wallet_of(wallet, terms).pools.spending == "owner"
    if by is None or by not in ledger.pool.members or (only_owner and by != ledger.pool.owner):
        raise Refusal("pool_not_theirs", "Points of a pool are spent by its owner, or its members, as the programme has it.")
    return [PoolUsed(member, by, use, now)]
