"""How long the best set of promotions takes to find, by how long one price of the cart takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from statistics import median, quantiles

from aggregates.pricing.best_set import SearchedCart, best_set
from aggregates.pricing.candidate import Candidate
from aggregates.pricing.line_prices import cart_of, line_prices
from aggregates.pricing.pipeline import promotion_steps
from aggregates.pricing.preparing import lines_of, prepare, usable
from aggregates.pricing.request import LineItem, PriceRequest, PriceRules, Running
from aggregates.pricing.terms import CampaignTerms, Condition, Effect, PerFull, Rung, StageName
from aggregates.programme.earning import Selection

CARTS = 200
CANDIDATES = 20
CATEGORIES = ("tea", "cups", "shoes", "books")
STAGES: tuple[StageName, ...] = ("line", "order", "code", "code")


def search_of_sets() -> Iterator[tuple[str, ...]]:
    """What it is, p50 and p99 over one price of the cart, the longest time, unproven carts, and the goal."""
    for conflicts in (0.3, 0.4, 0.5):
        rows = [one_cart(seed, conflicts) for seed in range(CARTS)]
        ratios = [search / price for price, search, _ in rows]
        cuts = quantiles(ratios, n=100)
        unproven = sum(not proven for _, _, proven in rows)
        longest = max(search for _, search, _ in rows)
        yield (
            f"best set of {CANDIDATES}, {conflicts:.0%} of pairs conflict",
            f"{median(price for price, _, _ in rows) * 1e6:,.0f} µs",
            f"{median(ratios):.1f}",
            f"{cuts[98]:.1f}",
            f"{longest * 1e3:.1f} ms",
            f"{unproven} of {CARTS}",
            "p50 ≤ 40, p99 ≤ 200, box 8 ms",
        )


def one_cart(seed: int, conflicts: float) -> tuple[float, float, bool]:
    """Return the seconds of one price and of the search, and whether the search proved its answer."""
    candidates, cart = random_cart(seed, conflicts)
    found = best_set(candidates, cart, PriceRules().work)
    chosen = [candidates[i] for i in found.chosen]
    price = least_time(lambda: promotion_steps(chosen, cart))
    search = least_time(lambda: best_set(candidates, cart, PriceRules().work))
    return price, search, found.proven


def least_time(work: Callable[[], object], times: int = 3) -> float:
    """Return the least time of the processor, in seconds, that work took."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def random_cart(seed: int, conflicts: float) -> tuple[tuple[Candidate, ...], SearchedCart]:
    """Return eight lines and twenty promotions, with floors, caps, thresholds and ladders."""
    chance = random.Random(seed)
    items = tuple(
        LineItem(
            f"p{number}",
            f"p{number}",
            chance.randint(1, 3),
            price := chance.randint(500, 20_000),
            floor=price // 3 if chance.random() < 0.2 else 0,
            category=chance.choice(CATEGORIES),
        )
        for number in range(8)
    )
    request = PriceRequest(items, campaigns=tuple(campaigns(chance, conflicts)))
    prices = line_prices(request, usable(request)[0], items)
    prepared = prepare(request, lines_of(request), prices.locked)
    return prepared.candidates, cart_of(request.rules, prepared.items, prices)


def campaigns(chance: random.Random, conflicts: float) -> Iterator[Running]:
    names = [f"c{number}" for number in range(CANDIDATES)]
    consent: dict[str, set[str]] = {name: set() for name in names}
    for i, one in enumerate(names):
        for other in names[:i]:
            if chance.random() >= conflicts:
                consent[one].add(other)
                consent[other].add(one)
    for name in names:
        effect, stage = random_effect(chance)
        yield Running(
            name,
            CampaignTerms(
                effect,
                stage=stage,
                when=Condition(amount=chance.choice([0, chance.randint(1, 60_000)])),
                only=Selection(categories=(chance.choice(CATEGORIES),)) if chance.random() < 0.4 else Selection(),
                cap=chance.randint(500, 5000) if chance.random() < 0.2 else None,
                combines_with=tuple(sorted(consent[name])),
            ),
        )


def random_effect(chance: random.Random) -> tuple[Effect, StageName]:
    stage: StageName = chance.choice(STAGES)
    match chance.randint(0, 3):
        case 0 | 1:
            return Effect(percent=(chance.randint(3, 25), 100)), stage
        case 2:
            return Effect(fixed=chance.randint(200, 4000)), stage
        case _ if chance.random() < 0.5:
            return Effect(per_full=PerFull(chance.randint(5000, 20_000), chance.randint(200, 1500))), "order"
        case _:
            return Effect(ladder=(Rung(10_000, off=800), Rung(30_000, off=3000))), "order"
