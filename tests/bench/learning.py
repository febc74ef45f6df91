"""``make bench-learner``: what the learner costs: time a look and a basket, and memory a member.

Times are microseconds of the processor with the learner alone, in chunks of a thousand events, here and now: compare two
commits by turns. Redis's bytes are the sum of MEMORY USAGE over keys. Without an option, all but the curves is measured on a
planted shop and on eight weeks of Complete Journey.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from aggregates.behaviour import Viewed
from aggregates.decider import Recorded
from aggregates.order.events import OrderPaid
from infra.embedded.valkey import EmbeddedRedis, connect
from infra.redis.views import Views
from models.learner import Learner
from streams.evaluating.journey_events import journey_events
from streams.evaluating.shop_log_events import ShopLogEvents
from streams.imports.complete_journey import SHOP, CompleteJourney
from streams.imports.shop_log.reading import Reader
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import LearnerLoader
from tests.bench.planted_shop import baskets, views

CHUNK = 1000
LOOKS, PRODUCTS, DAYS = 50_000, 10_000, 28
OF_A_MEMBER = ("repeat", "recommend")
"""Parts of the state with a key a member."""

Figures = dict[str, Any]


def chunks(events: Iterable[object]) -> Iterator[list[Recorded]]:
    recorded = (Recorded(position, event) for position, event in enumerate(events, 1))
    while chunk := list(islice(recorded, CHUNK)):
        yield chunk


def learned(learner: Learner, events: Iterable[object]) -> Iterator[tuple[list[Recorded], float]]:
    """Learn from nothing, and yield each chunk with the seconds it took."""
    for chunk in chunks(events):
        begun = time.process_time()
        while keys := learner.needs(chunk):
            learner.restore({key: {} for key in keys})
        learner.fold(chunk)
        yield chunk, time.process_time() - begun


def cost(what: str, kind: type, events: Iterable[object], zone: str = "UTC") -> Figures:
    """Return microseconds for each event of a kind."""
    count, seconds = 0, 0.0
    for chunk, taken in learned(Learner(zone), events):
        count += sum(isinstance(event, kind) for _, event in chunk)
        seconds += taken
    return {"what": what, "events": count, "µs": round(seconds / count * 1e6)}


def looks_of(file: Path) -> Iterator[object]:
    """Yield the looks of a shop-log file."""
    shop = ShopLogEvents(Reader(SHOP.currency, "UTC", time.time_ns() // 10**6), SHOP.currency)
    with file.open("rb") as lines:
        yield from (event for event in shop.events(enumerate(lines, 1)) if isinstance(event, Viewed))


def over_the_year(households: int) -> Iterator[Figures]:
    """Yield the cost of a basket by month, for some households of Complete Journey."""
    chosen = {household for household, _ in Counter(e.member for e in journey() if isinstance(e, OrderPaid)).most_common()}
    kept = set(sorted(map(str, chosen))[:households])
    events = (e for e in journey() if not isinstance(e, OrderPaid) or e.member in kept)
    sums: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0])
    for chunk, taken in learned(Learner(SHOP.zone), events):
        paid = [event for _, event in chunk if isinstance(event, OrderPaid)]
        if paid:
            of_month = sums[datetime.fromtimestamp(paid[0].at / 1000, UTC).month]
            of_month[0] += taken
            of_month[1] += len(paid)
    each = {month: seconds / count * 1e6 for month, (seconds, count) in sums.items()}
    for month, micros in sorted(each.items()):
        yield {"what": f"a basket, month {month}", "events": sums[month][1], "µs": round(micros)}
    yield {"what": "last month over second", "ratio": round(each[12] / each[2], 2), "goal": "≤ 1.2"}


def journey(weeks: int | None = None) -> Iterator[object]:
    return journey_events(CompleteJourney(weeks))


def stored(events: Iterable[object], zone: str) -> Figures:
    """Learn into a Redis of its own, and return its bytes by part of the state, and bytes a member."""
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            client = connect(server.url)
            dispatch = Dispatch(Views(client), [LearnerLoader(Learner(zone))])
            for chunk in chunks(events):
                dispatch.send(chunk)
            dispatch.flush()
            sizes, keys = Counter[str](), Counter[str]()
            names = list(client.scan_iter(count=10_000))
            for first in range(0, len(names), 1000):
                pipeline = client.pipeline(transaction=False)
                some = names[first : first + 1000]
                for name in some:
                    pipeline.memory_usage(name, samples=0)
                for name, size in zip(some, pipeline.execute(), strict=True):
                    part = (name.decode() if isinstance(name, bytes) else name).split(":")[1]
                    sizes[part] += size
                    keys[part] += 1
        finally:
            server.stop()
    members = max(keys["repeat"], 1)
    by_part = {part: {"keys": keys[part], "bytes": size} for part, size in sizes.most_common()}
    return {"members": members, "state a member": round(sizes["repeat"] / members), "parts": by_part}


def rows_of_state(what: str, found: Figures) -> Iterator[Figures]:
    members = found["members"]
    for part, size in found["parts"].items():
        if size["bytes"] > 20 * members:
            yield {"what": f"Redis, {what}: {part}", "events": size["keys"], "bytes a member": round(size["bytes"] / members)}


def curve(members: int) -> Figures:
    """Return what a planted shop of so many members takes: two to four baskets each, and a look a member."""
    before = resident()
    learner, seconds, count = Learner("UTC"), 0.0, 0
    for chunk, taken in learned(learner, baskets(members, DAYS, PRODUCTS)):
        seconds, count = seconds + taken, count + len(chunk)
    seen = cost("", Viewed, views(max(members, LOOKS), PRODUCTS))
    return {
        "what": f"{members:,} members",
        "events": count,
        "µs": round(seconds / count * 1e6),
        "µs a look": seen["µs"],
        "learner, kB a member": round((resident() - before) / members / 1024, 2),
    }


def resident() -> int:
    """Return the bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@click.command()
@click.option("--clicks", type=click.Path(exists=True, path_type=Path), help="A shop-log file whose looks are learned.")
@click.option("--weeks", default=8, show_default=True, help="Weeks of Complete Journey; 0 for none.")
@click.option("--households", default=0, help="Households whose year is run.")
@click.option("--members", default="", help="Sizes of planted shops, as in 10000,30000.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write the figures here, too.")
def main(clicks: Path | None, weeks: int, households: int, members: str, out: Path | None) -> None:
    """Measure the learner."""
    rows: list[Figures] = []
    console = Console(highlight=False)

    def note(*found: Figures) -> None:
        rows.extend(found)
        for row in found:
            console.print("  ".join(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()))

    note(cost("a look, planted visits", Viewed, views(LOOKS, PRODUCTS)))
    note(cost("a basket, planted shop", OrderPaid, baskets(3000, DAYS, PRODUCTS)))
    if clicks:
        note(cost(f"a look, {clicks.name}", Viewed, looks_of(clicks)))
    if weeks:
        note(cost(f"a basket, {weeks} weeks of Complete Journey", OrderPaid, journey(weeks), SHOP.zone))
        note(*rows_of_state(f"{weeks} weeks of Complete Journey", stored(journey(weeks), SHOP.zone)))
    if households:
        note(*over_the_year(households))
    for size in filter(None, members.split(",")):
        note(curve(int(size)))
    if out:
        out.write_text(json.dumps(rows, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
